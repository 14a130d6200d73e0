import { errorCatalogue } from '../../errors/catalogue.ts';
import { escapeText, isoTime, type LineLevel, type LogFormat } from '../../telemetry/log-text.ts';
import type { FinishedExchange } from './finished-exchange.ts';

/** No line is longer, whatever the request held: each character becomes six at most. */
export const maxLineBytes = 48 * 1024;

const maxShort = 128;
const maxHost = 255;
const maxPath = 2048;
const maxReason = 1024;

/**
 * One line of the access log, with its line end, in ASCII only. Says what happened to the request and, where the gateway made
 * an error of it, the cause and what to do. Never a query, a header or a body.
 */
export function exchangeLine(exchange: FinishedExchange, format: LogFormat): string {
  return format === 'json' ? jsonLine(exchange) : textLine(exchange);
}

/** Whether somebody other than the client is at fault: such lines are warnings, the gateway's own faults errors. */
export function isFailure(exchange: FinishedExchange): boolean {
  return exchange.code !== null && errorCatalogue[exchange.code].fault !== 'client';
}

function levelOf(exchange: FinishedExchange): LineLevel {
  if (!isFailure(exchange)) return 'info';
  return exchange.code === 'internal_error' ? 'error' : 'warn';
}

function jsonLine(e: FinishedExchange): string {
  let line =
    `{"level":"${levelOf(e)}","time":"${isoTime(e.startedAtMs)}","msg":"request","request_id":"${escapeText(e.requestId, maxShort)}",` +
    `"method":"${escapeText(e.method, maxShort)}","host":"${escapeText(e.host, maxHost)}","path":"${escapeText(withoutQuery(e.rawPath), maxPath)}",` +
    `"status":${e.status},"outcome":"${e.outcome}","duration_ms":${rounded(e.durationMs)},"upstream_ms":${rounded(e.upstreamMs)},` +
    `"route":"${e.routeId}","upstream":"${e.upstreamId}","key":"${e.keyId === '' ? 'anonymous' : e.keyId}",` +
    `"remote":"${escapeText(e.remoteAddress, maxShort)}","bytes_in":${e.bytesIn},"bytes_out":${e.bytesOut},"attempts":${e.attempts}`;
  if (e.code !== null) line += `,"code":"${e.code}"`;
  if (e.reason !== '') line += `,"reason":"${escapeText(e.reason, maxReason)}"`;
  if (e.code !== null) line += `,"hint":"${escapeText(errorCatalogue[e.code].hint, maxReason)}"`;
  return `${line}}\n`;
}

function textLine(e: FinishedExchange): string {
  let line =
    `${isoTime(e.startedAtMs)} ${levelOf(e).padEnd(5)} ${escapeText(e.method, maxShort) || '-'} ${escapeText(e.host, maxHost)}` +
    `${escapeText(withoutQuery(e.rawPath), maxPath)} ${e.status === 0 ? '-' : e.status} ${rounded(e.durationMs)}ms` +
    ` in=${e.bytesIn} out=${e.bytesOut} from=${escapeText(e.remoteAddress, maxShort)}`;
  if (e.outcome !== 'ok') line += ` outcome=${e.outcome}`;
  if (e.routeId !== '') line += ` route=${e.routeId}`;
  if (e.upstreamId !== '') line += ` upstream=${e.upstreamId}`;
  if (e.keyId !== '') line += ` key=${e.keyId}`;
  line += ` id=${escapeText(e.requestId, maxShort)}`;
  if (e.code !== null) line += ` code=${e.code}`;
  if (e.reason !== '') line += ` | ${escapeText(e.reason, maxReason)}`;
  if (isFailure(e)) line += ` | ${escapeText(errorCatalogue[e.code!].hint, maxReason)}`;
  return `${line}\n`;
}

// Whoever forgets to cut it: a query may hold a key.
function withoutQuery(path: string): string {
  const question = path.indexOf('?');
  return question < 0 ? path : path.slice(0, question);
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
