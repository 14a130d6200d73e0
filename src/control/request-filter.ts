import type { RecordedRequest } from '../model/finished-request.ts';
import { isOwnRequest, parseRecordedRequest } from './recorded-request.ts';

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

/**
 * The same for what a worker wrote about a request, as text. It is parsed only where it may be one of those that are asked for:
 * whoever follows the few that fail must not cost as much as who follows all.
 */
export function lineMatcher(filter: RequestFilter): (line: string) => boolean {
  const { own, ...rest } = filter;
  const isOwn = (line: string): boolean => line.includes('"route":""') && !line.includes(',"code":"');
  if (Object.keys(rest).length === 0) return own === true ? () => true : (line) => !isOwn(line);
  const parts = partsOf(rest);
  const matches = requestMatcher(filter);
  const { failed } = rest;
  return (line) => {
    for (const part of parts) if (!line.includes(part)) return false;
    if (failed === true && line.startsWith('{"level":"info"') && !line.includes('"status":5')) return false;
    return matches(parseRecordedRequest(line));
  };
}

/** What stands in every line that matches. Quotes in texts are escaped in a line, so that none of these is a part of one. */
function partsOf({ status, outcome, code, method, host, path, routeId, upstreamId, keyId }: RequestFilter): string[] {
  const parts: string[] = [];
  if (status !== undefined) parts.push(`"status":${status === 'none' ? '0,' : status.endsWith('xx') ? status[0]! : `${status},`}`);
  const texts = { outcome, code, method, host: host?.toLowerCase(), route: routeId, upstream: upstreamId, key: keyId };
  for (const [field, text] of Object.entries(texts)) if (text !== undefined && isPlain(text)) parts.push(`"${field}":"${text}"`);
  if (path !== undefined && isPlain(path)) parts.push(`"path":"${path}`);
  return parts;
}

/** Whether a text stands in a line as it is. */
function isPlain(text: string): boolean {
  return /^[\w\-./:*~!$&'()+,;=@%#^`|]*$/.test(text);
}

function statusTest(status: string): (request: RecordedRequest) => boolean {
  if (status === 'none') return (request) => request.status === null;
  if (!status.endsWith('xx')) return (request) => request.status === Number(status);
  const first = Number(status[0]);
  return (request) => request.status !== null && Math.floor(request.status / 100) === first;
}
