import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UpstreamId } from '../model/ids.ts';
import { createSharedCounters, openSharedCounters, readSharedCounters } from '../telemetry/shared-counters.ts';
import {
  type CountedExchange,
  readUpstreamDetail,
  readUpstreamTotals,
  upstreamCounterBytes,
  UpstreamCounters,
} from '../telemetry/upstream-counters.ts';
import { LiveFeed } from './live-feed.ts';
import { TrafficHistory } from './traffic-history.ts';
import type { UpstreamTraffic } from './upstream-health.ts';

const start = 1_800_000_000_000;
const busy = 'up_0000000000000000';
const failing = { status: 502, code: 'upstream_connection_refused', outcome: 'upstream_connect' } as const;

/** Upstreams as two workers count them, and what is made of that. */
function rig(upstreams = 2) {
  const place = { slotsPerSegment: upstreams, bytesPerSlot: upstreamCounterBytes(2), offset: 0 };
  const segments = [new SharedArrayBuffer(upstreams * place.bytesPerSlot)];
  const workers = [0, 1].map((index) => new UpstreamCounters(segments, place, index));
  const shared = createSharedCounters({ workers: 2 });
  const counters = [0, 1].map((index) => openSharedCounters(shared, index));
  let now = start;
  const gauges = { active: 0, idle: 0 };
  const slots = new Map<UpstreamId, number>(Array.from({ length: upstreams }, (_, slot) => [`up_${String(slot).padStart(16, '0')}`, slot]));
  const source = {
    upstreams: (): UpstreamTraffic[] =>
      [...slots].map(([id, slot]) => ({
        id,
        name: `u${slot}`,
        enabled: true,
        totals: readUpstreamTotals(segments, slot, place, 2),
        check: null,
        ...gauges,
      })),
    detail: (id: UpstreamId, detail: Parameters<typeof readUpstreamDetail>[4]) =>
      readUpstreamDetail(segments, slots.get(id)!, place, 2, detail),
    totals: () => readSharedCounters(shared),
  };
  const history = new TrafficHistory({ source, clock: () => now });
  return {
    history,
    source,
    gauges,
    counters,
    finish: (slot: number, exchange: Partial<CountedExchange> = {}, worker: 0 | 1 = 0): void => {
      const usual = { status: 200, code: null, outcome: 'ok', startedAtMs: now, durationMs: 5, upstreamMs: 4, bytesIn: 1, bytesOut: 2 };
      const finished = { ...usual, ...exchange };
      workers[worker]!.requestFinished(slot, finished);
      counters[worker]!.requestStarted();
      counters[worker]!.requestFinished(finished.status, finished.code, 5, 1, 2);
    },
    pass: (ms: number): void => {
      now += ms;
      history.look();
    },
    row: (window: '5m' | '15m' | '1h' | '6h' = '5m') => history.traffic(window).upstreams[0]!,
    one: (window: '5m' | '15m' | '1h' | '6h' = '5m') => history.upstream(source.upstreams()[0]!, window),
  };
}

test('each ten seconds have what happened in them, over all workers, and nothing else', () => {
  const { history, finish, pass, row, one, gauges, counters } = rig();
  for (let at = 0; at < 100; at++) finish(0, { upstreamMs: at < 94 ? 4 : at < 99 ? 40 : 400 }, (at % 2) as 0 | 1);
  gauges.active = 3;
  gauges.idle = 7;
  pass(10_000);
  finish(0, failing);
  finish(0, { status: 503 });
  finish(0, { status: 0, outcome: 'client_abort' });
  counters[0]!.requestStarted();
  counters[0]!.requestFinished(404, 'route_not_found', 1, 0, 0);
  counters[0]!.requestStarted();
  counters[0]!.requestFinished(200, null, 1, 0, 0);
  counters[0]!.ownRequestFinished(200);
  gauges.active = 0;
  pass(10_000);
  pass(10_000);
  const told = one();
  assert.deepEqual(told.requests.slice(-4), [0, 100, 3, 0]);
  assert.deepEqual([told.cells, told.requests.length, told.cell_ms, told.last_cell_ms], [30, 30, 10_000, 10_000]);
  assert.equal(told.from, new Date(start + 30_000 - 300_000).toISOString());
  assert.deepEqual(told.errors.slice(-4), [0, 0, 1, 0]);
  assert.deepEqual(told.server_errors.slice(-4), [0, 0, 1, 0]);
  assert.deepEqual(told.abandoned.slice(-4), [0, 0, 1, 0]);
  assert.deepEqual(Object.keys(told.errors_by_code), ['upstream_connection_refused']);
  assert.deepEqual(told.errors_by_code['upstream_connection_refused']!.slice(-3), [0, 1, 0]);
  const near = (value: number | null, expected: number): void => assert.ok(Math.abs(value! - expected) / expected < 0.065, `${value}`);
  near(told.p50_ms.at(-3)!, 4);
  near(told.p95_ms.at(-3)!, 40);
  near(told.p99_ms.at(-3)!, 40);
  assert.equal(told.p95_ms.at(-1), null);
  assert.deepEqual(told.active.slice(-4), [0, 3, 0, 0]);
  assert.deepEqual(told.idle.slice(-4), [0, 7, 7, 7]);
  assert.equal(told.health.slice(-4), '-hhh');

  const { totals, upstreams } = history.traffic('5m');
  assert.deepEqual(totals.requests.slice(-4), [0, 100, 4, 0], 'without the own one');
  assert.deepEqual(totals.status_4xx.slice(-3), [0, 1, 0]);
  assert.deepEqual(totals.status_5xx.slice(-3), [0, 2, 0]);
  assert.deepEqual(totals.no_response.slice(-3), [0, 1, 0]);
  assert.deepEqual(Object.keys(totals.errors).toSorted(), ['route_not_found', 'upstream_connection_refused']);
  near(totals.p95_ms.at(-3)!, 40);
  assert.deepEqual(row().requests, told.requests);
  assert.equal(row().last_used_at, new Date(start + 10_005).toISOString());
  assert.deepEqual([upstreams[1]!.requests, upstreams[1]!.health, upstreams[1]!.last_used_at], [[], '', null], 'one without traffic');
});

test('wider cells are sums of narrower ones, with percentiles of their own, and the last one says how full it is', () => {
  const { finish, pass, one, row } = rig();
  // 09:00:00, a full hour.
  for (let at = 0; at < 7; at++) {
    for (let request = 0; request <= at; request++) finish(0, { upstreamMs: at === 0 ? 1_000 : 1 });
    pass(10_000);
  }
  const hour = one('1h');
  assert.deepEqual(hour.requests.slice(-3), [0, 1 + 2 + 3 + 4 + 5 + 6, 7]);
  assert.deepEqual([hour.cell_ms, hour.last_cell_ms], [60_000, 10_000]);
  assert.ok(hour.p50_ms.at(-2)! < 1.1);
  assert.ok(hour.p99_ms.at(-2)! > 900, 'of all in the minute');
  assert.ok(hour.p99_ms.at(-1)! < 1.1, 'begins anew with each minute');
  assert.deepEqual(one('6h').requests.slice(-2), [0, 28]);
  assert.deepEqual(row('15m').requests.slice(-3), [1, 2 + 3 + 4, 5 + 6 + 7]);
  assert.deepEqual([row('1h').requests.length, row('6h').requests.length], [30, 30]);
  assert.equal(row('6h').requests.at(-1), 28);
});

test('time that was slept through is empty, what has left the window is gone, and memory goes with it', () => {
  const { history, finish, pass, one, row, source } = rig();
  finish(0);
  pass(10_000);
  assert.equal(row().requests.at(-1), 1);
  pass(60_000);
  assert.deepEqual(one().requests.slice(-7), [1, 0, 0, 0, 0, 0, 0]);
  finish(0);
  pass(900_000);
  assert.equal(
    one('15m').requests.reduce((a, b) => a + b),
    1,
    'of a lap of the ring nothing is left',
  );
  assert.equal(
    one('1h').requests.reduce((a, b) => a + b),
    2,
  );
  for (let hour = 0; hour < 7; hour++) pass(3_600_000);
  assert.deepEqual(row('6h').requests, [], 'none was kept');
  finish(0);
  pass(10_000);
  assert.equal(
    row('6h').requests.reduce((a, b) => a + b),
    1,
    'counts on from where it was',
  );
  assert.equal(history.traffic('5m').upstreams.length, source.upstreams().length);
});

test('a clock that is set back begins anew rather than telling what is not so', () => {
  const { history, finish, pass } = rig();
  finish(0);
  pass(10_000);
  pass(-3_600_000);
  assert.equal(history.traffic('5m').since, new Date(start - 3_590_000).toISOString());
  finish(0);
  finish(0);
  pass(10_000);
  assert.deepEqual(history.traffic('5m').totals.requests.slice(-2), [0, 2]);
  assert.deepEqual(history.traffic('5m').upstreams[0]!.requests.slice(-2), [0, 2]);
});

test('a thousand upstreams with traffic are told in less than a megabyte, and of ten thousand none is left out', () => {
  const { history, finish, pass } = rig(10_000);
  for (let slot = 0; slot < 1_000; slot++) finish(slot);
  pass(10_000);
  const answer = JSON.stringify(history.traffic('5m').upstreams.slice(0, 1_000));
  assert.ok(answer.length < 800_000, `${answer.length} bytes`);
  for (let slot = 0; slot < 10_000; slot++) finish(slot);
  pass(10_000);
  const told = history.traffic('5m').upstreams;
  assert.equal(told.length, 10_000);
  assert.ok(told.every(({ requests }) => requests.at(-2) === 1 || requests.at(-1) === 1));
});

test('the feed tells of revisions, flips and the traffic since it told last, of upstreams that had any', () => {
  const { source, finish, gauges } = rig();
  const feed = new LiveFeed({ source, intervalMs: 3_600_000, maxListeners: 2, clock: () => start });
  const told: string[] = [];
  const listener = { onEvent: (name: string, data: string) => void told.push(`${name} ${data}`), onEnd: () => void told.push('end') };
  feed.served(7);
  finish(0);
  const stop = feed.listen(listener);
  assert.deepEqual(told.splice(0), ['revision {"revision":7}']);
  feed.served(7);
  feed.served(8);
  assert.deepEqual(told.splice(0), ['revision {"revision":8}']);
  finish(1);
  finish(1, failing);
  feed.look();
  const event = JSON.parse(told.splice(0)[0]!.replace('traffic ', ''));
  assert.equal(event.totals.requests, 2);
  assert.equal(event.totals.status_5xx, 1);
  assert.deepEqual(event.upstreams, [
    {
      upstream_id: 'up_0000000000000001',
      requests: 2,
      errors: 1,
      server_errors: 0,
      active: 0,
      idle: 0,
      last_used_at: new Date(start + 5).toISOString(),
    },
  ]);
  feed.look();
  assert.deepEqual(JSON.parse(told.splice(0)[0]!.replace('traffic ', '')).upstreams, []);
  gauges.idle = 2;
  feed.look();
  assert.deepEqual(
    JSON.parse(told.splice(0)[0]!.replace('traffic ', '')).upstreams.map(({ upstream_id }: { upstream_id: string }) => upstream_id),
    [busy, 'up_0000000000000001'],
  );
  const other = feed.listen({ onEvent: () => {}, onEnd: () => {} });
  assert.throws(() => feed.listen(listener), /Too many/);
  other();
  stop();
  feed.look();
  assert.deepEqual(told, [], 'nothing is read while nobody listens');
  feed.listen(listener);
  feed.end();
  assert.equal(told.at(-1), 'end');
  assert.throws(() => feed.listen(listener), /shutting down/);
});
