import { errorCatalogue, errorEntryOf, type ErrorCode } from '../../errors/catalogue.ts';
import { constantPart, LineWriter } from '../../telemetry/line-writer.ts';
import type { LineLevel, LogFormat } from '../../telemetry/log-text.ts';
import type { ExchangeOutcome, FinishedExchange } from './finished-exchange.ts';

/** No line is longer, whatever the request held: each character becomes six at most. */
export const maxLineBytes = 32 * 1024;

const maxShort = 128;
const maxHost = 255;
const maxPath = 2048;
const maxReason = 1024;

/**
 * Writes one line of the access log, with its line end, in ASCII only. It says what happened to the request and, where the
 * gateway made an error of it, the cause and what to do; never a query, a header or a body.
 */
export function writeExchangeLine(line: LineWriter, exchange: FinishedExchange, format: LogFormat): void {
  if (format === 'json') writeJsonLine(line, exchange);
  else writeTextLine(line, exchange);
}

/** Whether somebody other than the client is at fault: such lines are warnings, the gateway's own faults errors. */
export function isFailure(exchange: FinishedExchange): boolean {
  return exchange.code !== null && errorEntryOf(exchange.code, exchange.status).fault !== 'client';
}

function levelOf(exchange: FinishedExchange): LineLevel {
  if (!isFailure(exchange)) return 'info';
  return exchange.code === 'internal_error' ? 'error' : 'warn';
}

function writeJsonLine(line: LineWriter, e: FinishedExchange): void {
  line.constant(json.level[levelOf(e)]);
  line.time(e.startedAtMs);
  line.constant(json.requestId);
  if (e.requestIdDigits === null) line.text(e.requestId, maxShort);
  else line.constant(e.requestIdDigits);
  line.constant(askedPart(e));
  line.text(withoutQuery(e.rawPath), maxPath);
  line.constant(json.status);
  line.integer(e.status);
  line.constant(outcomePart(e.outcome));
  line.milliseconds(e.durationMs);
  line.constant(json.upstreamMs);
  line.milliseconds(e.upstreamMs);
  if (e.routePart === null) writeRoute(line, e.routeId);
  else line.constant(e.routePart);
  if (e.upstreamPart === null) writeUpstream(line, e.upstreamId);
  else line.constant(e.upstreamPart);
  line.text(e.keyId === '' ? 'anonymous' : e.keyId, maxShort);
  line.constant(json.remote);
  line.text(e.remoteAddress, maxShort);
  line.constant(json.bytesIn);
  line.integer(e.bytesIn);
  line.constant(json.bytesOut);
  line.integer(e.bytesOut);
  line.constant(json.attempts);
  line.integer(e.attempts);
  if (e.framesIn >= 0) {
    line.constant(json.framesIn);
    line.integer(e.framesIn);
    line.constant(json.framesOut);
    line.integer(e.framesOut);
  }
  if (e.events >= 0) {
    line.constant(json.events);
    line.integer(e.events);
  }
  if (e.phase !== '') line.constant(json.phases[e.phase]);
  if (e.reason !== '') {
    line.constant(json.reason);
    line.text(e.reason, maxReason);
    line.constant(json.quote);
  }
  if (e.code !== null) line.constant(codePart(e.code));
  line.constant(json.end);
}

const json = {
  level: {
    trace: constantPart('{"level":"trace","time":"'),
    debug: constantPart('{"level":"debug","time":"'),
    info: constantPart('{"level":"info","time":"'),
    warn: constantPart('{"level":"warn","time":"'),
    error: constantPart('{"level":"error","time":"'),
  },
  requestId: constantPart('","msg":"request","request_id":"'),
  method: constantPart('","method":"'),
  host: constantPart('","host":"'),
  path: constantPart('","path":"'),
  status: constantPart('","status":'),
  upstreamMs: constantPart(',"upstream_ms":'),
  route: constantPart(',"route":"'),
  upstream: constantPart('","upstream":"'),
  key: constantPart('","key":"'),
  remote: constantPart('","remote":"'),
  bytesIn: constantPart('","bytes_in":'),
  bytesOut: constantPart(',"bytes_out":'),
  attempts: constantPart(',"attempts":'),
  framesIn: constantPart(',"frames_in":'),
  framesOut: constantPart(',"frames_out":'),
  events: constantPart(',"events":'),
  phases: {
    request: constantPart(',"phase":"request"'),
    connect: constantPart(',"phase":"connect"'),
    send: constantPart(',"phase":"send"'),
    wait: constantPart(',"phase":"wait"'),
    body: constantPart(',"phase":"body"'),
    tunnel: constantPart(',"phase":"tunnel"'),
  },
  reason: constantPart(',"reason":"'),
  quote: constantPart('"'),
  end: constantPart('}\n'),
} as const;

interface AskedPart {
  readonly method: string;
  readonly host: string;
  readonly part: Uint8Array;
}

// Requests repeat one another: parts that stand together in a line are kept from the last time, in small tables in which a
// newcomer simply replaces what was there. That halves the cost of a line.
const tableMask = 127;
const asked: (AskedPart | undefined)[] = Array.from({ length: tableMask + 1 });

function askedPart(e: FinishedExchange): Uint8Array {
  const { method, host } = e;
  const index = (method.length * 31 + host.length * 7 + lastCharacters(host)) & tableMask;
  const known = asked[index];
  if (known !== undefined && known.method === method && known.host === host) return known.part;
  const part = partOf((line) => {
    line.constant(json.method);
    line.text(method, maxShort);
    line.constant(json.host);
    line.text(host, maxHost);
    line.constant(json.path);
  });
  // A long or odd one comes from no ordinary client, and need not be remembered.
  if (method.length <= maxShort && host.length <= maxHost) asked[index] = { method, host, part };
  return part;
}

/**
 * The route of a request as it stands in its line, to be made once for each route. With less than 64 bytes V8 keeps an array's
 * bytes with the array: one place in memory to fetch instead of three, where there are thousands of routes.
 */
export function routePartOf(routeId: string): Uint8Array {
  return partOf((line) => writeRoute(line, routeId));
}

/** As routePartOf, for its upstream. */
export function upstreamPartOf(upstreamId: string): Uint8Array {
  return partOf((line) => writeUpstream(line, upstreamId));
}

function writeRoute(line: LineWriter, routeId: string): void {
  line.constant(json.route);
  line.text(routeId, maxShort);
}

function writeUpstream(line: LineWriter, upstreamId: string): void {
  line.constant(json.upstream);
  line.text(upstreamId, maxShort);
  line.constant(json.key);
}

const scratch = new LineWriter(8 * 1024);

function lastCharacters(text: string): number {
  const { length } = text;
  if (length < 4) return length;
  let mixed = 0;
  for (let at = length - 4; at < length; at++) mixed = (mixed * 31 + text.charCodeAt(at)) | 0;
  return mixed;
}

function partOf(write: (line: LineWriter) => void): Uint8Array {
  scratch.length = 0;
  write(scratch);
  return scratch.bytes.slice(0, scratch.length);
}

const outcomeParts = new Map<ExchangeOutcome, Uint8Array>();
const codeParts = new Map<ErrorCode, Uint8Array>();

function outcomePart(outcome: ExchangeOutcome): Uint8Array {
  let part = outcomeParts.get(outcome);
  if (part === undefined) outcomeParts.set(outcome, (part = constantPart(`,"outcome":"${outcome}","duration_ms":`)));
  return part;
}

function codePart(code: ErrorCode): Uint8Array {
  let part = codeParts.get(code);
  if (part === undefined)
    codeParts.set(code, (part = constantPart(`,"code":"${code}","hint":${JSON.stringify(errorCatalogue[code].hint)}`)));
  return part;
}

function writeTextLine(line: LineWriter, e: FinishedExchange): void {
  line.time(e.startedAtMs);
  line.text(` ${levelOf(e).padEnd(5)} ${e.method === '' ? '-' : e.method} `, maxShort);
  line.text(e.host, maxHost);
  line.text(withoutQuery(e.rawPath), maxPath);
  line.text(` ${e.status === 0 ? '-' : e.status} `, maxShort);
  line.milliseconds(e.durationMs);
  line.text(`ms in=${e.bytesIn} out=${e.bytesOut} from=${e.remoteAddress}`, maxShort);
  if (e.framesIn >= 0) line.text(` frames_in=${e.framesIn} frames_out=${e.framesOut}`, maxShort);
  if (e.events >= 0) line.text(` events=${e.events}`, maxShort);
  if (e.outcome !== 'ok') line.text(` outcome=${e.outcome}`, maxShort);
  if (e.routeId !== '') line.text(` route=${e.routeId}`, maxShort);
  if (e.upstreamId !== '') line.text(` upstream=${e.upstreamId}`, maxShort);
  if (e.keyId !== '') line.text(` key=${e.keyId}`, maxShort);
  line.text(` id=${e.requestId}`, maxShort);
  if (e.code !== null) line.text(` code=${e.code}`, maxShort);
  if (e.phase !== '') line.text(` phase=${e.phase}`, maxShort);
  if (e.reason !== '') line.text(` | ${e.reason}`, maxReason);
  if (isFailure(e)) line.text(` | ${errorCatalogue[e.code!].hint}`, maxReason);
  line.constant(textEnd);
}

const textEnd = constantPart('\n');

// Whoever forgets to cut it: a query may hold a key.
function withoutQuery(path: string): string {
  const question = path.indexOf('?');
  return question < 0 ? path : path.slice(0, question);
}
