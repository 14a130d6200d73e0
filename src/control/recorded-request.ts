import { errorCatalogue, type ErrorCode } from '../errors/catalogue.ts';
import type { FinishedRequest, RecordedRequest } from '../model/finished-request.ts';

/** What a line that a worker wrote about a finished request holds; `hint` and `level` are left aside. */
interface Line {
  readonly time: string;
  readonly request_id: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly status: number;
  readonly outcome: FinishedRequest['outcome'];
  readonly duration_ms: number;
  readonly upstream_ms: number;
  readonly route: string;
  readonly upstream: string;
  readonly key: string;
  readonly remote: string;
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly attempts: number;
  readonly phase?: FinishedRequest['phase'];
  readonly reason?: string;
  readonly code?: ErrorCode;
}

/** Reads what a worker wrote about a finished request. */
export function readRecordedRequest(bytes: Buffer): RecordedRequest {
  const line = JSON.parse(bytes.latin1Slice()) as Line;
  const error = line.code === undefined ? undefined : errorCatalogue[line.code];
  return {
    id: line.request_id,
    time: line.time,
    method: line.method,
    host: line.host,
    path: line.path,
    status: line.status === 0 ? null : line.status,
    outcome: line.outcome,
    failed: error === undefined ? line.status >= 500 : error.fault !== 'client',
    code: line.code ?? null,
    fault: error?.fault ?? null,
    phase: line.phase ?? null,
    reason: line.reason ?? null,
    hint: error?.hint ?? null,
    route_id: line.route === '' ? null : line.route,
    upstream_id: line.upstream === '' ? null : line.upstream,
    key_id: line.key === 'anonymous' ? null : line.key,
    client_address: line.remote,
    attempts: line.attempts,
    duration_ms: line.duration_ms,
    upstream_ms: line.upstream_ms,
    bytes_in: line.bytes_in,
    bytes_out: line.bytes_out,
  };
}

/** Whether the gateway answered it itself, on one of its own paths: `/admin`, `/metrics`, a probe. */
export function isOwnRequest(request: RecordedRequest): boolean {
  return request.route_id === null && request.code === null;
}
