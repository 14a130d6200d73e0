import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readExposition, sampleValue } from '../../test/support/exposition.ts';
import { maxUpstreamLabels, metricsText, type ProcessMetrics, type UpstreamMetrics } from './metrics-text.ts';
import type { UpstreamTotals } from './upstream-counters.ts';
import { createSharedCounters, openSharedCounters, readSharedCounters } from './shared-counters.ts';

const process: ProcessMetrics = {
  cpuSeconds: 1.5,
  residentBytes: 1024,
  heapUsedBytes: 512,
  openFiles: 20,
  maxFiles: 1024,
  eventLoopLag: { p50: 0, p99: 0.001, max: 0.0025 },
};

const totals: UpstreamTotals = {
  requests: 12,
  answered: 5,
  serverErrors: 2,
  failures: { connect: 3, timeout: 1, reset: 0, protocol: 0 },
  overloaded: 1,
  abandoned: 2,
  streak: 0,
  latencySumMs: 1500,
  bytesIn: 1,
  bytesOut: 2,
  lastOkMs: 1,
  lastFailureMs: 0,
  lastUsedMs: 0,
  lastFailureCode: null,
};

function upstream(fields: Partial<UpstreamMetrics> = {}): UpstreamMetrics {
  return { name: 'a', idle: 1, active: 2, totals, check: null, healthy: true, ...fields };
}

function render(upstreams: UpstreamMetrics[] = []): string {
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
    process,
  });
}

test('every line is a comment or a sample of a family declared before it', () => {
  const families = readExposition(render([upstream(), upstream({ name: 'b', healthy: null })]));
  assert.ok(families.size > 25);
  assert.equal(families.get('apigate_upstream_healthy')?.samples.length, 1, 'what is not known has no sample');
});

test("what is told of upstreams is bounded: the first thousand by name, the others' sum as _other", () => {
  const many = Array.from({ length: maxUpstreamLabels + 3 }, (_, at) => upstream({ name: at === 2 ? '_other' : `up-${at}` }));
  const families = readExposition(render(many));
  const connections = families.get('apigate_upstream_connections')!;
  assert.equal(new Set(connections.samples.map(({ labels }) => labels['upstream'])).size, maxUpstreamLabels + 1);
  assert.equal(sampleValue(families, 'apigate_upstream_connections', { upstream: '_other', state: 'active' }), 3 * 2);
  assert.equal(sampleValue(families, 'apigate_upstream_requests_total', { upstream: '_other', result: 'connect' }), 3 * 3);
  assert.equal(sampleValue(families, 'apigate_upstream_response_seconds_sum', { upstream: '_other' }), 3 * 1.5);
  assert.equal(sampleValue(families, 'apigate_upstream_requests_total', { upstream: `up-${maxUpstreamLabels}`, result: 'answered' }), 5);
});

test('figures are those counted; buckets are cumulative and end in +Inf', () => {
  const text = render();
  assert.match(text, /^apigate_requests_total\{status_class="2xx"\} 2$/m);
  assert.match(text, /^apigate_responses_total\{status="404"\} 1$/m);
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
  const text = render([upstream({ name: 'a"} 1\nevil{x="\\', idle: 3, active: 4 })]);
  assert.ok(text.includes('apigate_upstream_connections{upstream="a\\"} 1\\nevil{x=\\"\\\\",state="idle"} 3'));
  assert.doesNotMatch(text, /^evil/m);
});
