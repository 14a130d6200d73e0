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
  readonly frames_in?: number;
  readonly frames_out?: number;
  readonly events?: number;
  readonly phase?: FinishedRequest['phase'];
  readonly reason?: string;
  readonly code?: ErrorCode;
}

/** Reads what a worker wrote about a finished request. */
export function readRecordedRequest(bytes: Buffer): RecordedRequest {
  return parseRecordedRequest(bytes.latin1Slice());
}

/** The same, of a line as text. */
export function parseRecordedRequest(text: string): RecordedRequest {
  const line = JSON.parse(text) as Line;
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
    frames_in: line.frames_in ?? null,
    frames_out: line.frames_out ?? null,
    events: line.events ?? null,
  };
}

/**
 * Requests as the admin API shows them, each as JSON. Most requests went well, and what was written about one of these is put into
 * its new form without being parsed: whoever follows all requests of a busy gateway has this done thousands of times a second.
 * `nameText` gives the name that belongs to an id, as JSON.
 */
export function finishedRequestTexts(lines: readonly string[], nameText: (id: string) => string): string[] {
  // Requests repeat one another: what comes of a route, its upstream and a key is made once.
  const middles = new Map<string, string>();
  return lines.map((line) => plainRequestText(line, nameText, middles) ?? anyRequestText(line, nameText));
}

const plainStart = '{"level":"info","time":"';
const timeEnd = plainStart.length + 24;
const idMark = '","msg":"request","request_id":"';
const idStart = timeEnd + idMark.length;
const statusMark = '","status":';
const routeMark = ',"route":"';
const remoteMark = '","remote":"';
const attemptsMark = ',"attempts":';

// undefined for what is not plain: errors, streams, requests that ended without a response. Texts in a line have their quotes
// escaped, so that a mark can be no part of one.
function plainRequestText(line: string, nameText: (id: string) => string, middles: Map<string, string>): string | undefined {
  if (!line.startsWith(plainStart) || !line.startsWith(idMark, timeEnd)) return undefined;
  const idEnd = line.indexOf('"', idStart);
  const status = line.indexOf(statusMark, idEnd);
  const route = line.indexOf(routeMark, status);
  const remote = line.indexOf(remoteMark, route);
  const attempts = line.indexOf(attemptsMark, remote);
  const statusClass = line.charCodeAt(status + statusMark.length) - 0x30;
  // Behind the number of attempts stands what is not plain. An id that a proxy gave may hold what is escaped.
  if (idEnd < 0 || status < 0 || route < 0 || remote < 0 || attempts < 0 || statusClass < 1 || statusClass > 4) return undefined;
  if (line.length - attempts - attemptsMark.length > 4 || line.charCodeAt(idEnd - 1) === 0x5c) return undefined;
  const references = line.slice(route, remote);
  let middle = middles.get(references);
  if (middle === undefined) middles.set(references, (middle = middleText(references, nameText)));
  // The address, bytes and attempts stand as they are to be, to the end.
  return `{"time":"${line.slice(plainStart.length, timeEnd)}","id":"${line.slice(idStart, idEnd)}${line.slice(idEnd, route)}${middle}${line.slice(remote + remoteMark.length)}`;
}

/** Of a plain request, what stands before its client's address. */
function middleText(references: string, nameText: (id: string) => string): string {
  const [, route = '', upstream = '', key = ''] = /^,"route":"([^"]*)","upstream":"([^"]*)","key":"([^"]*)$/.exec(references) ?? [];
  const nothing = {
    failed: false,
    code: null,
    fault: null,
    phase: null,
    reason: null,
    hint: null,
    frames_in: null,
    frames_out: null,
    events: null,
  };
  const told = reference('route', route, nameText) + reference('upstream', upstream, nameText) + reference('key', key, nameText);
  return `,${JSON.stringify(nothing).slice(1, -1)}${told},"client_address":"`;
}

function reference(what: string, id: string, nameText: (id: string) => string): string {
  return id === '' || id === 'anonymous' ? `,"${what}_id":null,"${what}":null` : `,"${what}_id":"${id}","${what}":${nameText(id)}`;
}

function anyRequestText(line: string, nameText: (id: string) => string): string {
  const request = parseRecordedRequest(line);
  const name = (id: string | null): string => (id === null ? 'null' : nameText(id));
  const names = `"route":${name(request.route_id)},"upstream":${name(request.upstream_id)},"key":${name(request.key_id)}`;
  return `${JSON.stringify(request).slice(0, -1)},${names}}`;
}

/** Whether the gateway answered it itself, on one of its own paths: `/admin`, `/metrics`, a probe. */
export function isOwnRequest(request: RecordedRequest): boolean {
  return request.route_id === null && request.code === null;
}
