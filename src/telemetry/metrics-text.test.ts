import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricsText } from './metrics-text.ts';
import { createSharedCounters, openSharedCounters, readSharedCounters } from './shared-counters.ts';

function render(upstreams: { name: string; idle: number; active: number }[] = []): string {
  const shared = createSharedCounters({ workers: 1 });
  const counters = openSharedCounters(shared, 0);
  for (const [status, ms] of [
    [200, 1],
    [200, 20],
    [404, 1e6],
  ] as const) {
    counters.requestStarted();
    counters.requestFinished(status, status === 404 ? 'route_not_found' : null, ms, 5, 7);
  }
  return metricsText({
    counters: readSharedCounters(shared),
    version: '1.2.3',
    nodeVersion: 'v24',
    workers: 1,
    revision: 42,
    startedAtMs: 1_700_000_000_500,
    upstreams,
    process: { cpuSeconds: 1.5, residentBytes: 1024 },
  });
}

test('every line is a comment or a sample of a family declared before it', () => {
  const declared = new Set<string>();
  for (const line of render([{ name: 'a', idle: 1, active: 2 }])
    .trimEnd()
    .split('\n')) {
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (type) declared.add(type[1]!);
    else if (!/^# HELP \S+ .+$/.test(line)) {
      const sample = /^([a-z_]+)(\{([a-z_]+="(\\.|[^"\\])*",?)+\})? -?[0-9.e+]+$/.exec(line);
      assert.ok(sample, line);
      assert.ok(declared.has(sample[1]!.replace(/_(bucket|sum|count)$/, '')) || declared.has(sample[1]!), line);
    }
  }
});

test('figures are those counted; buckets are cumulative and end in +Inf', () => {
  const text = render();
  assert.match(text, /^apigate_requests_total\{status_class="2xx"\} 2$/m);
  assert.match(text, /^apigate_errors_total\{code="route_not_found"\} 1$/m);
  assert.doesNotMatch(text, /code="upstream_reset"/);
  assert.match(text, /^apigate_request_duration_seconds_bucket\{le="0.001"\} 1$/m);
  assert.match(text, /^apigate_request_duration_seconds_bucket\{le="0.025"\} 2$/m);
  assert.match(text, /^apigate_request_duration_seconds_bucket\{le="100"\} 2$/m);
  assert.match(text, /^apigate_request_duration_seconds_bucket\{le="\+Inf"\} 3$/m);
  assert.match(text, /^apigate_request_duration_seconds_count 3$/m);
  assert.match(text, /^apigate_request_duration_seconds_sum 1000.021$/m);
  assert.match(text, /^apigate_gateway_config_revision 42$/m);
  assert.match(text, /^apigate_received_bytes_total 15$/m);
});

test("an upstream's name cannot break out of its label", () => {
  const text = render([{ name: 'a"} 1\nevil{x="\\', idle: 3, active: 4 }]);
  assert.ok(text.includes('apigate_upstream_connections{upstream="a\\"} 1\\nevil{x=\\"\\\\",state="idle"} 3'));
  assert.doesNotMatch(text, /^evil/m);
});
