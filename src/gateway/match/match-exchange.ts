import type { ErrorCode } from '../../errors/catalogue.ts';
import { kind } from '../../http/known-fields.ts';
import { reservedPaths } from '../../model/route.ts';
import { corsFields } from '../cors-policy.ts';
import type { Exchange } from '../exchange.ts';
import { normalisePath } from '../normalise-path.ts';
import { answerPreflight } from './answer-preflight.ts';

/**
 * Finds where a request goes: one of the gateway's own paths, or the route that wins. Null when it is found (or
 * answered already); else the code of the refusal.
 */
export function matchExchange(exchange: Exchange): ErrorCode | null {
  const { gateway, client } = exchange;
  const { head } = client;
  if (exchange.method === 'CONNECT' || exchange.method === 'TRACE') {
    exchange.responseFields = exchange.gateway.allowField;
    return 'method_not_allowed';
  }
  if (head.isAsterisk) {
    // RFC 9110 section 9.3.7: a question about the server itself.
    exchange.answer(204, '', '', exchange.gateway.allowField);
    return null;
  }
  const path = head.pathIsPlain ? exchange.rawPath || '/' : normalisePath(exchange.rawPath);
  if (path === null) {
    exchange.reason = 'the path holds a dot-segment, a backslash or an encoded control byte';
    return 'request_malformed';
  }
  exchange.path = path;
  if (answerProbe(exchange, path)) return null;
  if (gateway.admin !== null && isReserved(path)) {
    exchange.upstream = gateway.admin;
    return null;
  }
  const snapshot = exchange.snapshot;
  if (snapshot === null) {
    exchange.reason = 'the gateway config is not loaded yet';
    return 'draining';
  }
  if (head.hasVia && cameFromUs(exchange)) return 'loop_detected';
  if (exchange.method === 'OPTIONS' && answerPreflight(exchange)) return null;
  const route = snapshot.routes.match(exchange);
  if (route === null) return noRoute(exchange);
  exchange.route = route;
  if (route.corsPolicy !== null) exchange.responseFields = corsFields(route.corsPolicy, head.fields.valueOfKind(kind.origin));
  const upstream = snapshot.upstreams.get(route.upstream_id);
  if (upstream === undefined) {
    exchange.reason = 'the route leads to an upstream that does not exist';
    return 'internal_error';
  }
  exchange.upstream = upstream;
  return null;
}

// Reserved paths by their second character: one look lets nearly all traffic pass.
const reservedStarts = new Set(reservedPaths.map((path) => path.charCodeAt(1)));

/** Whether the path belongs to the gateway itself: a reserved path or one below it. */
export function isReserved(path: string): boolean {
  if (!reservedStarts.has(path.charCodeAt(1))) return false;
  for (const reserved of reservedPaths) {
    if (path.startsWith(reserved) && (path.length === reserved.length || path.charCodeAt(reserved.length) === 0x2f)) return true;
  }
  return false;
}

// Probes are answered by the worker itself, so that they tell of the thread that serves traffic.
function answerProbe(exchange: Exchange, path: string): boolean {
  if (path === '/healthz') {
    exchange.answer(200, 'application/json', '{"status":"ok"}\n', '');
    return true;
  }
  if (path === '/readyz') {
    const { gateway } = exchange;
    const state = gateway.draining ? 'draining' : gateway.live === null ? 'starting' : 'ready';
    const revision = gateway.live === null ? '' : `,"revision":${gateway.live.revision}`;
    exchange.answer(state === 'ready' ? 200 : 503, 'application/json', `{"status":"${state}"${revision}}\n`, '');
    return true;
  }
  return false;
}

/**
 * While no route takes `/`, the control plane answers it: people are led to the admin UI. Asked for only where a request
 * would fail anyway, and only for what asks for a page: programs are told that no route matches.
 */
function leadsToAdminUi(exchange: Exchange): boolean {
  const { gateway, path, method } = exchange;
  if (path !== '/' || gateway.admin === null || (method !== 'GET' && method !== 'HEAD')) return false;
  if (!(exchange.header('accept')?.includes('text/html') ?? false)) return false;
  exchange.upstream = gateway.admin;
  return true;
}

function noRoute(exchange: Exchange): ErrorCode | null {
  const allowed = exchange.snapshot!.routes.allowedMethods(exchange);
  if (allowed.length === 0) return leadsToAdminUi(exchange) ? null : 'route_not_found';
  exchange.responseFields = `Allow: ${allowed.join(', ')}\r\n`;
  return 'method_not_allowed';
}

function cameFromUs(exchange: Exchange): boolean {
  return exchange.header('via')?.includes(exchange.gateway.viaToken) ?? false;
}
