import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { UpstreamConfig } from '../model/gateway-config.ts';
import type { UpstreamId } from '../model/ids.ts';
import { upstreamDefaults } from '../model/upstream.ts';
import { upstreamProblems } from '../model/upstream-problems.ts';
import type { ProbeResult, UpstreamTestRequest } from '../model/upstream-test.ts';
import { eventually } from '../../test/support/eventually.ts';
import { HealthChecks, type HealthChecksOptions } from './health-checks.ts';

const open: HealthChecks[] = [];
afterEach(() => {
  for (const checks of open.splice(0)) checks.stop();
});

function upstream(number: number, fields: Partial<UpstreamConfig> = {}): UpstreamConfig {
  return {
    ...upstreamDefaults,
    id: `up_${String(number).padStart(16, '0')}`,
    name: `u${number}`,
    base_url: 'http://127.0.0.1:1',
    credential: { kind: 'none' },
    health_check_path: '/up',
    health_check_interval_ms: 1_000,
    ...fields,
  };
}

interface Asked {
  readonly config: UpstreamConfig;
  readonly request: UpstreamTestRequest;
  readonly answer: (status: number | null, cause?: string) => void;
  readonly fail: (error: Error) => void;
}

/** Checks whose probes the test answers. Waits are as short as they can be. */
function rig(options: Partial<HealthChecksOptions> = {}) {
  const asked: Asked[] = [];
  const logged: string[] = [];
  const log = (_fields: object, message: string): void => void logged.push(message);
  const checks = new HealthChecks({
    probe: (config, request) =>
      new Promise<ProbeResult>((resolve, reject) =>
        asked.push({
          config,
          request,
          answer: (status, cause = 'connection refused') => resolve(resultOf(status, cause)),
          fail: reject,
        }),
      ),
    logger: { info: log, warn: log, error: log },
    random: () => 0,
    ...options,
  });
  open.push(checks);
  return { checks, asked, logged, come: (count: number) => eventually(() => asked.length >= count, `check ${count}`, 5_000) };
}

function resultOf(status: number | null, cause: string): ProbeResult {
  return {
    answers: status !== null,
    request: { method: 'GET', url: 'http://127.0.0.1:1/up' },
    address: null,
    steps: [],
    certificate: null,
    answer: status === null ? null : { status, reason: '', server: null, content_type: null, location: null, body_start: null },
    problem: status === null ? { kind: 'connection_refused', code: null, title: 'Connection refused', cause, next: [] } : null,
    notes: [],
    total_ms: 2,
    curl: null,
  };
}

const id: UpstreamId = upstream(1).id;

const whole = (upstreams: readonly UpstreamConfig[]) => ({ full: true, upstreams, removed: [] });

test('an upstream that wants it is asked soon and again after its interval, never twice at once', async () => {
  const { checks, asked, come } = rig();
  checks.follow(whole([upstream(1), upstream(2, { health_check_path: null }), upstream(3, { enabled: false })]));
  await come(1);
  assert.deepEqual(asked[0]!.request, { method: 'GET', path: '/up', waitMs: 5_000, purpose: 'health check' });
  assert.equal(checks.of(upstream(2).id), null);
  // Longer than the interval: the next waits for the end of this one.
  const begun = performance.now();
  await eventually(() => performance.now() - begun > 1_200, 'more than the interval', 5_000);
  assert.equal(asked.length, 1);
  asked[0]!.answer(204);
  await come(2);
  assert.deepEqual([checks.of(id)!.streak, checks.of(id)!.status, checks.of(id)!.done, checks.of(id)!.okTimes.length], [0, 204, 1, 1]);
  asked[1]!.answer(503);
  await come(3);
  assert.deepEqual([checks.of(id)!.streak, checks.of(id)!.failed, checks.of(id)!.okTimes.length], [1, 1, 0]);
  assert.deepEqual(checks.of(id)!.problem, {
    code: null,
    title: 'Unexpected status',
    cause: 'It answered /up with 503, which is not among 200-399.',
    next: upstreamProblems.unexpected_status.next,
  });
  asked[2]!.answer(null);
  await come(4);
  assert.deepEqual([checks.of(id)!.streak, checks.of(id)!.status, checks.of(id)!.problem?.cause], [2, null, 'connection refused']);
});

test('what is switched off, disabled or deleted is not asked any more, and what was under way counts for nothing', async () => {
  for (const left of [[], [upstream(1, { health_check_path: null })], [upstream(1, { enabled: false })]]) {
    const { checks, asked, come } = rig();
    checks.follow(whole([upstream(1)]));
    await come(1);
    checks.follow(whole(left));
    assert.equal(checks.of(id), null);
    asked[0]!.answer(200);
    checks.follow(whole(left));
    await new Promise(setImmediate);
    assert.equal(checks.of(id), null);
    // Back again: another beginning.
    checks.follow(whole([upstream(1)]));
    await come(2);
    assert.equal(checks.of(id)!.done, 0);
  }
});

test('another question begins anew, and the answer to the one before is not taken for its answer; a new credential keeps what was found', async () => {
  const { checks, asked, come } = rig();
  checks.follow(whole([upstream(1)]));
  await come(1);
  checks.follow(whole([upstream(1, { base_url: 'http://127.0.0.1:2' })]));
  asked[0]!.answer(500);
  await come(2);
  assert.equal(checks.of(id)!.done, 0);
  assert.equal(asked[1]!.config.base_url, 'http://127.0.0.1:2');
  asked[1]!.answer(500);
  await eventually(() => checks.of(id)!.done === 1, 'its answer');
  const rotated = upstream(1, { base_url: 'http://127.0.0.1:2', auth_type: 'bearer', credential: { kind: 'value', value: 'new' } });
  checks.follow(whole([rotated]));
  await come(3);
  assert.deepEqual([checks.of(id)!.streak, asked[2]!.config.credential], [1, { kind: 'value', value: 'new' }]);
  // Nothing about it has changed: the one under way goes on.
  checks.follow(whole([structuredClone(rotated)]));
  asked[2]!.answer(200);
  await eventually(() => checks.of(id)!.streak === 0, 'its answer');
});

test('only so many are under way at once, the others come after them, and one that was removed meanwhile does not', async () => {
  const { checks, asked, come } = rig({ maxAtOnce: 2 });
  const all = Array.from({ length: 5 }, (_, number) => upstream(number, { health_check_interval_ms: 3_600_000 }));
  checks.follow(whole(all));
  await come(2);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(asked.length, 2);
  checks.follow(whole(all.filter(({ name }) => name !== 'u3')));
  for (let done = 0; done < 4; done++) {
    await come(Math.min(4, done + 2));
    asked[done]!.answer(200);
  }
  await eventually(() => all.every(({ id, name }) => name === 'u3' || checks.of(id)!.done === 1), 'all others', 5_000);
  assert.equal(asked.length, 4);
});

test('a change says what is new in it and what is gone; the rest goes on', async () => {
  const { checks, asked, come } = rig();
  checks.follow(whole([upstream(1), upstream(2), upstream(3)]));
  await come(3);
  for (const { answer } of asked) answer(200);
  await eventually(() => [1, 2, 3].every((number) => checks.of(upstream(number).id)!.done === 1), 'all answers');
  checks.follow({ full: false, upstreams: [upstream(4), upstream(2, { enabled: false })], removed: [upstream(3).id] });
  assert.deepEqual(
    [1, 2, 3, 4].map((number) => checks.of(upstream(number).id)?.done),
    [1, undefined, undefined, 0],
  );
});

test('a defect of the checker says nothing of the upstream, and is told', async () => {
  const { checks, asked, logged, come } = rig();
  checks.follow(whole([upstream(1)]));
  await come(1);
  asked[0]!.fail(new Error('the thread ended'));
  await come(2);
  assert.deepEqual([checks.of(id)!.done, logged], [0, ['a health check could not be made']]);
});
