import { durationBucketsMs, type CounterTotals } from './shared-counters.ts';

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
  /** Connections per upstream, by the upstream's name. */
  readonly upstreams: Iterable<{ readonly name: string; readonly idle: number; readonly active: number }>;
  readonly process: { readonly cpuSeconds: number; readonly residentBytes: number };
}

/** All metrics in the Prometheus text format, version 0.0.4. Labels are bounded: codes, classes, names of upstreams. */
export function metricsText(input: MetricsInput): string {
  const { counters } = input;
  const out: string[] = [];
  family(out, 'apigate_build_info', 'gauge', 'Constant 1, with the versions as labels.');
  sample(out, 'apigate_build_info', { version: input.version, node: input.nodeVersion }, 1);
  single(out, 'apigate_workers', 'gauge', 'Worker threads of the data plane.', input.workers);
  single(out, 'apigate_gateway_config_revision', 'gauge', 'Revision of the gateway config that is live.', input.revision);

  family(out, 'apigate_requests_total', 'counter', 'Finished requests by status class; "none" ended without a response.');
  for (const [i, count] of counters.byStatusClass.entries()) {
    sample(out, 'apigate_requests_total', { status_class: i === 0 ? 'none' : `${i}xx` }, count);
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

  family(out, 'apigate_upstream_connections', 'gauge', 'Connections to each upstream, over all workers.');
  for (const { name, idle, active } of input.upstreams) {
    sample(out, 'apigate_upstream_connections', { upstream: name, state: 'idle' }, idle);
    sample(out, 'apigate_upstream_connections', { upstream: name, state: 'active' }, active);
  }

  single(out, 'process_start_time_seconds', 'gauge', 'Start of the process in seconds since the epoch.', input.startedAtMs / 1000);
  single(out, 'process_cpu_seconds_total', 'counter', 'User and system CPU time of the process.', input.process.cpuSeconds);
  single(out, 'process_resident_memory_bytes', 'gauge', 'Resident memory of the process.', input.process.residentBytes);
  return `${out.join('\n')}\n`;
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

function family(out: string[], name: string, type: 'counter' | 'gauge' | 'histogram', help: string): void {
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
