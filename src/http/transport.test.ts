import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { handleOf } from './stream-handle.ts';
import { sharedReadBuffer, Transport, type TransportOwner } from './transport.ts';

/** Writes down what it hears. */
class Listener implements TransportOwner {
  readonly heard: string[] = [];
  readonly buffers = new Set<Buffer>();
  onBytes(bytes: Buffer, start: number, end: number): void {
    this.buffers.add(bytes);
    this.heard.push(bytes.toString('latin1', start, end));
  }
  onEnd(): void {
    this.heard.push('end');
  }
  onDrained(): void {
    this.heard.push('drained');
  }
  onWriteFailed(error: Error): void {
    this.heard.push(`write failed: ${(error as NodeJS.ErrnoException).code}`);
  }
  onClose(error: Error | null): void {
    this.heard.push(error === null ? 'close' : `close: ${(error as NodeJS.ErrnoException).code}`);
  }
  async until(what: string): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (!this.heard.includes(what)) {
      assert.ok(performance.now() < deadline, `heard only: ${this.heard.join(', ')}`);
      await new Promise(setImmediate);
    }
  }
}

interface Pair {
  readonly transport: Transport;
  readonly listener: Listener;
  readonly peer: net.Socket;
  readonly kept: Buffer[];
}

async function pair(t: TestContext, mayUseHandle: boolean): Promise<Pair> {
  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const peer = net.connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  peer.on('error', () => {});
  const [accepted] = (await once(server, 'connection')) as [net.Socket];
  const listener = new Listener();
  const kept: Buffer[] = [];
  const transport = new Transport(accepted, false, listener, (memory) => kept.push(memory), mayUseHandle);
  transport.resume();
  t.after(() => {
    peer.destroy();
    transport.destroy();
    server.close();
  });
  return { transport, listener, peer, kept };
}

test('Node has the handles that the fast way needs', async (t) => {
  const { transport } = await pair(t, true);
  assert.notEqual(handleOf(transport.socket), null);
});

for (const mayUseHandle of [true, false]) {
  const way = mayUseHandle ? 'through the handle' : 'through the stream';

  test(`bytes, the end and the close are heard, and answers go out, ${way}`, async (t) => {
    const { transport, listener, peer } = await pair(t, mayUseHandle);
    peer.write('question');
    await listener.until('question');
    assert.equal(listener.buffers.has(sharedReadBuffer), mayUseHandle);
    assert.equal(transport.write(Buffer.from('answer'), null), true);
    const [answer] = (await once(peer, 'data')) as [Buffer];
    assert.equal(answer.toString(), 'answer');
    peer.end();
    await listener.until('end');
    transport.close();
    await listener.until('close');
    assert.deepEqual(
      listener.heard.filter((each) => each !== 'drained'),
      ['question', 'end', 'close'],
    );
  });

  test(`what a slow peer does not take is held, told and given back, and arrives whole before the FIN, ${way}`, async (t) => {
    const { transport, listener, peer, kept } = await pair(t, mayUseHandle);
    peer.pause();
    const memory = Buffer.alloc(8 * 1024 * 1024, 'm');
    assert.equal(transport.write(memory.subarray(0, memory.length - 1), memory), false);
    assert.equal(transport.isSlow, true);
    transport.write(Buffer.from('behind it'), null);
    transport.end(() => {});
    assert.deepEqual(kept, []);
    const parts: Buffer[] = [];
    peer.on('data', (bytes: Buffer) => parts.push(bytes)).resume();
    await once(peer, 'end');
    const received = Buffer.concat(parts);
    assert.equal(received.length, memory.length - 1 + 9);
    assert.equal(received.subarray(-9).toString(), 'behind it');
    assert.equal(
      received.subarray(0, -9).every((byte) => byte === 0x6d),
      true,
    );
    assert.deepEqual(kept, [memory]);
    assert.equal(transport.isSlow, false);
    await listener.until('drained');
  });

  test(`a paused transport reads nothing until it is resumed, ${way}`, async (t) => {
    const { transport, listener, peer } = await pair(t, mayUseHandle);
    transport.pause();
    peer.write('early');
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(listener.heard, []);
    transport.resume();
    await listener.until('early');
  });

  test(`nobody hears of a socket without an owner, ${way}`, async (t) => {
    const { transport, listener, peer } = await pair(t, mayUseHandle);
    transport.setOwner(null);
    peer.write('unheard');
    peer.resetAndDestroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(listener.heard, []);
  });
}

test('what a peer sent before it reset the connection is read, although a write to it has failed', async (t) => {
  const { transport, listener, peer } = await pair(t, true);
  transport.pause();
  peer.write('last words');
  await new Promise((resolve) => setTimeout(resolve, 20));
  peer.resetAndDestroy();
  await once(peer, 'close');
  // The first write meets the reset, later ones a connection that is no more.
  for (let n = 0; n < 3; n++) transport.write(Buffer.from('too late'), null);
  await new Promise(setImmediate);
  assert.ok(
    listener.heard.some((each) => each.startsWith('write failed')),
    listener.heard.join(', '),
  );
  transport.resume();
  await listener.until('last words');
  await listener.until('end');
});
