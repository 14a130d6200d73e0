import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readUpstreamTotals, upstreamCounterBytes, UpstreamCounters, type CountedExchange } from '../telemetry/upstream-counters.ts';
import { upstreamProblems } from '../model/upstream-problems.ts';
import { HealthWatch } from './health-watch.ts';
import { type UpstreamCheck, upstreamHealth, type UpstreamTraffic } from './upstream-health.ts';

const refused = { status: 502, code: 'upstream_connection_refused', outcome: 'upstream_connect' } as const;

const noCheck: UpstreamCheck = {
  done: 0,
  failed: 0,
  streak: 0,
  okTimes: [],
  lastMs: 0,
  lastOkMs: 0,
  lastFailureMs: 0,
  status: null,
  tookMs: null,
  problem: null,
};

/** One upstream, as two workers count it. */
function rig() {
  const place = { slotsPerSegment: 2, bytesPerSlot: 64 + upstreamCounterBytes(2), offset: 64 };
  const segments = [new SharedArrayBuffer(2 * place.bytesPerSlot)];
  const workers = [0, 1].map((index) => new UpstreamCounters(segments, place, index));
  let now = 1_800_000_000_000;
  let enabled = true;
  let check: UpstreamCheck | null = null;
  const finish = (worker: 0 | 1, exchange: Partial<CountedExchange> = {}): void => {
    now += 10;
    const usual = { status: 200, code: null, outcome: 'ok', startedAtMs: now, durationMs: 5, upstreamMs: 4, bytesIn: 1, bytesOut: 2 };
    workers[worker]!.requestFinished(1, { ...usual, ...exchange });
  };
  const traffic = (): UpstreamTraffic => ({
    id: 'up_0000000000000001',
    name: 'api',
    enabled,
    totals: readUpstreamTotals(segments, 1, place, 2),
    check: check,
    active: 3,
    idle: 4,
  });
  const logged: string[] = [];
  const log = (_fields: object, message: string): void => void logged.push(message);
  const watch = new HealthWatch({ read: () => [traffic()], logger: { info: log, warn: log, error: log }, clock: () => now, maxEvents: 4 });
  const switchTo = (on: boolean): void => void (enabled = on);
  const flips = (): string[] => watch.events().map(({ from, to }) => `${from} ${to}`);
  return {
    finish,
    health: () => upstreamHealth(traffic()),
    watch,
    flips,
    logged,
    switchTo,
    /** What checks found, a moment later. */
    checked: (found: Partial<UpstreamCheck>) => {
      now += 10;
      check = { ...(check ?? noCheck), ...found };
      return now;
    },
    untouched: () => readUpstreamTotals(segments, 0, place, 2),
  };
}

test('what became of requests is counted in all workers together, each in one place', () => {
  const { finish, health, watch, untouched } = rig();
  watch.stop();
  finish(0);
  finish(1, { status: 503 });
  finish(0, refused);
  finish(1, { status: 504, code: 'upstream_timeout', outcome: 'upstream_timeout' });
  finish(1, { status: 502, code: 'upstream_reset', outcome: 'upstream_reset' });
  finish(0, { status: 502, code: 'upstream_invalid_response', outcome: 'upstream_protocol' });
  finish(0, { status: 503, code: 'upstream_overloaded', outcome: 'overload' });
  finish(0, { status: 503, code: 'draining', outcome: 'overload' });
  finish(0, { status: 0, outcome: 'client_abort' });
  finish(0, { status: 200, outcome: 'client_abort' });
  const { cause: _, ...told } = health();
  assert.deepEqual(told, {
    upstream_id: 'up_0000000000000001',
    upstream: 'api',
    state: 'healthy',
    source: 'traffic',
    problem: null,
    check: null,
    last_ok_at: '2027-01-15T08:00:00.105Z',
    last_failure_at: '2027-01-15T08:00:00.065Z',
    last_failure_code: 'upstream_invalid_response',
    consecutive_failures: 0,
    requests: 10,
    answered: 3,
    server_errors: 1,
    failures: { connect: 1, timeout: 1, reset: 1, protocol: 1 },
    overloaded: 1,
    abandoned: 2,
    mean_response_ms: 4,
    bytes_in: 10,
    bytes_out: 20,
    connections: { active: 3, idle: 4 },
  });
  assert.equal(untouched().requests, 0, "nobody else's");
});

test('three failures in a row over all workers make it failing, one answer healthy again; each flip is kept and told once', () => {
  const { finish, health, watch, flips, logged } = rig();
  watch.stop();
  watch.look();
  assert.equal(health().state, 'unknown');
  finish(0, refused);
  finish(1, refused);
  watch.look();
  assert.deepEqual([health().state, flips()], ['unknown', []]);
  assert.match(health().cause, /2 requests in a row failed, the last one upstream_connection_refused/);
  finish(0, refused);
  watch.look();
  watch.look();
  assert.deepEqual([health().state, flips()], ['failing', ['unknown failing']]);
  assert.match(watch.events()[0]!.cause, /3 requests in a row failed.*connection refused/);
  const problem = {
    source: 'traffic',
    code: 'upstream_connection_refused',
    title: 'Connection refused',
    cause: 'The upstream refused the connection.',
    consecutive_failures: 3,
    next: upstreamProblems.connection_refused.next,
  };
  assert.deepEqual([health().problem, watch.events()[0]!.problem], [problem, problem]);
  finish(1, { status: 500 });
  watch.look();
  assert.deepEqual([health().state, flips()], ['healthy', ['failing healthy', 'unknown failing']]);
  finish(0, refused);
  finish(1, refused);
  assert.match(health().cause, /it answers, but 2 requests in a row failed/);
  assert.deepEqual([health().problem?.consecutive_failures, watch.events()[0]!.problem], [2, null]);
  assert.deepEqual(logged, ['an upstream is failing', 'an upstream answers again']);
});

test("a server's own 5xx, a full queue and clients that leave make nothing failing", () => {
  const { finish, health, watch } = rig();
  watch.stop();
  for (let at = 0; at < 5; at++) {
    finish(0, { status: 500 });
    finish(0, { status: 503, code: 'upstream_overloaded', outcome: 'overload' });
    finish(1, { status: 0, outcome: 'client_abort' });
  }
  assert.equal(health().state, 'healthy');
});

test('disabled is not failing, and the oldest events go first', () => {
  const { finish, health, watch, flips, switchTo } = rig();
  watch.stop();
  for (let at = 0; at < 3; at++) finish(0, refused);
  switchTo(false);
  watch.look();
  assert.equal(health().state, 'disabled');
  assert.match(health().cause, /disabled/);
  assert.equal(health().problem, null);
  for (const on of [true, false, true, false, true]) {
    switchTo(on);
    watch.look();
  }
  assert.deepEqual(flips(), ['disabled failing', 'failing disabled', 'disabled failing', 'failing disabled']);
  assert.deepEqual(watch.events('up_0000000000000002'), []);
});

test('health checks make it failing by themselves, whatever traffic says, and only a good check takes that back', () => {
  const { finish, health, watch, flips, checked } = rig();
  watch.stop();
  finish(0);
  watch.look();
  const found = { code: null, title: 'Unexpected status', cause: 'It answered /up with 503.', next: ['Look.'] };
  checked({ streak: 2, problem: found, lastFailureMs: 1 });
  assert.deepEqual([health().state, health().source], ['healthy', 'traffic']);
  assert.match(health().cause, /it answers, but 2 health checks in a row failed: It answered \/up with 503\./);
  checked({ streak: 3 });
  finish(0);
  watch.look();
  assert.deepEqual([health().state, health().source, health().check?.failure], ['failing', 'check', found.cause]);
  assert.deepEqual(health().problem, { source: 'check', ...found, consecutive_failures: 3 });
  assert.deepEqual([watch.events()[0]!.to, watch.events()[0]!.source], ['failing', 'check']);
  const now = checked({ streak: 0 });
  checked({ okTimes: [now], lastOkMs: now });
  watch.look();
  assert.deepEqual([health().state, health().source, health().last_ok_at], ['healthy', 'check', new Date(now).toISOString()]);
  assert.deepEqual(flips(), ['failing healthy', 'healthy failing', 'unknown healthy']);
});

test('three good checks after the last failed request take that back, fewer do not: an upstream between the two goes not back and forth', () => {
  const { finish, health, checked } = rig();
  for (let at = 0; at < 3; at++) finish(0, refused);
  const ok: number[] = [];
  for (let at = 0; at < 3; at++) {
    assert.deepEqual([health().state, health().source], ['failing', 'traffic'], `after ${at} good checks`);
    ok.push(checked({}));
    checked({ okTimes: [...ok], lastOkMs: ok.at(-1)! });
  }
  assert.deepEqual([health().state, health().source], ['healthy', 'check']);
  finish(0, refused);
  assert.equal(health().state, 'failing');
});

test('a check alone tells that an upstream without traffic is well', () => {
  const { health, checked } = rig();
  checked({});
  assert.deepEqual([health().state, health().source], ['unknown', null]);
  const now = checked({});
  checked({ okTimes: [now], lastOkMs: now, status: 204, tookMs: 3, done: 1 });
  assert.deepEqual([health().state, health().source, health().check?.status], ['healthy', 'check', 204]);
});
