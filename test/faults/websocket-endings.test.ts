import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deadlineIn } from '../support/byte-stream.ts';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { RawClient } from '../support/raw-client.ts';
import { answerOk, type UpstreamConnection } from '../support/scripted-upstream.ts';
import { openFilesOf, residentMemoryOf } from '../support/tcp-sockets.ts';
import { frame, handshake, openTunnel, switching } from '../support/websocket.ts';

const harness = useGateway();
const mebibyte = 1024 * 1024;
const closeFrame = Buffer.from('880203e8', 'hex');
const maskedCloseFrame = Buffer.from('88820000000003e8', 'hex');

/** What an upstream does with an upgrade request, by its target; then what the client does with what came. */
interface WayOfDying {
  readonly upstream: (connection: UpstreamConnection) => Promise<void> | void;
  readonly client: (client: RawClient) => Promise<void> | void;
}

const switches = async (connection: UpstreamConnection): Promise<void> => await connection.write(`${switching}\r\n`);
const isOpen = async (client: RawClient): Promise<void> => assert.equal((await client.response()).status, 101);
const sees = async (client: RawClient): Promise<void> => void (await client.ended(10_000));

const ways: Readonly<Record<string, WayOfDying>> = {
  'client-rst': { upstream: switches, client: async (client) => (await isOpen(client), client.reset()) },
  'client-fin': { upstream: switches, client: async (client) => (await isOpen(client), client.end(), await sees(client)) },
  'client-close-frame': {
    upstream: switches,
    client: async (client) => {
      await isOpen(client);
      await client.send(maskedCloseFrame);
      client.end();
      await sees(client);
    },
  },
  'client-mid-frame': {
    upstream: switches,
    client: async (client) => {
      await isOpen(client);
      await client.send(frame('x'.repeat(1_000), true).subarray(0, 500));
      client.destroy();
    },
  },
  'upstream-rst': { upstream: async (connection) => (await switches(connection), connection.reset()), client: sees },
  'upstream-fin': { upstream: async (connection) => (await switches(connection), connection.end()), client: sees },
  'upstream-close-frame': {
    upstream: async (connection) => {
      await switches(connection);
      await connection.write(closeFrame);
      connection.end();
    },
    client: async (client) => {
      await isOpen(client);
      assert.ok(closeFrame.equals(await client.stream.exactly(4, deadlineIn(10_000), 'the close frame')));
      await sees(client);
    },
  },
  'upstream-mid-frame': {
    upstream: async (connection) => {
      await switches(connection);
      await connection.write(frame('x'.repeat(1_000), false).subarray(0, 500));
      connection.socket.destroy();
    },
    client: sees,
  },
  'upstream-rst-in-handshake': { upstream: (connection) => connection.reset(), client: sees },
  'upstream-fin-in-handshake': {
    upstream: async (connection) => (await connection.write(switching.slice(0, 60)), connection.end()),
    client: sees,
  },
  'client-rst-in-handshake': { upstream: () => {}, client: (client) => client.reset() },
  'client-fin-in-handshake': {
    upstream: () => {},
    client: async (client) => (await new Promise((resolve) => setTimeout(resolve, 5)), client.end(), await sees(client)),
  },
  'wrong-accept': {
    upstream: (connection) => connection.write(`${switching.replace(/Accept: ./, 'Accept: -')}\r\n`),
    client: sees,
  },
  refused: { upstream: (connection) => connection.write('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno'), client: sees },
};

test('1,000 WebSockets that die in every way leave no descriptor behind', async () => {
  harness.upstream.script = async (request, connection) => {
    if (request.values('upgrade').length === 0) return await answerOk(request, connection);
    await ways[request.target.slice(1)]!.upstream(connection);
  };
  const before = openFilesOf(harness.gateway.pid);
  const names = Object.keys(ways);
  let next = 0;
  const cycles = 1_000;
  const dieOneByOne = async (): Promise<void> => {
    while (next < cycles) {
      const name = names[next++ % names.length]!;
      const client = await RawClient.connect(harness.port);
      try {
        await client.send(handshake('', `/${name}`));
        await ways[name]!.client(client);
      } finally {
        client.destroy();
      }
    }
  };
  await Promise.all(Array.from({ length: 25 }, dieOneByOne));
  // Nobody helps: what the upstream has not closed, the gateway must have.
  await eventually(
    () => openFilesOf(harness.gateway.pid) <= before,
    () => `descriptors back to ${before}; there are ${openFilesOf(harness.gateway.pid)}`,
    15_000,
  );
});

test('what a fast upstream sends to readers that are slow is held back: 2 MiB of memory for each at most', async () => {
  const tunnels = 16;
  const piece = Buffer.concat([Buffer.from('827f0000000000010000', 'hex'), Buffer.alloc(65_536)]);
  let wrote = 0;
  harness.upstream.script = async (_request, connection) => {
    await connection.write(`${switching}\r\n`);
    // As fast as it is taken, up to 100 MB in a second for each.
    for (let sent = 0; sent < 1_500 && !connection.socket.destroyed; sent += 1) {
      await connection.write(piece);
      wrote += piece.length;
    }
  };
  const before = residentMemoryOf(harness.gateway.pid);
  const clients = await Promise.all(Array.from({ length: tunnels }, () => openTunnel(harness.port)));
  try {
    let read = 0;
    let highest = before;
    for (const client of clients) client.socket.pause();
    // 1 MB/s in all, a hundredth of what comes.
    for (const end = performance.now() + 3_000; performance.now() < end;) {
      for (const client of clients) {
        client.socket.resume();
        await new Promise((resolve) => setImmediate(resolve));
        client.socket.pause();
        read += client.stream.takeAll().length;
      }
      highest = Math.max(highest, residentMemoryOf(harness.gateway.pid));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.ok(read > 0 && wrote < tunnels * 1_500 * piece.length, `${wrote} bytes written, ${read} read: the upstreams were held back`);
    const each = (highest - before) / tunnels / mebibyte;
    assert.ok(each <= 2, `${each.toFixed(1)} MiB for each tunnel`);
  } finally {
    for (const client of clients) client.destroy();
  }
});
