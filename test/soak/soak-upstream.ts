import type tls from 'node:tls';
import { deadlineIn, StreamEnded } from '../support/byte-stream.ts';
import { type Script, type ScriptedUpstream, startScriptedUpstream, type UpstreamRequest } from '../support/scripted-upstream.ts';
import { switchingTo } from '../support/websocket.ts';
import type { Behaviour } from './judge-answer.ts';
import { nonceOf } from './record-ledger.ts';
import { answerBody, digestOf, eventText, isUpload } from './soak-bodies.ts';
import type { Findings } from './soak-findings.ts';

/** What all credentials of a soak begin with: it may be seen by upstreams only. */
export const secretMark = 'soak-secret-';

/** A fault that is put in on purpose, to see that it is found. */
export const sabotages = ['nonce', 'upstream', 'body', 'credential', 'upload', 'end'] as const;
export type Sabotage = (typeof sabotages)[number];

/** `WHO-gN`, of which upstream and generation a credential is; it may be told, the credential may not. */
export function credentialName(value: string): string | undefined {
  const text = value.startsWith('Basic ') ? Buffer.from(value.slice(6), 'base64').latin1Slice() : value;
  return new RegExp(`${secretMark}([a-z0-9]+-g\\d+)$`).exec(text)?.[1];
}

export interface SoakUpstreamOptions {
  readonly name: string;
  readonly findings: Findings;
  readonly tls?: tls.TlsOptions;
  readonly port?: number;
  /** Asked before each answer. */
  readonly sabotage: () => Sabotage | undefined;
}

/**
 * An upstream that does what stands in the target, `/…/BEHAVIOUR/~NONCE`, and tells in each answer whose it is, who
 * answers, and with which credential it was asked.
 */
export async function startSoakUpstream(options: SoakUpstreamOptions): Promise<ScriptedUpstream> {
  const { name, findings } = options;
  const script: Script = async (request, connection) => {
    const path = request.target.split('?')[0]!;
    const nonce = nonceOf(path) ?? 'none';
    const behaviour = path.split('/').at(-2) as Behaviour;
    const credential = credentialOf(request);
    if (credential === undefined) findings.add('I8 no credential', `${request.method} ${request.target} at ${name}`);
    const sabotage = options.sabotage();
    const shown = sabotage === 'nonce' ? `${nonce}x` : nonce;
    const told =
      `X-Nonce: ${shown}\r\nX-From: ${sabotage === 'upstream' ? 'nobody' : name}\r\n` +
      `X-Credential: ${sabotage === 'credential' ? 'other-g0' : credential}\r\n`;
    if (behaviour === 'tunnel') {
      await connection.write(`${switchingTo(request.value('sec-websocket-key') ?? '')}${told}\r\n`);
      return await echo(connection);
    }
    if (behaviour === 'reset-before') return connection.reset();
    if (!(await request.complete)) return;
    const sent = request.body.latin1Slice();
    if (sent !== '' && !sent.startsWith('{') && !isUpload(nonce, sabotage === 'upload' ? `${sent}x` : sent))
      findings.add('I2 an upload that is not its own', `${request.method} ${request.target} at ${name}: ${sent.slice(0, 100)}`);
    const head = `HTTP/1.1 200 OK\r\n${told}${sent === '' ? '' : `X-Body: ${digestOf(sent)}\r\n`}`;
    const bodyless = request.method === 'HEAD';
    const text = sabotage === 'body' ? answerBody(`${nonce}x`) : answerBody(nonce, behaviour === 'large' ? 250 : 1);
    const whole = (fields = ''): string => `${head}${fields}Content-Length: ${text.length}\r\n\r\n${bodyless ? '' : text}`;
    const chunk = (piece: string): string => `${piece.length.toString(16)}\r\n${piece}\r\n`;
    switch (behaviour) {
      case 'chunked':
      case 'bad-chunk': {
        // To HEAD it is a whole answer and then a close: announced, or it would race with the next request.
        const closes = bodyless && behaviour === 'bad-chunk';
        await connection.write(`${head}${closes ? 'Connection: close\r\n' : ''}Transfer-Encoding: chunked\r\n\r\n`);
        if (bodyless) return closes ? connection.end() : undefined;
        for (let at = 0; at < text.length; at += 701) await connection.write(chunk(text.slice(at, at + 701)));
        return await connection.write(behaviour === 'bad-chunk' ? 'zz\r\n' : '0\r\n\r\n');
      }
      case 'slow':
        await pause(250);
        return await connection.write(whole());
      case 'close':
        await connection.write(`${head}Connection: close\r\n\r\n${bodyless ? '' : text}`);
        return connection.end();
      case 'pieces': {
        const bytes = whole();
        for (let at = 0; at < bytes.length; at += 397) await connection.write(bytes.slice(at, at + 397));
        return;
      }
      case 'hang':
        return;
      case 'fin-before':
        return connection.end();
      case 'half-head':
        await connection.write('HTTP/1.1 200 O');
        return connection.end();
      case 'garbage':
        await connection.write('HTTQ/1.1 200 poison\r\nContent-Length: 0\r\n\r\n');
        return;
      case 'short':
      case 'reset-mid':
        await connection.write(`${head}Connection: close\r\nContent-Length: ${text.length + 10}\r\n\r\n${bodyless ? '' : text}`);
        if (behaviour === 'short') return connection.end();
        await pause(3);
        return connection.reset();
      case 'server-error':
        return await connection.write(whole().replace(' 200 OK', ' 503 Out of order'));
      case 'json': {
        const answer = JSON.stringify({ nonce, got: JSON.parse(sent === '' ? 'null' : sent) as unknown, secret: 'x' });
        return await connection.write(
          `${head}X-Header-Seen: ${request.values('x-added').join()}\r\nX-Query-Seen: ${request.target.split('?')[1] ?? ''}\r\n` +
            `Content-Type: application/json\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`,
        );
      }
      case 'events': {
        const [count, gap] = new URLSearchParams(request.target.split('?')[1]).getAll('n').map(Number) as [number, number];
        await connection.write(`${head}Content-Type: text/event-stream\r\nCache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\n`);
        for (let index = 0; index < count && connection.isOpen; index += 1) {
          await connection.write(chunk(eventText(nonce, index)));
          await pause(gap);
        }
        return await connection.write('0\r\n\r\n');
      }
      default:
        // A connection that closes without a word is an upstream that failed.
        return sabotage === 'end' ? connection.end() : await connection.write(whole());
    }
  };
  return await startScriptedUpstream(script, {
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    ...(options.port === undefined ? {} : { port: options.port }),
  });
}

/** The one credential that a request came with. */
function credentialOf(request: UpstreamRequest): string | undefined {
  const values = [...request.values('authorization'), ...request.values('x-key')];
  return values.length === 1 ? credentialName(values[0]!) : undefined;
}

async function echo(connection: Parameters<Script>[1]): Promise<void> {
  try {
    for (;;) {
      const piece = await connection.stream.some(deadlineIn(600_000), 'bytes of the tunnel');
      if (piece === undefined) break;
      await connection.write(piece);
    }
  } catch (error) {
    if (!(error instanceof StreamEnded)) throw error;
  }
  connection.socket.destroy();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
