import { maxLineBytes, writeExchangeLine } from '../../src/gateway/record/exchange-line.ts';
import { ExchangeRecorder } from '../../src/gateway/record/exchange-recorder.ts';
import { FinishedRequests } from '../../src/control/finished-requests.ts';
import { PoolLimits, createPoolSlots, upstreamCounterPlace } from '../../src/gateway/forward/pool-limits.ts';
import { createSharedCounters, openSharedCounters } from '../../src/telemetry/shared-counters.ts';
import { UpstreamCounters } from '../../src/telemetry/upstream-counters.ts';
import { LineWriter } from '../../src/telemetry/line-writer.ts';
import { micro } from './micro.ts';

const counters = openSharedCounters(createSharedCounters({ workers: 2 }), 0);
const exchange = {
  routePart: null,
  upstreamPart: null,
  requestIdDigits: Buffer.from('f00dfeedf00dfeedf00dfeedf00dfeed'),
  requestId: 'f00dfeedf00dfeedf00dfeedf00dfeed',
  startedAtMs: Date.now(),
  durationMs: 1.23456,
  method: 'GET',
  host: 'api.example.com',
  rawPath: '/api/v1/users/1234',
  status: 200,
  outcome: 'ok' as const,
  routeId: 'rt_0000000000000001',
  upstreamId: 'up_0000000000000001',
  keyId: 'key_0000000000000001',
  remoteAddress: '192.0.2.1',
  bytesIn: 0,
  bytesOut: 612,
  code: null,
  reason: '',
  phase: '' as const,
  upstreamSlot: 0,
  attempts: 1,
  framesIn: -1,
  framesOut: -1,
  events: -1,
  upstreamMs: 0.9,
};

micro('counters: started and finished', 2_000_000, (times) => {
  for (let i = 0; i < times; i++) {
    counters.requestStarted();
    counters.requestFinished(200, null, (i & 1023) / 7, 0, 612);
  }
});
for (const format of ['json', 'text'] as const) {
  micro(`one access log line, ${format}`, 500_000, (times) => {
    const writer = new LineWriter(maxLineBytes);
    for (let i = 0; i < times; i++) {
      exchange.startedAtMs += i & 1;
      exchange.durationMs = (i & 4095) / 1000;
      writer.length = 0;
      writeExchangeLine(writer, exchange, format);
    }
    return writer.length;
  });
}

const limits = new PoolLimits(2, 0);
limits.directory.learn(createPoolSlots(2).assign(['up_1']));
const upstreams = new UpstreamCounters(limits.directory.segments, upstreamCounterPlace(2), 0);
micro('counters of one upstream', 2_000_000, (times) => {
  for (let i = 0; i < times; i++) upstreams.requestFinished(0, exchange);
});

let bytes = 0;
for (const [name, format, logRequests] of [
  ['the log is the record', 'json', true],
  ['record alone, log level warn', 'json', false],
  ['record and a line of text', 'text', true],
] as const) {
  const recorder = new ExchangeRecorder({
    counters,
    upstreams,
    format,
    logRequests,
    logFailures: true,
    send: ({ lines }) => (bytes += lines.length),
  });
  micro(`record: ${name}`, 500_000, (times) => {
    for (let i = 0; i < times; i++) {
      exchange.startedAtMs += i & 1;
      exchange.durationMs = (i & 4095) / 1000;
      recorder.record(exchange);
    }
    return bytes;
  });
}

const requests = new FinishedRequests();
const writer = new LineWriter(maxLineBytes * 8);
for (let i = 0; i < 150; i++) writeExchangeLine(writer, exchange, 'json');
const batch = writer.takeFilled();
micro('in main: a batch of 150 records taken', 5_000, (times) => {
  for (let i = 0; i < times; i++) requests.take({ lines: batch, count: 150, errors: false });
});

micro('pool limits: park, unpark, acquire, release', 1_000_000, (times) => {
  let parked = 0;
  for (let i = 0; i < times; i++) {
    if (limits.tryParkIdle(0, 100)) parked++;
    limits.unparkIdle(0);
    if (limits.tryAcquireActive(0, 0)) parked++;
    limits.releaseActive(0);
  }
  return parked;
});
