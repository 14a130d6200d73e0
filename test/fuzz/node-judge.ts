import http from 'node:http';
import { Duplex } from 'node:stream';

export interface JudgedRequest {
  readonly method: string;
  readonly target: string;
  /** Latin1. */
  readonly body: string;
}

export interface RequestVerdict {
  /** The requests that are complete, in order. */
  readonly requests: readonly JudgedRequest[];
  /** The parser's code where the bytes are refused; undefined where all of them may be the beginning of something valid. */
  readonly error: string | undefined;
}

export interface ResponseVerdict {
  readonly status: number;
  readonly body: string;
  readonly complete: boolean;
}

/** Node's own HTTP/1.1 parser, strict, as the second opinion on where messages end. It never sees a network. */
export class NodeJudge {
  readonly #server: http.Server;
  readonly #requests = new WeakMap<Duplex, JudgedRequest[]>();
  readonly #errors = new WeakMap<Duplex, string>();

  constructor() {
    const take = (request: http.IncomingMessage): void => {
      // Never answered: the parser goes on with what follows, whatever the first request said about the connection.
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('error', () => {});
      request.on('end', () => {
        const { method = '', url = '', socket } = request;
        if (request.complete) this.#requests.get(socket)?.push({ method, target: url, body: Buffer.concat(pieces).latin1Slice() });
        // What follows is another protocol to the parser, and it says no more.
        if (/upgrade/i.test(request.headers.connection ?? '') && request.headers.upgrade !== undefined) this.#errors.set(socket, 'UPGRADE');
      });
    };
    this.#server = http.createServer({ maxHeaderSize: 1 << 20, requireHostHeader: false, insecureHTTPParser: false }, take);
    for (const event of ['checkContinue', 'checkExpectation'] as const) this.#server.on(event, take);
    this.#server.on('connect', (_request, socket) => this.#errors.set(socket, 'CONNECT'));
    this.#server.maxHeadersCount = 0;
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      this.#errors.set(socket, error.code ?? error.message);
    });
  }

  /** What node:http makes of a connection that carries these bytes and stays open. */
  async requests(bytes: Buffer): Promise<RequestVerdict> {
    const socket = silentSocket();
    const requests: JudgedRequest[] = [];
    this.#requests.set(socket, requests);
    this.#server.emit('connection', socket);
    if (bytes.length > 0) socket.push(bytes);
    await settled();
    // It also ends a connection without a word, as after PRI, which it takes for HTTP/2: nor is it waiting for more then.
    const error = this.#errors.get(socket) ?? (socket.destroyed ? 'CLOSED' : undefined);
    socket.destroy();
    return { requests, error };
  }

  /** What node:http's client makes of these bytes and the end of the connection; undefined where it refuses them. */
  async response(method: string, bytes: Buffer): Promise<ResponseVerdict | undefined> {
    const socket = silentSocket();
    let verdict: ResponseVerdict | undefined;
    const request = http.request({ method, createConnection: () => socket, maxHeaderSize: 1 << 20 });
    request.on('error', () => {});
    request.on('upgrade', () => {});
    request.on('response', (response) => {
      const pieces: Buffer[] = [];
      const note = (): void => {
        verdict = { status: response.statusCode ?? 0, body: Buffer.concat(pieces).latin1Slice(), complete: response.complete };
      };
      response.on('data', (piece: Buffer) => {
        pieces.push(piece);
        note();
      });
      response.on('error', () => {});
      response.on('end', note);
      note();
    });
    request.end();
    await settled();
    if (bytes.length > 0) socket.push(bytes);
    await settled();
    // The parser has found a fault: it has no say in where the message ends.
    if (socket.destroyed && verdict?.complete !== true) return undefined;
    socket.push(null);
    await settled();
    request.destroy();
    socket.destroy();
    return verdict;
  }
}

function silentSocket(): Duplex {
  const socket = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done(), highWaterMark: 1 << 22 });
  socket.on('error', () => {});
  return socket;
}

// Everything that follows from a push happens in ticks before these have passed: there is no input or output in it.
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
