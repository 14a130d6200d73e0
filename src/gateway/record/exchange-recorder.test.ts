// Over 300 lines: all that a recorder promises is checked against the same fake exchange and sink.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSharedCounters, openSharedCounters, readSharedCounters, tookLogBytes } from '../../telemetry/shared-counters.ts';
import { LineWriter } from '../../telemetry/line-writer.ts';
import { readUpstreamTotals, upstreamCounterBytes, UpstreamCounters } from '../../telemetry/upstream-counters.ts';
import { maxLineBytes, writeExchangeLine } from './exchange-line.ts';
import { ExchangeRecorder } from './exchange-recorder.ts';
import type { FinishedExchange } from './finished-exchange.ts';

function exchange(fields: Partial<FinishedExchange> = {}): FinishedExchange {
  return {
    requestIdDigits: null,
    routePart: null,
    upstreamPart: null,
    requestId: 'abc',
    startedAtMs: 1_800_000_000_123,
    durationMs: 1.23456,
    method: 'GET',
    host: 'api.test',
    rawPath: '/users/1',
    status: 200,
    outcome: 'ok',
    routeId: 'rt_0000000000000001',
    upstreamId: 'up_0000000000000001',
    keyId: '',
    remoteAddress: '192.0.2.1',
    bytesIn: 10,
    bytesOut: 2000,
    code: null,
    reason: '',
    phase: '',
    upstreamSlot: -1,
    attempts: 1,
    framesIn: -1,
    framesOut: -1,
    events: -1,
    upstreamMs: 1,
    ...fields,
  };
}

function exchangeLine(from: FinishedExchange, format: 'json' | 'text'): string {
  const writer = new LineWriter(maxLineBytes);
  writeExchangeLine(writer, from, format);
  return Buffer.from(writer.takeFilled()).toString();
}

function oneUpstream() {
  const place = { slotsPerSegment: 1, bytesPerSlot: upstreamCounterBytes(1), offset: 0 };
  const segments = [new SharedArrayBuffer(place.bytesPerSlot)];
  return {
    counters: new UpstreamCounters(segments, place, 0),
    totals: () => readUpstreamTotals(segments, 0, place, 1),
  };
}

function recorder(options: { logRequests?: boolean; logFailures?: boolean; format?: 'json' | 'text' } = {}) {
  const shared = createSharedCounters({ workers: 1 });
  const sent: string[] = [];
  const sizes: number[] = [];
  const records: string[] = [];
  const made = new ExchangeRecorder({
    counters: openSharedCounters(shared, 0),
    upstreams: oneUpstream().counters,
    format: 'json',
    logRequests: true,
    logFailures: true,
    ...options,
    send: ({ lines, use }) => {
      // What main gets by a transfer: afterwards the sender must not touch it any more.
      const moved = structuredClone(lines, { transfer: [lines.buffer] });
      if (use !== 'log') records.push(Buffer.from(moved).toString());
      if (use === 'record') return;
      sizes.push(moved.buffer.byteLength);
      sent.push(Buffer.from(moved).toString());
    },
  });
  return { made, shared, sent, records, sizes };
}

test('an exchange is one JSON line and one count', () => {
  const { made, shared, sent } = recorder();
  made.record(exchange());
  assert.deepEqual(sent, []);
  made.flush();
  assert.equal(sent.length, 1);
  assert.deepEqual(JSON.parse(sent[0]!), {
    level: 'info',
    time: '2027-01-15T08:00:00.123Z',
    msg: 'request',
    request_id: 'abc',
    method: 'GET',
    host: 'api.test',
    path: '/users/1',
    status: 200,
    outcome: 'ok',
    duration_ms: 1.235,
    upstream_ms: 1,
    route: 'rt_0000000000000001',
    upstream: 'up_0000000000000001',
    key: 'anonymous',
    remote: '192.0.2.1',
    bytes_in: 10,
    bytes_out: 2000,
    attempts: 1,
  });
  const totals = readSharedCounters(shared);
  assert.deepEqual([totals.byStatusClass[2], totals.bytesIn, totals.bytesOut, totals.durationSumMs], [1, 10, 2000, 1.23456]);
  made.flush();
  assert.equal(sent.length, 1, 'nothing new, nothing sent');
});

test("the gateway's errors carry code, cause and what to do", () => {
  const refused = exchange({
    status: 502,
    outcome: 'upstream_connect',
    code: 'upstream_connection_refused',
    reason: 'connection refused: nothing listens there',
  });
  const json = JSON.parse(exchangeLine(refused, 'json')) as Record<string, string>;
  assert.equal(json['level'], 'warn');
  assert.equal(json['code'], 'upstream_connection_refused');
  assert.match(json['reason']!, /nothing listens/);
  assert.match(json['hint']!, /check that base_url is correct/);
  assert.match(exchangeLine(refused, 'text'), /warn .* 502 .*code=upstream_connection_refused \| connection refused: .*\| .*base_url/);
  assert.equal(JSON.parse(exchangeLine(exchange({ status: 404, code: 'route_not_found' }), 'json')).level, 'info');
  assert.equal(JSON.parse(exchangeLine(exchange({ status: 500, code: 'internal_error' }), 'json')).level, 'error');
});

test('a text line reads well', () => {
  assert.equal(
    exchangeLine(exchange({ keyId: 'key_1' }), 'text'),
    '2027-01-15T08:00:00.123Z info  GET api.test/users/1 200 1.235ms in=10 out=2000 from=192.0.2.1 route=rt_0000000000000001 upstream=up_0000000000000001 key=key_1 id=abc\n',
  );
  assert.match(
    exchangeLine(exchange({ status: 0, method: '', outcome: 'client_abort' }), 'text'),
    / - api\.test\/users\/1 - .* outcome=client_abort/,
  );
});

test('property: whatever a request holds, its line is one line of ASCII that parses to what it was', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '"}\n{"level":"error',
      '\\',
      '\u0000',
      '\u001b[2J',
      '\u009b31m',
      '\u2028',
      '\ud800',
      'é',
      '\r\nSet-Cookie: x',
      '${env.X}',
      '</script>',
    ),
  );
  fc.assert(
    fc.property(text, text, text, text, text, text, (method, host, path, reason, requestId, remoteAddress) => {
      const hostile = exchange({
        method,
        host,
        rawPath: `/${path.replaceAll('?', '')}`,
        reason,
        requestId,
        remoteAddress,
        code: 'request_malformed',
      });
      const line = exchangeLine(hostile, 'json');
      assert.match(line, /^[\x20-\x7e]*\n$/);
      const parsed = JSON.parse(line) as Record<string, unknown>;
      assert.deepEqual(
        [parsed['method'], parsed['host'], parsed['path'], parsed['request_id'], parsed['remote']],
        [method, host, hostile.rawPath, requestId, remoteAddress],
      );
      assert.equal(parsed['reason'], reason === '' ? undefined : reason);
      assert.match(exchangeLine(hostile, 'text'), /^[\x20-\x7e]*\n$/);
    }),
    { numRuns: 1000 },
  );
});

test('a query never gets into the log, and no line outgrows its bound', () => {
  assert.doesNotMatch(exchangeLine(exchange({ rawPath: '/a?api_key=ak_secret' }), 'json'), /secret|\?/);
  assert.doesNotMatch(exchangeLine(exchange({ rawPath: '/a?api_key=ak_secret' }), 'text'), /secret|\?/);
  const long = '\u0000'.repeat(100_000);
  const huge = exchange({
    method: long,
    host: long,
    rawPath: long,
    reason: long,
    requestId: long,
    remoteAddress: long,
    code: 'upstream_reset',
    bytesIn: 2 ** 53,
    bytesOut: 2 ** 53,
  });
  for (const format of ['json', 'text'] as const) assert.ok(exchangeLine(huge, format).length < maxLineBytes);
  assert.ok(JSON.parse(exchangeLine(huge, 'json')).path.endsWith('...'));
});

test('log level: requests that went well can be left out while failures are told; all are counted', () => {
  const { made, shared, sent } = recorder({ logRequests: false });
  made.record(exchange());
  made.record(exchange({ status: 404, code: 'route_not_found' }));
  made.record(exchange({ status: 504, code: 'upstream_timeout' }));
  made.flush();
  assert.equal(sent.join('').trimEnd().split('\n').length, 1);
  assert.match(sent[0]!, /upstream_timeout/);
  const silent = recorder({ logRequests: false, logFailures: false });
  silent.made.record(exchange({ status: 504, code: 'upstream_timeout' }));
  silent.made.flush();
  assert.deepEqual(silent.sent, []);
  assert.equal(
    readSharedCounters(shared).byStatusClass.reduce((a, b) => a + b),
    3,
  );
});

test('frames and events stand in a line only where there were any to count', () => {
  const plain = exchangeLine(exchange(), 'json') + exchangeLine(exchange(), 'text');
  assert.doesNotMatch(plain, /frames|events/);
  const tunnel = exchange({ status: 101, framesIn: 3, framesOut: 0 });
  const { frames_in, frames_out, events } = JSON.parse(exchangeLine(tunnel, 'json'));
  assert.deepEqual([frames_in, frames_out, events], [3, 0, undefined]);
  assert.match(exchangeLine(tunnel, 'text'), / frames_in=3 frames_out=0 /);
  assert.equal(JSON.parse(exchangeLine(exchange({ events: 0 }), 'json')).events, 0);
  assert.match(exchangeLine(exchange({ events: 12 }), 'text'), / events=12 /);
});

test('every exchange is recorded once, as a line of JSON, whatever the log takes and in whatever form', () => {
  for (const options of [
    {},
    { format: 'text' },
    { logRequests: false },
    { logRequests: false, logFailures: false },
    { logRequests: false, format: 'text' },
  ] as const) {
    const { made, records, shared } = recorder(options);
    made.record(exchange({ requestId: 'well' }));
    made.record(exchange({ requestId: 'timed-out', status: 504, code: 'upstream_timeout', outcome: 'upstream_timeout', phase: 'wait' }));
    made.flush();
    const lines = records
      .join('')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      lines.map((line) => [line['request_id'], line['level'], line['phase']]),
      [
        ['well', 'info', undefined],
        ['timed-out', 'warn', 'wait'],
      ],
      JSON.stringify(options),
    );
    assert.equal(readSharedCounters(shared).recordsDropped, 0);
  }
});

test('thousands of lines come in few pieces, complete, in order, each with memory of its own', () => {
  const { made, sent, sizes } = recorder();
  for (let i = 0; i < 5000; i++) made.record(exchange({ requestId: `r${i}` }));
  made.flush();
  const lines = sent.join('').trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).request_id),
    Array.from({ length: 5000 }, (_, i) => `r${i}`),
  );
  assert.ok(sent.length < 10, `${sent.length} pieces`);
  for (const piece of sent) assert.ok(piece.endsWith('\n'), 'whole lines only');
  assert.ok(sizes.every((size) => size <= 544 * 1024));
});

test('lines are sent by themselves within a moment', async () => {
  const shared = createSharedCounters({ workers: 1 });
  const start = performance.now();
  let alive: NodeJS.Timeout | undefined;
  const lines = await new Promise<Uint8Array>((resolve) => {
    const made = new ExchangeRecorder({
      counters: openSharedCounters(shared, 0),
      upstreams: oneUpstream().counters,
      format: 'json',
      logRequests: true,
      logFailures: true,
      send: ({ lines }) => resolve(lines),
    });
    made.record(exchange());
    // The recorder's own timer does not keep a thread alive; this one does.
    alive = setTimeout(() => {}, 10_000);
  });
  clearTimeout(alive);
  assert.ok(lines.length > 0);
  assert.ok(performance.now() - start < 5_000);
});

test('when main does not take the lines, they are dropped and counted instead of piling up', () => {
  const { made, shared, sent } = recorder();
  made.record(exchange());
  made.flush();
  tookLogBytes(shared, 0, 1);
  const long = '/x'.repeat(1000);
  for (let i = 0; i < 10_000; i++) made.record(exchange({ rawPath: long }));
  made.flush();
  const bytes = sent.reduce((sum, piece) => sum + piece.length, 0);
  assert.ok(bytes > 4_000_000 && bytes < 4_400_000, `${bytes} bytes on their way`);
  const { logLinesDropped, recordsDropped } = readSharedCounters(shared);
  assert.equal(recordsDropped, logLinesDropped, 'the same lines');
  assert.equal(logLinesDropped + sent.join('').trimEnd().split('\n').length, 10_001);
  tookLogBytes(shared, 0, bytes);
  made.record(exchange({ requestId: 'after' }));
  made.flush();
  assert.match(sent.at(-1)!, /"request_id":"after"/);
});
