import { type EventEmitter, once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { peer } from './peers.ts';

/** What is used here of the package `ws`. */
interface WsPackage {
  readonly WebSocket: new (address: string, protocols?: readonly string[], options?: object) => WsSocket;
  readonly WebSocketServer: new (options: object) => WsServer;
}

/** A WebSocket of `ws`, on either side. Emits `open, message, ping, pong, close, error, unexpected-response, upgrade`. */
export interface WsSocket extends EventEmitter {
  readonly protocol: string;
  readonly extensions: string;
  /** The connection below; its counters tell what went over the wire. */
  readonly _socket: net.Socket;
  send(data: string | Uint8Array): void;
  ping(data?: string): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

interface WsServer extends EventEmitter {
  readonly clients: Set<WsSocket>;
}

/** A server of `ws`. Dispose of it at the end of the test, with what is still connected. */
export interface WsPeerServer extends AsyncDisposable {
  readonly http: http.Server;
  readonly ws: WsServer;
}

/** Serves WebSocket on `path` of a port of 127.0.0.1. `options` are those of ws's WebSocketServer. */
export async function startWsServer(
  port: number,
  path: string,
  onConnection: (socket: WsSocket, request: http.IncomingMessage) => void,
  options: object = {},
): Promise<WsPeerServer> {
  const { WebSocketServer } = peer('ws') as WsPackage;
  const server = http.createServer();
  const ws = new WebSocketServer({ server, path, ...options });
  ws.on('connection', onConnection);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    http: server,
    ws,
    async [Symbol.asyncDispose]() {
      for (const client of ws.clients) client.terminate();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** A client of `ws`, not yet open. Its failures are events that a test may wait for, not crashes. */
export function wsClient(address: string, protocols: readonly string[] = [], options: object = {}): WsSocket {
  const { WebSocket } = peer('ws') as WsPackage;
  const socket = new WebSocket(address, protocols, options);
  socket.on('error', () => undefined);
  return socket;
}

/** The class itself, for clients that make their own connections with it. */
export function wsImplementation(): unknown {
  return (peer('ws') as WsPackage).WebSocket;
}

/** The next event of that name, with what it brings; fails after twenty seconds. */
export function nextEvent<Values extends unknown[]>(emitter: EventEmitter, event: string): Promise<Values> {
  // Not node:events' once, which takes every `error` for a failure.
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no "${event}" within 20 s`)), 20_000);
    emitter.once(event, (...values) => {
      clearTimeout(late);
      resolve(values as Values);
    });
  });
}
