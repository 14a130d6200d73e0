import type { OutputBuffer } from '../http/output-buffer.ts';
import type { RequestHead } from '../http/request-head.ts';

const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PERCENT = 0x25;
const QUESTION = 0x3f;
const name = Buffer.from('api_key', 'latin1');

/**
 * The API key in the query of a target, percent-encoded or not: '' where no `api_key` parameter holds one, and what no key can be
 * where two differ.
 */
export function keyInQuery(head: RequestHead): string {
  const { bytes, targetEnd } = head;
  let key = '';
  for (let at = nextKeyParameter(bytes, head.pathEnd + 1, targetEnd); at >= 0;) {
    const end = parameterEnd(bytes, at, targetEnd);
    const found = keyOf(bytes, at, end);
    if (found !== '' && found !== key) key = key === '' ? found : `${key},${found}`;
    at = nextKeyParameter(bytes, end + 1, targetEnd);
  }
  return key;
}

/**
 * Writes path and query as the client sent them, without the `api_key` parameters that are for the gateway: all where the route
 * takes keys from there (`taken`), elsewhere those that hold a key of ours, since no key may reach an upstream.
 */
export function copyTargetWithoutKey(out: OutputBuffer, head: RequestHead, taken: boolean): void {
  const { bytes, pathStart, pathEnd, targetEnd } = head;
  if (nextKeyParameter(bytes, pathEnd + 1, targetEnd) < 0) {
    out.copy(bytes, pathStart, targetEnd);
    return;
  }
  out.copy(bytes, pathStart, pathEnd);
  let separator = QUESTION;
  for (let at = pathEnd + 1; at <= targetEnd;) {
    const end = parameterEnd(bytes, at, targetEnd);
    if (!endsHere(bytes, at, end, taken)) {
      out.byte(separator);
      out.copy(bytes, at, end);
      separator = AMPERSAND;
    }
    at = end + 1;
  }
}

/** As copyTargetWithoutKey, the query alone as text, without the question mark. */
export function queryWithoutKey(head: RequestHead, taken: boolean): string {
  const { bytes, pathEnd, targetEnd } = head;
  if (pathEnd >= targetEnd) return '';
  if (nextKeyParameter(bytes, pathEnd + 1, targetEnd) < 0) return bytes.latin1Slice(pathEnd + 1, targetEnd);
  const kept: string[] = [];
  for (let at = pathEnd + 1; at <= targetEnd;) {
    const end = parameterEnd(bytes, at, targetEnd);
    if (!endsHere(bytes, at, end, taken)) kept.push(bytes.latin1Slice(at, end));
    at = end + 1;
  }
  return kept.join('&');
}

function endsHere(bytes: Buffer, start: number, end: number, taken: boolean): boolean {
  return nameEnd(bytes, start, end) >= 0 && (taken || keyOf(bytes, start, end) !== '');
}

/** Where the next parameter of that name begins; `at` is the begin of a parameter. -1 when there is none. */
function nextKeyParameter(bytes: Buffer, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    const first = bytes[at];
    if ((first === name[0] || first === PERCENT) && nameEnd(bytes, at, end) >= 0) return at;
    while (at < end && bytes[at] !== AMPERSAND) at++;
  }
  return -1;
}

function parameterEnd(bytes: Buffer, at: number, end: number): number {
  let found = at;
  while (found < end && bytes[found] !== AMPERSAND) found++;
  return found;
}

/** Where the name of the parameter ends if it is ours, else -1. */
function nameEnd(bytes: Buffer, start: number, end: number): number {
  let at = start;
  for (const wanted of name) {
    if (at >= end) return -1;
    if (bytes[at] === wanted) at++;
    else if (bytes[at] === PERCENT && at + 2 < end && Number.parseInt(bytes.latin1Slice(at + 1, at + 3), 16) === wanted) at += 3;
    else return -1;
  }
  return at === end || bytes[at] === EQUALS || bytes[at] === AMPERSAND ? at : -1;
}

/** The key that a parameter of our name holds; '' where its value is none. Only `ak_` values count as keys. */
function keyOf(bytes: Buffer, start: number, end: number): string {
  const valueStart = nameEnd(bytes, start, end) + 1;
  if (valueStart >= end) return '';
  const value = bytes
    .latin1Slice(valueStart, end)
    .replaceAll('+', ' ')
    .replaceAll(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
    .trim();
  return value.startsWith('ak_') ? value : '';
}
