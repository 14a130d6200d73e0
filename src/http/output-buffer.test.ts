import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { OutputBuffer, recycleOutput } from './output-buffer.ts';
import { Transport } from './transport.ts';

interface Sending {
  readonly output: OutputBuffer;
  readonly transport: Transport;
  readonly peer: net.Socket;
  /** Resolves once the kernel has everything. */
  readonly drained: () => Promise<void>;
}

async function sending(t: TestContext, mayUseHandle = true): Promise<Sending> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const peer = net.connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  peer.on('error', () => {});
  const [accepted] = (await once(server, 'connection')) as [net.Socket];
  let tell: (() => void) | undefined;
  const owner = { onBytes() {}, onEnd() {}, onWriteFailed() {}, onClose() {}, onDrained: () => tell?.() };
  const transport = new Transport(accepted, false, owner, recycleOutput, mayUseHandle);
  t.after(() => {
    peer.destroy();
    transport.destroy();
    server.close();
  });
  const drained = async (): Promise<void> => {
    while (transport.hasPending) await new Promise<void>((resolve) => (tell = resolve));
  };
  return { output: new OutputBuffer(), transport, peer, drained };
}

/** Numbers that are the same in each run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state % below;
  };
}

for (const mayUseHandle of [true, false]) {
  test(`ranges that are lent arrive like copies, whatever stands around them and however slow the peer is, ${mayUseHandle ? 'through the handle' : 'through the stream'}`, async (t) => {
    const { output, transport, peer, drained } = await sending(t, mayUseHandle);
    const random = numbers(2_711);
    const source = Buffer.alloc(262_144);
    const expected: Buffer[] = [];
    const received: Buffer[] = [];
    peer.on('data', (bytes: Buffer) => received.push(bytes));
    const lengths = [1, 100, 20_000, 65_535, 65_536, 131_072, 200_000];
    for (let round = 0; round < 300; round += 1) {
      // What is lent is overwritten as soon as it is sent: that nothing of it is read later shows below.
      source.fill(65 + (round % 26));
      for (let step = random(3); step >= 0; step -= 1) {
        const what = random(4);
        const length = lengths[random(lengths.length)]!;
        const start = random(source.length - length);
        if (what === 0) {
          output.text(`head ${round}\r\n`);
          expected.push(Buffer.from(`head ${round}\r\n`));
        } else if (what === 1) {
          output.copy(source, start, start + length);
          expected.push(Buffer.from(source.subarray(start, start + length)));
        } else {
          output.lend(source, start, start + length);
          expected.push(Buffer.from(source.subarray(start, start + length)));
        }
      }
      assert.equal(output.isEmpty, false);
      output.sendTo(transport);
      assert.equal(output.isEmpty, true);
      assert.equal(output.length, 0);
      source.fill(0);
      // As the connections do: nothing more comes while the peer is slow, and it is slow in many rounds.
      if (!transport.isSlow) continue;
      peer.resume();
      await drained();
      if (random(2) === 0) peer.pause();
    }
    peer.resume();
    transport.end(() => {});
    await once(peer, 'end');
    assert.ok(Buffer.concat(received).equals(Buffer.concat(expected)));
  });
}

test('what is lent counts as waiting, and is kept, copied out or cleared like what was copied', async (t) => {
  const { output, transport, peer } = await sending(t);
  const source = Buffer.alloc(200_000, 'b');
  output.text('head');
  output.lend(source, 0, source.length);
  assert.deepEqual([output.length, output.isEmpty], [200_004, false]);
  const memory = Buffer.alloc(200_004);
  output.copyTo(memory);
  const out = output.copyOut();
  source.fill('x');
  assert.equal(output.length, 200_004);
  for (const copy of [memory, out]) assert.ok(copy.equals(Buffer.concat([Buffer.from('head'), Buffer.alloc(200_000, 'b')])));
  output.clear();
  output.lend(source, 0, source.length);
  output.clear();
  assert.deepEqual([output.length, output.isEmpty], [0, true]);
  output.text('only this');
  output.sendTo(transport);
  peer.resume();
  const [bytes] = (await once(peer, 'data')) as [Buffer];
  assert.equal(bytes.toString(), 'only this');
});

test('a range that is lent to a socket whose peer is gone ends as a write that failed', async (t) => {
  // Paused: what is read tells of the reset as well, and may come first.
  const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const peer = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  peer.on('error', () => {});
  const [accepted] = (await once(server, 'connection')) as [net.Socket];
  const failures: NodeJS.ErrnoException[] = [];
  const owner = { onBytes() {}, onEnd() {}, onClose() {}, onDrained() {}, onWriteFailed: (error: Error) => void failures.push(error) };
  const transport = new Transport(accepted, false, owner);
  t.after(() => {
    transport.destroy();
    server.close();
  });
  peer.resetAndDestroy();
  const output = new OutputBuffer();
  const source = Buffer.alloc(200_000, 'b');
  for (let turn = 0; failures.length === 0 && turn < 10_000; turn += 1) {
    output.lend(source, 0, source.length);
    output.sendTo(transport);
    await new Promise(setImmediate);
  }
  assert.match(failures[0]?.code ?? 'none', /EPIPE|ECONNRESET/);
});

test('what is lent to a socket that was just closed never reaches the one that has its number now', async (t) => {
  const { output, transport } = await sending(t);
  const other = await sending(t);
  const source = Buffer.alloc(200_000, 'b');
  const numberOf = (socket: unknown): number => (socket as { _handle: { fd: number } })._handle.fd;
  const number = numberOf(transport.socket);
  transport.destroy();
  const taken = net.createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  const peer = net.connect((taken.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(taken, 'connection')) as [net.Socket];
  t.after(() => peer.destroy());
  assert.ok([taken, peer, accepted].map(numberOf).includes(number), 'the number is in use again');
  const arrived: string[] = [];
  for (const socket of [peer, accepted, other.peer])
    socket.on('data', (bytes: Buffer) => arrived.push(bytes.toString('latin1', 0, 10))).resume();
  output.lend(source, 0, source.length);
  output.sendTo(transport);
  accepted.end('the end');
  await once(peer, 'end');
  assert.deepEqual(arrived, ['the end']);
});
