import type { FuzzCase } from './fuzz-case.ts';
import { piecesOf } from './fuzz-case.ts';
import { idHeader, methodHeader } from './parse-answers.ts';
import {
  type Script,
  type ScriptedUpstream,
  startScriptedUpstream,
  type UpstreamConnection,
  type UpstreamRequest,
} from '../support/scripted-upstream.ts';

/** A request that arrived whole, and the client's address that the gateway says it came from. */
export interface ArrivedRequest {
  readonly id: number;
  readonly client: string | undefined;
  readonly method: string;
  readonly target: string;
  readonly body: string;
  readonly request: UpstreamRequest;
}

/** Records every byte that the gateway sends, and answers each request with a number of its own, or with what a case says. */
export class RecordingUpstream {
  readonly arrived = new Map<number, ArrivedRequest>();
  /** Bytes by connection, since its start. */
  readonly recorded = new Map<UpstreamConnection, Buffer[]>();
  /** Responses to send for `/fuzz-answer/NAME`. */
  readonly answers = new Map<string, FuzzCase>();
  upstream!: ScriptedUpstream;
  #ids = 0;

  static async start(): Promise<RecordingUpstream> {
    const recording = new RecordingUpstream();
    recording.upstream = await startScriptedUpstream((request, connection) => recording.#answer(request, connection), {
      onConnection: (connection) => {
        const pieces: Buffer[] = [];
        recording.recorded.set(connection, pieces);
        connection.socket.on('data', (piece: Buffer) => pieces.push(piece));
      },
    });
    return recording;
  }

  /** Closes all connections and forgets what was recorded; answers what that was. */
  async next(): Promise<{
    readonly connections: readonly { readonly bytes: Buffer; readonly connection: UpstreamConnection }[];
    readonly violations: readonly string[];
  }> {
    await this.upstream.dropConnections();
    const connections = [...this.recorded].map(([connection, pieces]) => ({ bytes: Buffer.concat(pieces), connection }));
    const violations = this.upstream.violations.splice(0);
    this.recorded.clear();
    this.arrived.clear();
    this.answers.clear();
    this.upstream.requests.length = 0;
    this.upstream.connections.length = 0;
    return { connections, violations };
  }

  readonly #answer: Script = async (request, connection) => {
    if (!(await request.complete)) return;
    const id = (this.#ids += 1);
    const { method, target } = request;
    this.arrived.set(id, { id, client: request.value('x-forwarded-for'), method, target, body: request.body.latin1Slice(), request });
    const answer = this.answers.get(/^\/fuzz-answer\/(\w+)$/.exec(target)?.[1] ?? '');
    if (answer !== undefined) return await this.#sendCase(answer, connection);
    const body = `${id} `.repeat(1 + (id % 40));
    const head = `HTTP/1.1 200 OK\r\n${idHeader}: ${id}\r\n${methodHeader}: ${method}\r\n`;
    const framed = id % 3 === 0 ? `Transfer-Encoding: chunked\r\n\r\n` : `Content-Length: ${body.length}\r\n\r\n`;
    const content = method === 'HEAD' ? '' : id % 3 === 0 ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body;
    await connection.write(head + framed + content);
  };

  async #sendCase(answer: FuzzCase, connection: UpstreamConnection): Promise<void> {
    for (const piece of piecesOf(answer)) {
      await connection.write(piece);
      await new Promise((resolve) => setTimeout(resolve, answer.gapMs));
    }
    // For a moment the connection looks as if it could be used again: a gateway that does so gives itself away.
    await new Promise((resolve) => setTimeout(resolve, 25));
    if (answer.ending === 'fin') connection.end();
    else connection.reset();
  }
}
