import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { suite, test } from 'node:test';
import { startNodeServer } from '../support/node-server.ts';
import { peer, unlessPeers } from '../support/peers.ts';
import { useWebSocketRoute, type Way } from '../support/websocket-route.ts';
import { nextEvent } from '../support/ws-peer.ts';

const skip = unlessPeers();
const route = await useWebSocketRoute();

/** What is used here of `socket.io` and `socket.io-client`. */
interface ServerPackage {
  readonly Server: new (server: object, options: object) => IoServer;
}

interface IoServer extends EventEmitter {
  to(room: string): { emit(event: string, ...values: unknown[]): void };
  close(): Promise<void>;
}

interface ServerSocket extends EventEmitter {
  readonly handshake: { readonly query: Readonly<Record<string, unknown>>; readonly auth: unknown };
  readonly conn: { readonly transport: { readonly name: string } };
  join(room: string): void;
  disconnect(close: boolean): void;
}

interface ClientPackage {
  readonly io: (address: string, options: object) => ClientSocket;
}

interface ClientSocket extends EventEmitter {
  readonly connected: boolean;
  readonly io: EventEmitter & { readonly engine: EventEmitter & { readonly transport: { readonly name: string } } };
  emitWithAck(event: string, ...values: unknown[]): Promise<unknown>;
  disconnect(): void;
}

async function serve(onConnection: (socket: ServerSocket) => void): Promise<{ io: IoServer } & AsyncDisposable> {
  const server = await startNodeServer(undefined, route.upstreamPort);
  const { Server } = peer('socket.io') as ServerPackage;
  const io = new Server(server.http, { path: `${route.path}/socket.io`, serveClient: false });
  io.on('connection', onConnection);
  return {
    io,
    async [Symbol.asyncDispose]() {
      // It closes the HTTP server, too.
      const closed = nextEvent(server.http, 'close');
      await io.close();
      server.http.closeAllConnections();
      await closed;
    },
  };
}

function client(way: Way, options: object = {}): ClientSocket {
  const { io } = peer('socket.io-client') as ClientPackage;
  const { origin, searchParams } = new URL(route.address(way, 'http'));
  return io(origin, {
    path: `${route.path}/socket.io`,
    query: Object.fromEntries(searchParams),
    forceNew: true,
    reconnection: false,
    ...options,
  });
}

/** Resolves with the engine when the first transport has opened, before another is tried. */
async function opened(socket: ClientSocket): Promise<ClientSocket['io']['engine']> {
  await nextEvent(socket.io, 'open');
  return socket.io.engine;
}

/** Answers every `echo` with what it got. */
function echo(socket: ServerSocket): void {
  socket.on('echo', (...values: unknown[]) => (values.pop() as (answer: unknown) => void)(values));
}

suite('socket.io as client and server', { skip }, () => {
  test('a connection begins with polling and goes on over WebSocket; nothing said meanwhile is lost', async () => {
    const order: number[] = [];
    await using server = await serve((socket) => {
      echo(socket);
      socket.on('count', (n: number) => order.push(n));
    });
    const accepted = nextEvent<[ServerSocket]>(server.io, 'connection');
    const socket = client('gateway', { auth: { user: 'me' } });
    const engine = await opened(socket);
    assert.equal(engine.transport.name, 'polling');
    const upgrade = nextEvent(engine, 'upgrade');
    let said = 0;
    while (engine.transport.name === 'polling') {
      socket.emit('count', (said += 1));
      await new Promise(setImmediate);
    }
    await upgrade;
    assert.equal(engine.transport.name, 'websocket');
    const [peerSocket] = await accepted;
    assert.deepEqual(await socket.emitWithAck('echo', 'after the upgrade'), ['after the upgrade']);
    assert.equal(peerSocket.conn.transport.name, 'websocket');
    assert.deepEqual(
      order,
      Array.from({ length: said }, (_, i) => i + 1),
    );
    assert.deepEqual(peerSocket.handshake.auth, { user: 'me' });
    for (const name of Object.keys(route.query)) assert.equal(peerSocket.handshake.query[name], undefined, 'what admitted the client');
    socket.disconnect();
  });

  for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
    test(`text, objects and binary come back the same over ${transports.join(', then ')}`, async () => {
      await using _server = await serve(echo);
      const socket = client('gateway', { transports });
      const settled = (async () => {
        const engine = await opened(socket);
        if (transports.length > 1) await nextEvent(engine, 'upgrade');
      })();
      const binary = randomBytes(300_000);
      const values = ['ß€𝄞', { nested: [1, null, { deep: true }] }, binary, 'x'.repeat(500_000)];
      for (let round = 0; round < 3; round += 1) {
        const answer = (await socket.emitWithAck('echo', ...values)) as unknown[];
        assert.deepEqual(answer.toSpliced(2, 1), values.toSpliced(2, 1));
        assert.ok(binary.equals(answer[2] as Buffer));
      }
      await settled;
      assert.equal(socket.io.engine.transport.name, transports.at(-1));
      socket.disconnect();
    });
  }

  test('each side learns why the other left', async () => {
    await using server = await serve(echo);
    const reasons: unknown[][] = [];
    for (const way of ['direct', 'gateway'] as const) {
      for (const leaving of ['client', 'server']) {
        const accepted = nextEvent<[ServerSocket]>(server.io, 'connection');
        const socket = client(way, { transports: ['websocket'] });
        await nextEvent(socket, 'connect');
        const [peerSocket] = await accepted;
        const ends = [nextEvent<[string]>(socket, 'disconnect'), nextEvent<[string]>(peerSocket, 'disconnect')];
        if (leaving === 'client') socket.disconnect();
        else peerSocket.disconnect(true);
        reasons.push((await Promise.all(ends)).map(([reason]) => reason));
      }
    }
    assert.deepEqual(reasons.slice(2), reasons.slice(0, 2));
    assert.deepEqual(reasons[0], ['io client disconnect', 'client namespace disconnect']);
  });

  test('what is said to a room reaches everyone in it and nobody else', async () => {
    await using server = await serve((socket) => {
      socket.on('join', (room: string, done: () => void) => {
        socket.join(room);
        done();
      });
      echo(socket);
    });
    const heard: string[][] = [];
    const sockets = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const socket = client('gateway');
        heard[i] = [];
        socket.on('news', (text: string) => void heard[i]!.push(text));
        await nextEvent(socket, 'connect');
        await socket.emitWithAck('join', `room ${i % 3}`);
        return socket;
      }),
    );
    server.io.to('room 1').emit('news', 'for one');
    server.io.to('room 2').emit('news', 'for two');
    // Behind the news on the same connection.
    await Promise.all(sockets.map((socket) => socket.emitWithAck('echo')));
    assert.deepEqual(
      heard,
      Array.from({ length: 30 }, (_, i) => [[], ['for one'], ['for two']][i % 3]),
    );
    for (const socket of sockets) socket.disconnect();
  });
});
