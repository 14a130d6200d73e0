import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { RawClient } from '../support/raw-client.ts';
import { residentMemoryOf } from '../support/tcp-sockets.ts';
import type { UpstreamConnection } from '../support/scripted-upstream.ts';

const harness = useGateway();
const streams = 200;
const stalled = 20;
const rounds = 10;
const mebibyte = 1024 * 1024;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

test(`of ${streams} streams ${stalled} do not read: events reach the others within 50 ms, and each stalled one holds 2 MiB at most`, async () => {
  const written: UpstreamConnection[] = [];
  harness.upstream.script = async (request, connection) => {
    await connection.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
    written[Number(request.target.slice(1))] = connection;
  };
  const clients = await Promise.all(
    Array.from({ length: streams }, async (_, index) => {
      const client = await RawClient.connect(harness.port);
      await client.send(`GET /${index} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await client.stream.line(performance.now() + 10_000, 'the status line');
      return client;
    }),
  );
  try {
    const readers = clients.slice(stalled);
    // Warm-up, so that what all streams need is there before memory is looked at.
    for (const connection of written) void connection.write(chunk('data: warm\n\n').repeat(20));
    await eventually(() => readers.every((client) => client.stream.peek().includes('warm')), 'every stream is open', 10_000);
    for (const client of clients.slice(0, stalled)) client.socket.pause();
    const before = residentMemoryOf(harness.gateway.pid);

    // The stalled ones are given more than any socket buffers hold; what the gateway takes of it is its own memory.
    const flood = chunk(`data: ${'x'.repeat(65_536)}\n\n`);
    let highest = before;
    for (const connection of written.slice(0, stalled)) for (let i = 0; i < 512; i += 1) connection.socket.write(flood);

    // Delays are seen by a process that writes and reads all streams itself, on a machine that may have other things to do: so it is
    // the median of a round that counts, and half of the rounds must keep to 50 ms. A gateway that waits for more to come before
    // it sends holds each event until the next round, six times as long, and fails in every one.
    const delays: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const marker = `round ${round}\n\n`;
      const arrived = readers.map(
        (client, index) =>
          new Promise<number>((resolve) => {
            const sentAt = performance.now();
            const look = (): void => {
              if (!client.stream.peek().includes(marker)) return;
              client.socket.off('data', look);
              client.stream.takeAll();
              resolve(performance.now() - sentAt);
            };
            client.socket.on('data', look);
            written[index + stalled]!.socket.write(chunk(`id: ${round}\ndata: ${marker}`));
          }),
      );
      const next = pause(300);
      delays.push(median(await Promise.all(arrived)));
      highest = Math.max(highest, residentMemoryOf(harness.gateway.pid));
      await next;
    }
    assert.ok(median(delays) < 50, `median delays of the rounds in ms: ${delays.map(Math.round).join()}`);
    const perClient = (highest - before) / stalled / mebibyte;
    assert.ok(perClient <= 2, `${perClient.toFixed(1)} MiB for each stalled client`);
    // They were stalled indeed: their upstreams could not get rid of what they have.
    for (const connection of written.slice(0, stalled)) assert.ok(connection.socket.writableLength > mebibyte);
  } finally {
    for (const client of clients) client.destroy();
  }
});

test('each event is counted as it passes, and stands in the log line of its stream', async () => {
  harness.upstream.script = async (request, connection) => {
    const coding = request.target === '/coded' ? 'Content-Encoding: gzip\r\n' : '';
    await connection.write(
      `HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\n${coding}${request.nonceEcho}Transfer-Encoding: chunked\r\n\r\n`,
    );
    // Three events in pieces that end in the middle of anything.
    for (const piece of [
      '\xef\xbb',
      '\xbfdata: 1\r',
      '\n\r',
      '\nda',
      'ta: 2\n',
      '\n: no event\n\nevent: none\n\n',
      'data\r',
      '\r',
      'data: open',
    ])
      await connection.write(chunk(piece));
    await connection.write('0\r\n\r\n');
  };
  using client = await RawClient.connect(harness.port);
  for (const [target, events] of [
    ['/plain', 3],
    ['/coded', undefined],
  ] as const) {
    const response = await client.request('GET', { target });
    const record = await harness.gateway.record((each) => each.request_id === response.value('x-request-id'));
    assert.equal(record['events'], events);
    assert.equal(record['bytes_out'], response.body.length);
  }
});
