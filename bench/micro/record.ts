import { maxLineBytes, writeExchangeLine } from '../../src/gateway/record/exchange-line.ts';
import { ExchangeRecorder } from '../../src/gateway/record/exchange-recorder.ts';
import { PoolLimits, createPoolSlots } from '../../src/gateway/forward/pool-limits.ts';
import { createSharedCounters, openSharedCounters } from '../../src/telemetry/shared-counters.ts';
import { LineWriter } from '../../src/telemetry/line-writer.ts';
import { micro } from './micro.ts';

const counters = openSharedCounters(createSharedCounters({ workers: 2 }), 0);
const exchange = {
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
let bytes = 0;
const recorder = new ExchangeRecorder({ counters, format: 'json', logRequests: true, send: (lines) => (bytes += lines.length) });
micro('record: counters, line, buffer, batches', 500_000, (times) => {
  for (let i = 0; i < times; i++) {
    exchange.startedAtMs += i & 1;
    exchange.durationMs = (i & 4095) / 1000;
    recorder.record(exchange);
  }
  return bytes;
});

const limits = new PoolLimits(2, 0);
limits.directory.learn(createPoolSlots(2).assign(['up_1']));
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
