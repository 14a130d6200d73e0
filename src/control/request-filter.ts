import type { RecordedRequest } from '../model/finished-request.ts';
import { isOwnRequest } from './recorded-request.ts';

/** Which finished requests are asked for. What is not given lets everything through; ids are ids, not names. */
export interface RequestFilter {
  /** `404`, `5xx`, or `none` for those that ended without a response. */
  readonly status?: string;
  readonly outcome?: string;
  readonly code?: string;
  readonly failed?: boolean;
  readonly method?: string;
  readonly host?: string;
  /** What the path begins with. */
  readonly path?: string;
  readonly routeId?: string;
  readonly upstreamId?: string;
  /** `anonymous` for requests without an API key. */
  readonly keyId?: string;
  /** Only those that began at this time or later, in milliseconds since the epoch. */
  readonly since?: number;
  /** Also those that the gateway answered on its own paths. */
  readonly own?: boolean;
}

/** Makes the filter into a function, so that what is not asked for is not looked at. */
export function requestMatcher(filter: RequestFilter): (request: RecordedRequest) => boolean {
  const tests: ((request: RecordedRequest) => boolean)[] = [];
  const { status, outcome, code, failed, method, host, path, routeId, upstreamId, keyId, since } = filter;
  if (filter.own !== true) tests.push((request) => !isOwnRequest(request));
  if (status !== undefined) tests.push(statusTest(status));
  if (outcome !== undefined) tests.push((request) => request.outcome === outcome);
  if (code !== undefined) tests.push((request) => request.code === code);
  if (failed !== undefined) tests.push((request) => request.failed === failed);
  if (method !== undefined) tests.push((request) => request.method === method);
  if (host !== undefined) tests.push((request) => request.host === host.toLowerCase());
  if (path !== undefined) tests.push((request) => request.path.startsWith(path));
  if (routeId !== undefined) tests.push((request) => request.route_id === routeId);
  if (upstreamId !== undefined) tests.push((request) => request.upstream_id === upstreamId);
  if (keyId !== undefined) tests.push((request) => request.key_id === (keyId === 'anonymous' ? null : keyId));
  if (since !== undefined) tests.push((request) => Date.parse(request.time) >= since);
  return (request) => tests.every((test) => test(request));
}

function statusTest(status: string): (request: RecordedRequest) => boolean {
  if (status === 'none') return (request) => request.status === null;
  if (!status.endsWith('xx')) return (request) => request.status === Number(status);
  const first = Number(status[0]);
  return (request) => request.status !== null && Math.floor(request.status / 100) === first;
}
