import net from 'node:net';
import tls from 'node:tls';
import { ByteStream, deadlineIn, DeadlinePassed, type Ending, ProtocolViolation, StreamEnded } from './byte-stream.ts';
import { TlsTransport } from './tls-transport.ts';
import { type Field, framingOf, readBody, readFields, valuesOf } from './message-reader.ts';

/** Header of a request whose value an upstream of ours repeats in `X-Test-Nonce-Echo`: tells crossed answers. */
export const nonceHeader = 'X-Test-Nonce';
export const nonceEchoHeader = 'X-Test-Nonce-Echo';

export interface InterimResponse {
  readonly status: number;
  readonly fields: readonly Field[];
}

export interface RawResponse {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly Field[];
  /** Every 1xx that came before. */
  readonly interim: readonly InterimResponse[];
  readonly body: Buffer;
  readonly trailers: readonly Field[];
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  /** Sizes of the chunks of a chunked body. */
  readonly chunkSizes: readonly number[];
  values(name: string): string[];
  /** The one value of a field that must be there at most once. */
  value(name: string): string | undefined;
  json(): Record<string, unknown>;
}

/** The head arrived but the message did not end as its framing promised. */
export class BrokenMessage extends Error {
  readonly response: RawResponse;
  readonly ending: Ending;
  constructor(response: RawResponse, ending: Ending) {
    super(`response ${response.status} broke off after ${response.body.length} body bytes (${ending})`);
    this.name = 'BrokenMessage';
    this.response = response;
    this.ending = ending;
  }
}

export interface ReadOptions {
  /** Method of the request being answered: HEAD has no body. */
  readonly method?: string;
  /** Longest wait for the next progress, 15 s when not given: machines that run tests are busy. */
  readonly timeoutMs?: number;
  /** Gets body pieces instead of keeping them. */
  readonly onData?: (piece: Buffer) => void;
}

export interface RequestOptions extends ReadOptions {
  readonly target?: string;
  readonly host?: string;
  /** Field lines as they go on the wire. */
  readonly fields?: readonly Field[];
  readonly body?: string | Uint8Array;
  readonly version?: 'HTTP/1.0' | 'HTTP/1.1';
}

export interface ConnectOptions {
  readonly host?: string;
  readonly localAddress?: string;
  readonly tls?: tls.ConnectionOptions;
}

type ResponseObserver = (response: RawResponse, port: number, nonce: string | undefined) => void;
const observers = new Set<ResponseObserver>();

/** Lets the harness look at every final response that any client of this file reads. */
export function observeResponses(observer: ResponseObserver): () => void {
  observers.add(observer);
  return () => observers.delete(observer);
}

const tlsPorts = new Map<number, tls.ConnectionOptions>();

/** From now on clients speak TLS to this port: tests of plain HTTP run over TLS as they are. */
export function speakTlsTo(port: number, options: tls.ConnectionOptions): void {
  tlsPorts.set(port, options);
}

let nonces = 0;

/** A TCP client that sends exactly the bytes it is given and reads answers without any leniency. */
export class RawClient {
  readonly socket: net.Socket;
  readonly stream = new ByteStream();
  readonly port: number;
  /** Resolves with how the connection ended. */
  readonly closed: Promise<Ending>;
  /** The TCP connection, below TLS where there is any. */
  readonly #raw: net.Socket;
  #nonce: string | undefined;

  static async connect(port: number, options: ConnectOptions = {}): Promise<RawClient> {
    const target = {
      host: options.host ?? '127.0.0.1',
      port,
      ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
    };
    const secure = options.tls ?? tlsPorts.get(port);
    const raw = net.connect({ ...target, allowHalfOpen: true });
    // Over a stream of ours, since only there it shows how the TCP connection below TLS ended.
    const below = secure === undefined ? undefined : new TlsTransport(raw);
    const socket =
      below === undefined
        ? raw
        : tls.connect({ socket: below, ...(net.isIP(target.host) === 0 ? { servername: target.host } : {}), host: target.host, ...secure });
    const client = new RawClient(socket, raw, port, below);
    await new Promise<void>((resolve, reject) => {
      socket.once(secure === undefined ? 'connect' : 'secureConnect', resolve);
      socket.once('error', reject);
    });
    socket.setNoDelay(true);
    return client;
  }

  private constructor(socket: net.Socket, raw: net.Socket, port: number, below: TlsTransport | undefined) {
    this.socket = socket;
    this.#raw = raw;
    this.port = port;
    this.closed = new Promise((resolve) => {
      socket.on('data', (chunk) => this.stream.push(chunk));
      socket.on('end', () => this.#finish(below?.truncated === true ? 'reset' : 'fin', resolve));
      socket.on('error', () => this.#finish('reset', resolve));
      socket.on('close', () => this.#finish('local', resolve));
    });
  }

  #finish(ending: Ending, resolve: (ending: Ending) => void): void {
    this.stream.finish(ending);
    resolve(this.stream.ending ?? ending);
  }

  /** Writes bytes as they are (strings as latin1) and resolves once the kernel took them or the connection ended; fails after 30 s. */
  async send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    this.#noteNonce(Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 32_768)).latin1Slice());
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new DeadlinePassed('the kernel to take what was sent')), 30_000);
      this.socket.write(bytes, () => {
        clearTimeout(late);
        resolve();
      });
    });
  }

  #noteNonce(text: string): void {
    const nonce = /\r\nX-Test-Nonce: (\S+)\r\n/.exec(text)?.[1];
    if (nonce !== undefined) this.#nonce = nonce;
  }

  /** Sends pieces one after the other, each in a segment of its own as far as the kernel lets us. */
  async sendPieces(pieces: readonly (string | Uint8Array)[], gapMs = 0): Promise<void> {
    this.#noteNonce(
      pieces
        .slice(0, 64)
        .map((piece) => (typeof piece === 'string' ? piece : Buffer.from(piece).latin1Slice()))
        .join(''),
    );
    for (const piece of pieces) {
      await this.send(piece);
      await new Promise((resolve) => {
        if (gapMs > 0) setTimeout(resolve, gapMs);
        else setImmediate(resolve);
      });
    }
  }

  /** Sends a well-formed request with a nonce of its own and reads its answer. */
  async request(method: string, options: RequestOptions = {}): Promise<RawResponse> {
    await this.send(requestBytes(method, { host: `127.0.0.1:${this.port}`, ...options }));
    return this.response({ method, ...options });
  }

  /** Reads one final response with the 1xx before it. Throws BrokenMessage when its body breaks off. */
  async response(options: ReadOptions = {}): Promise<RawResponse> {
    const timeout = options.timeoutMs ?? 15_000;
    const interim: InterimResponse[] = [];
    for (;;) {
      const line = await this.stream.line(deadlineIn(timeout), 'a status line');
      const match = /^(HTTP\/1\.[01]) (\d{3}) ([\t\x20-\x7e\x80-\xff]*)$/.exec(line);
      if (match === null) throw new ProtocolViolation(`bad status line ${JSON.stringify(line)}`);
      const fields = await readFields(this.stream, deadlineIn(timeout), 'the response head');
      const status = Number(match[2]);
      if (status >= 100 && status < 200 && status !== 101) {
        interim.push({ status, fields });
        continue;
      }
      return await this.#body(match[1]!, status, match[3]!, fields, interim, options, timeout);
    }
  }

  async #body(
    version: string,
    status: number,
    reason: string,
    fields: readonly Field[],
    interim: readonly InterimResponse[],
    options: ReadOptions,
    timeout: number,
  ): Promise<RawResponse> {
    const bodyless = options.method === 'HEAD' || status === 101 || status === 204 || status === 304;
    const framing = bodyless ? ({ kind: 'none' } as const) : framingOf(fields, 'close');
    const pieces: Buffer[] = [];
    const chunkSizes: number[] = [];
    const respond = (trailers: readonly Field[]): RawResponse => ({
      version,
      status,
      reason,
      fields,
      interim,
      body: Buffer.concat(pieces),
      trailers,
      framing: framing.kind,
      chunkSizes,
      values: (name) => valuesOf(fields, name),
      value: (name) => onlyValue(fields, name),
      json: function () {
        return JSON.parse(this.body.toString()) as Record<string, unknown>;
      },
    });
    const observed = (trailers: readonly Field[]): RawResponse => {
      const response = respond(trailers);
      for (const observe of observers) observe(response, this.port, this.#nonce);
      return response;
    };
    const sink = { data: options.onData ?? ((piece: Buffer) => pieces.push(piece)), chunk: (size: number) => chunkSizes.push(size) };
    try {
      return observed(await readBody(this.stream, framing, () => deadlineIn(timeout), sink));
    } catch (error) {
      if (error instanceof StreamEnded) throw new BrokenMessage(observed([]), error.ending);
      if (framing.kind === 'close' && this.stream.ending === 'reset') throw new BrokenMessage(observed([]), 'reset');
      throw error;
    }
  }

  /** Waits until the other side ended the connection; answers how, and what else it sent before. */
  async ended(timeoutMs = 10_000): Promise<{ readonly ending: Ending; readonly rest: Buffer }> {
    const deadline = deadlineIn(timeoutMs);
    while (this.stream.ending === undefined) await this.stream.change(deadline, 'the end of the connection');
    return { ending: this.stream.ending, rest: this.stream.takeAll() };
  }

  /** Whether nothing more came and the connection still stands. */
  get open(): boolean {
    return this.stream.ending === undefined && this.stream.size === 0;
  }

  /** Sends a FIN and goes on reading. */
  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
    this.#raw.destroy();
  }

  /** Closes with a RST. */
  reset(): void {
    this.#raw.resetAndDestroy();
    if (this.socket !== this.#raw) this.socket.destroy();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }
}

/** The bytes of a well-formed request with a nonce of its own; a body gets Content-Length unless the fields frame it. */
export function requestBytes(method: string, options: RequestOptions): Buffer {
  const fields = options.fields ?? [];
  const framed = fields.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name));
  const body = options.body === undefined ? Buffer.alloc(0) : Buffer.from(options.body as string, 'latin1');
  const host: readonly Field[] =
    fields.some(([name]) => /^host$/i.test(name)) || options.host === undefined ? [] : [['Host', options.host]];
  const length: readonly Field[] = options.body === undefined || framed ? [] : [['Content-Length', String(body.length)]];
  const lines = [...host, [nonceHeader, `n${process.pid}-${(nonces += 1)}`], ...fields, ...length].map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const head = `${method} ${options.target ?? '/'} ${options.version ?? 'HTTP/1.1'}\r\n${lines.join('')}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

/** One request on a connection of its own. */
export async function fetchRaw(port: number, method: string, options: RequestOptions = {}): Promise<RawResponse> {
  using client = await RawClient.connect(port);
  return await client.request(method, options);
}

function onlyValue(fields: readonly Field[], name: string): string | undefined {
  const values = valuesOf(fields, name);
  if (values.length > 1) throw new ProtocolViolation(`more than one ${name}: ${values.join(' | ')}`);
  return values[0];
}
