import { durationBucketsMs, type CounterTotals } from './shared-counters.ts';
import { failureClasses, type UpstreamTotals } from './upstream-counters.ts';

export const metricsMediaType = 'text/plain; version=0.0.4; charset=utf-8';

export interface MetricsInput {
  readonly counters: CounterTotals;
  readonly version: string;
  readonly nodeVersion: string;
  readonly workers: number;
  /** Of the gateway config that is live. */
  readonly revision: number;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly upstreams: readonly UpstreamMetrics[];
  readonly process: ProcessMetrics;
}

export interface UpstreamMetrics {
  readonly name: string;
  /** Connections. */
  readonly idle: number;
  readonly active: number;
  readonly totals: UpstreamTotals;
  /** Health checks; null where there are none. */
  readonly check: { readonly done: number; readonly failed: number } | null;
  /** null while nothing has told, and where it is disabled. */
  readonly healthy: boolean | null;
}

export interface ProcessMetrics {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  /** null where the system does not say. */
  readonly openFiles: number | null;
  readonly maxFiles: number | null;
  /** How late the main thread's event loop was since the last reading, in seconds. */
  readonly eventLoopLag: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** This many upstreams have samples of their own, the ones that were made first; the others are summed up as `_other`. */
export const maxUpstreamLabels = 1_000;

/** All metrics in the Prometheus text format, version 0.0.4. Labels are bounded: codes, statuses, names of upstreams. */
export function metricsText(input: MetricsInput): string {
  const out: string[] = [];
  family(out, 'apigate_build_info', 'gauge', 'Constant 1, with the versions as labels.');
  sample(out, 'apigate_build_info', { version: input.version, node: input.nodeVersion }, 1);
  single(out, 'apigate_workers', 'gauge', 'Worker threads of the data plane.', input.workers);
  single(out, 'apigate_gateway_config_revision', 'gauge', 'Revision of the gateway config that is live.', input.revision);
  requests(out, input.counters);
  upstreams(out, boundedUpstreams(input.upstreams));
  processMetrics(out, input.process, input.startedAtMs);
  return `${out.join('\n')}\n`;
}

function requests(out: string[], counters: CounterTotals): void {
  family(out, 'apigate_requests_total', 'counter', 'Finished requests by status class; "none" ended without a response.');
  for (const [i, count] of counters.byStatusClass.entries()) {
    sample(out, 'apigate_requests_total', { status_class: i === 0 ? 'none' : `${i}xx` }, count);
  }
  family(out, 'apigate_responses_total', 'counter', 'Finished requests that had a response, by its status.');
  for (const [i, count] of counters.byStatus.entries()) {
    if (count > 0) sample(out, 'apigate_responses_total', { status: String(100 + i) }, count);
  }
  single(out, 'apigate_requests_started_total', 'counter', 'Requests whose head has arrived, finished or not.', counters.requests);
  single(out, 'apigate_requests_in_flight', 'gauge', 'Requests being handled.', counters.requestsInFlight);
  family(out, 'apigate_errors_total', 'counter', 'Errors that the gateway itself answered with, by code.');
  for (const [code, count] of counters.byErrorCode) {
    if (count > 0) sample(out, 'apigate_errors_total', { code }, count);
  }
  durations(out, counters);
  single(out, 'apigate_received_bytes_total', 'counter', 'Bytes of request bodies received from clients.', counters.bytesIn);
  single(out, 'apigate_sent_bytes_total', 'counter', 'Bytes of response bodies sent to clients.', counters.bytesOut);
  single(out, 'apigate_client_connections', 'gauge', 'Open client connections.', counters.clientConnections);
  single(out, 'apigate_upstream_connects_total', 'counter', 'Connections opened to upstreams.', counters.upstreamConnects);
  tunnelsAndStreams(out, counters);
  single(
    out,
    'apigate_upstream_retries_total',
    'counter',
    'Requests repeated because a reused connection had gone stale.',
    counters.retries,
  );
  single(out, 'apigate_log_lines_dropped_total', 'counter', 'Log lines dropped because their sink stalled.', counters.logLinesDropped);
  single(
    out,
    'apigate_request_records_dropped_total',
    'counter',
    'Finished requests that lists and streams of requests miss, because the main thread did not keep up.',
    counters.recordsDropped,
  );
}

function tunnelsAndStreams(out: string[], counters: CounterTotals): void {
  single(out, 'apigate_websocket_tunnels', 'gauge', 'Open WebSockets.', counters.tunnelsOpen);
  family(out, 'apigate_websocket_frames_total', 'counter', 'WebSocket frames received from clients and sent to them.');
  sample(out, 'apigate_websocket_frames_total', { direction: 'received' }, counters.framesReceived);
  sample(out, 'apigate_websocket_frames_total', { direction: 'sent' }, counters.framesSent);
  family(out, 'apigate_websocket_bytes_total', 'counter', 'Bytes of WebSockets received from clients and sent to them, as they pass.');
  sample(out, 'apigate_websocket_bytes_total', { direction: 'received' }, counters.tunnelBytesReceived);
  sample(out, 'apigate_websocket_bytes_total', { direction: 'sent' }, counters.tunnelBytesSent);
  const streams = 'server-sent events, and responses on routes of protocol sse and http_stream';
  single(out, 'apigate_streams', 'gauge', `Open streams: ${streams}.`, counters.streamsOpen);
  single(out, 'apigate_stream_sent_bytes_total', 'counter', 'Bytes of streams sent to clients, as they pass.', counters.streamBytesSent);
  single(out, 'apigate_sse_events_total', 'counter', 'Server-sent events sent to clients.', counters.eventsSent);
}

function durations(out: string[], counters: CounterTotals): void {
  const name = 'apigate_request_duration_seconds';
  family(out, name, 'histogram', "Time from a request's first byte to its end.");
  let cumulative = 0;
  for (const [i, count] of counters.durationBuckets.entries()) {
    cumulative += count;
    const bound = durationBucketsMs[i];
    sample(out, `${name}_bucket`, { le: bound === undefined ? '+Inf' : String(bound / 1000) }, cumulative);
  }
  out.push(`${name}_sum ${counters.durationSumMs / 1000}`, `${name}_count ${cumulative}`);
}

type Of = (upstream: UpstreamMetrics) => number;

function upstreams(out: string[], all: readonly UpstreamMetrics[]): void {
  const each = (
    name: string,
    type: 'counter' | 'gauge',
    help: string,
    samples: readonly (readonly [Readonly<Record<string, string>>, Of])[],
  ): void => {
    family(out, name, type, help);
    for (const upstream of all) for (const [labels, of] of samples) sample(out, name, { upstream: upstream.name, ...labels }, of(upstream));
  };
  each('apigate_upstream_connections', 'gauge', 'Connections to each upstream, over all workers.', [
    [{ state: 'idle' }, ({ idle }) => idle],
    [{ state: 'active' }, ({ active }) => active],
  ]);
  each('apigate_upstream_requests_total', 'counter', 'Requests for each upstream that have ended, by what became of them.', [
    [{ result: 'answered' }, ({ totals }) => totals.answered],
    ...failureClasses.map((kind) => [{ result: kind }, ({ totals }: UpstreamMetrics) => totals.failures[kind]] as const),
    [{ result: 'overloaded' }, ({ totals }) => totals.overloaded],
    [{ result: 'abandoned' }, ({ totals }) => totals.abandoned],
  ]);
  each('apigate_upstream_server_errors_total', 'counter', 'Requests that each upstream answered with 5xx.', [
    [{}, ({ totals }) => totals.serverErrors],
  ]);
  family(out, 'apigate_upstream_checks_total', 'counter', 'Health checks of the upstreams that have them, by what was found.');
  for (const { name, check } of all) {
    if (check === null) continue;
    sample(out, 'apigate_upstream_checks_total', { upstream: name, result: 'ok' }, check.done - check.failed);
    sample(out, 'apigate_upstream_checks_total', { upstream: name, result: 'failed' }, check.failed);
  }
  const seconds = 'apigate_upstream_response_seconds';
  family(out, seconds, 'summary', "Time from a request sent to the head of the upstream's response.");
  for (const { name, totals } of all) {
    sample(out, `${seconds}_sum`, { upstream: name }, totals.latencySumMs / 1000);
    sample(out, `${seconds}_count`, { upstream: name }, totals.answered);
  }
  family(out, 'apigate_upstream_healthy', 'gauge', '1 where an upstream answers, 0 where it is failing; left out while that is not known.');
  for (const { name, healthy } of all) if (healthy !== null) sample(out, 'apigate_upstream_healthy', { upstream: name }, Number(healthy));
}

function processMetrics(out: string[], of: ProcessMetrics, startedAtMs: number): void {
  single(out, 'process_start_time_seconds', 'gauge', 'Start of the process in seconds since the epoch.', startedAtMs / 1000);
  single(out, 'process_cpu_seconds_total', 'counter', 'User and system CPU time of the process.', of.cpuSeconds);
  single(out, 'process_resident_memory_bytes', 'gauge', 'Resident memory of the process.', of.residentBytes);
  if (of.openFiles !== null) single(out, 'process_open_fds', 'gauge', 'Open file descriptors.', of.openFiles);
  if (of.maxFiles !== null) single(out, 'process_max_fds', 'gauge', 'Most file descriptors that may be open.', of.maxFiles);
  single(
    out,
    'nodejs_heap_size_used_bytes',
    'gauge',
    "JavaScript memory in use in the main thread; workers' is not in it.",
    of.heapUsedBytes,
  );
  const lag = "How late the main thread's event loop was since the last reading: it serves management, not traffic.";
  single(out, 'nodejs_eventloop_lag_p50_seconds', 'gauge', `Median. ${lag}`, of.eventLoopLag.p50);
  single(out, 'nodejs_eventloop_lag_p99_seconds', 'gauge', `99th percentile. ${lag}`, of.eventLoopLag.p99);
  single(out, 'nodejs_eventloop_lag_max_seconds', 'gauge', `Longest. ${lag}`, of.eventLoopLag.max);
}

const otherName = '_other';

function boundedUpstreams(all: readonly UpstreamMetrics[]): readonly UpstreamMetrics[] {
  // One that really has that name is among the others, too: no two samples may have the same labels.
  const named = all.filter(({ name }) => name !== otherName).slice(0, maxUpstreamLabels);
  if (named.length === all.length) return named;
  const kept = new Set(named);
  return [
    ...named,
    all
      .filter((each) => !kept.has(each))
      .reduce(sumOf, { name: otherName, idle: 0, active: 0, totals: noTotals, check: null, healthy: null }),
  ];
}

const noTotals: UpstreamTotals = {
  requests: 0,
  answered: 0,
  serverErrors: 0,
  failures: { connect: 0, timeout: 0, reset: 0, protocol: 0 },
  overloaded: 0,
  abandoned: 0,
  streak: 0,
  latencySumMs: 0,
  bytesIn: 0,
  bytesOut: 0,
  lastOkMs: 0,
  lastFailureMs: 0,
  lastUsedMs: 0,
  lastFailureCode: null,
};

function sumOf(sum: UpstreamMetrics, one: UpstreamMetrics): UpstreamMetrics {
  const [a, b] = [sum.totals, one.totals];
  return {
    ...sum,
    check:
      sum.check === null || one.check === null
        ? (sum.check ?? one.check)
        : { done: sum.check.done + one.check.done, failed: sum.check.failed + one.check.failed },
    idle: sum.idle + one.idle,
    active: sum.active + one.active,
    totals: {
      ...a,
      answered: a.answered + b.answered,
      serverErrors: a.serverErrors + b.serverErrors,
      failures: {
        connect: a.failures.connect + b.failures.connect,
        timeout: a.failures.timeout + b.failures.timeout,
        reset: a.failures.reset + b.failures.reset,
        protocol: a.failures.protocol + b.failures.protocol,
      },
      overloaded: a.overloaded + b.overloaded,
      abandoned: a.abandoned + b.abandoned,
      latencySumMs: a.latencySumMs + b.latencySumMs,
    },
  };
}

function family(out: string[], name: string, type: 'counter' | 'gauge' | 'histogram' | 'summary', help: string): void {
  out.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
}

function single(out: string[], name: string, type: 'counter' | 'gauge', help: string, value: number): void {
  family(out, name, type, help);
  out.push(`${name} ${value}`);
}

function sample(out: string[], name: string, labels: Readonly<Record<string, string>>, value: number): void {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  out.push(`${name}{${pairs.join(',')}} ${value}`);
}

function escapeLabel(text: string): string {
  return text.replaceAll(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
