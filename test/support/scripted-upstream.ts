import net from 'node:net';
import tls from 'node:tls';
import { ByteStream, deadlineIn, DeadlinePassed, type Ending, ProtocolViolation, StreamEnded } from './byte-stream.ts';
import { eventually } from './eventually.ts';
import { type Field, framingOf, readBody, readFields, valuesOf } from './message-reader.ts';
import { nonceEchoHeader, nonceHeader } from './raw-client.ts';

/** Called once a request's head has arrived whole; writes what the script wants. */
export type Script = (request: UpstreamRequest, connection: UpstreamConnection) => void | Promise<void>;

export interface ScriptedUpstreamOptions {
  readonly host?: string;
  readonly port?: number;
  readonly tls?: tls.TlsOptions;
  /** Called for each connection before anything is read; return true to read nothing from it. */
  readonly onConnection?: (connection: UpstreamConnection) => boolean | void;
  /** Does not read requests at all: a test looks at `received` itself. */
  readonly deaf?: boolean;
}

/** A request as an upstream got it, byte for byte; anything the grammar forbids is a violation of the upstream. */
export class UpstreamRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly fields: readonly Field[];
  /** Resolves with true at the message's proper end, with false when the connection ended before. */
  readonly complete: Promise<boolean>;
  readonly arrivedAt = performance.now();
  trailers: readonly Field[] = [];
  bodyLength = 0;
  settled = false;
  #pieces: Buffer[] = [];
  #settle!: (complete: boolean) => void;
  /** When set, body pieces go there and are not kept. */
  onData: ((piece: Buffer) => void) | undefined;

  constructor(method: string, target: string, version: string, fields: readonly Field[]) {
    this.method = method;
    this.target = target;
    this.version = version;
    this.fields = fields;
    this.complete = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get body(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  values(name: string): string[] {
    return valuesOf(this.fields, name);
  }

  value(name: string): string | undefined {
    const values = this.values(name);
    if (values.length > 1) throw new ProtocolViolation(`upstream got more than one ${name}: ${values.join(' | ')}`);
    return values[0];
  }

  /** A field line that repeats the request's nonce, or nothing. */
  get nonceEcho(): string {
    const nonce = this.values(nonceHeader)[0];
    return nonce === undefined ? '' : `${nonceEchoHeader}: ${nonce}\r\n`;
  }

  /** As `complete`, but fails when neither happens in time. */
  async ended(timeoutMs = 10_000): Promise<boolean> {
    await eventually(() => this.settled, `the end of ${this.method} ${this.target} at the upstream`, timeoutMs);
    return await this.complete;
  }

  push(piece: Buffer): void {
    this.bodyLength += piece.length;
    if (this.onData === undefined) this.#pieces.push(piece);
    else this.onData(piece);
  }

  settle(complete: boolean): void {
    this.settled = true;
    this.#settle(complete);
  }
}

export class UpstreamConnection {
  readonly socket: net.Socket;
  readonly stream = new ByteStream();
  readonly requests: UpstreamRequest[] = [];
  readonly openedAt = performance.now();
  closedAt: number | undefined;
  receivedBytes = 0;
  /** The first 64 KiB that arrived. */
  received = '';
  readonly closed: Promise<Ending>;

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    this.closed = new Promise((resolve) => {
      const finish = (ending: Ending): void => {
        this.stream.finish(ending);
        this.closedAt ??= performance.now();
        resolve(this.stream.ending ?? ending);
      };
      socket.on('data', (chunk: Buffer) => {
        this.receivedBytes += chunk.length;
        if (this.received.length < 65_536) this.received += chunk.latin1Slice();
        this.stream.push(chunk);
      });
      socket.on('end', () => finish('fin'));
      socket.on('error', () => finish('reset'));
      socket.on('close', () => finish('local'));
    });
  }

  get isOpen(): boolean {
    return this.closedAt === undefined;
  }

  /** Writes bytes as they are (strings as latin1). */
  async write(data: string | Uint8Array): Promise<void> {
    if (this.socket.destroyed) return;
    await new Promise<void>((resolve) => {
      this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data, () => resolve());
    });
  }

  end(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }
}

/** A TCP (or TLS) server that does what its script says and records every byte it gets. */
export class ScriptedUpstream {
  readonly connections: UpstreamConnection[] = [];
  readonly requests: UpstreamRequest[] = [];
  /** What the gateway sent that HTTP/1.1's grammar forbids; the harness fails the test when there is any. */
  readonly violations: string[] = [];
  script: Script;
  readonly #server: net.Server;
  readonly #options: ScriptedUpstreamOptions;

  constructor(script: Script, options: ScriptedUpstreamOptions) {
    this.script = script;
    this.#options = options;
    this.#server =
      options.tls === undefined
        ? net.createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket))
        : tls.createServer({ ...options.tls }, (socket) => this.#accept(socket));
    // A failed handshake is the test's business, not an error of this process.
    this.#server.on('tlsClientError', () => {});
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port ?? 0, this.#options.host ?? '127.0.0.1', 1024, resolve);
    });
    return this;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  get url(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://${this.#options.host ?? '127.0.0.1'}:${this.port}`;
  }

  get open(): UpstreamConnection[] {
    return this.connections.filter((connection) => connection.isOpen);
  }

  /** Bytes that arrived on all connections since the start. */
  get receivedBytes(): number {
    return this.connections.reduce((sum, connection) => sum + connection.receivedBytes, 0);
  }

  /** Lets go of what is over: without it, a test of hours would keep every request. Counts begin anew. */
  forget(): void {
    this.requests.length = 0;
    const open = this.open;
    this.connections.splice(0, this.connections.length, ...open);
    for (const connection of open) connection.requests.length = 0;
  }

  /** The n-th request (from 0) since the start, waiting for it. */
  async request(index: number, timeoutMs = 10_000): Promise<UpstreamRequest> {
    await eventually(() => this.requests.length > index, `request ${index} at the upstream`, timeoutMs);
    return this.requests[index]!;
  }

  /** Ends every connection with a FIN and waits until all are closed. */
  async dropConnections(): Promise<void> {
    const open = this.connections.filter((connection) => !connection.socket.destroyed);
    for (const connection of open) connection.socket.destroy();
    await Promise.all(open.map((connection) => connection.closed));
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.dropConnections();
    await closed;
  }

  #accept(socket: net.Socket): void {
    const connection = new UpstreamConnection(socket);
    this.connections.push(connection);
    if (this.#options.onConnection?.(connection) === true || this.#options.deaf === true) return;
    void this.#serve(connection);
  }

  async #serve(connection: UpstreamConnection): Promise<void> {
    const forever = deadlineIn(3_600_000);
    try {
      for (;;) {
        if (connection.stream.size === 0 && connection.stream.ending === undefined) await connection.stream.change(forever, 'a request');
        if (connection.stream.size === 0) {
          // An orderly close of an idle connection is answered in kind.
          connection.socket.end();
          return;
        }
        await this.#serveRequest(connection, forever);
      }
    } catch (error) {
      if (error instanceof ProtocolViolation) {
        this.violations.push(`${error.message} in ${JSON.stringify(connection.received.slice(0, 2_000))}`);
        connection.reset();
      } else if (error instanceof StreamEnded || error instanceof DeadlinePassed) {
        connection.socket.destroy();
      } else {
        this.violations.push(`script failed: ${(error as Error).stack ?? String(error)}`);
        connection.reset();
      }
    }
  }

  async #serveRequest(connection: UpstreamConnection, forever: number): Promise<void> {
    const line = await connection.stream.line(forever, 'a request line');
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) (HTTP\/1\.1)$/.exec(line);
    if (match === null) throw new ProtocolViolation(`bad request line ${JSON.stringify(line)}`);
    const fields = await readFields(connection.stream, forever, 'the request head');
    const request = new UpstreamRequest(match[1]!, match[2]!, match[3]!, fields);
    if (valuesOf(fields, 'host').length !== 1) throw new ProtocolViolation('not exactly one Host');
    const framing = framingOf(fields, 'none');
    connection.requests.push(request);
    this.requests.push(request);
    const scripted = Promise.resolve(this.script(request, connection)).catch((error: unknown) => {
      this.violations.push(`script failed: ${(error as Error).stack ?? String(error)}`);
      connection.reset();
    });
    try {
      request.trailers = await readBody(connection.stream, framing, () => forever, { data: (piece) => request.push(piece) });
    } catch (error) {
      request.settle(false);
      throw error;
    }
    request.settle(true);
    await scripted;
  }
}

export async function startScriptedUpstream(script: Script, options: ScriptedUpstreamOptions = {}): Promise<ScriptedUpstream> {
  return await new ScriptedUpstream(script, options).listen();
}

/** A script that waits for the whole request and answers 200 with a small body and the nonce. */
export const answerOk: Script = async (request, connection) => {
  if (!(await request.complete)) return;
  const body = `${request.method} ${request.target} ${request.bodyLength}`;
  await connection.write(
    `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n${request.nonceEcho}Content-Length: ${body.length}\r\n\r\n${request.method === 'HEAD' ? '' : body}`,
  );
};
