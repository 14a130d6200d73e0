import { GatewayError, type FieldError } from '../errors/gateway-error.ts';

/** Deeper bodies are refused: none of our resources needs more than a handful of levels. */
export const maximumJsonDepth = 64;
/** More members in one object are refused: for each unknown one a message would have to be found. */
export const maximumJsonMembers = 1_000;
/** So many wrong names are told of one body. */
const mostErrors = 1_000;

/**
 * Parses a request body as I-JSON (RFC 7493): what `JSON.parse` accepts, but without a byte order mark, duplicate
 * member names, unpaired surrogates or invalid UTF-8, and within the bounds above.
 * Linear in the size of the body.
 *
 * A member `__proto__` within an object of the body is refused here for all: schemas of records pass over it without a word. One of
 * the body itself is left to its schema, which tells it with everything else that is wrong.
 * @throws GatewayError `malformed_json` that says what is wrong; `validation_failed` for `__proto__`
 */
export function parseStrictJson(body: Uint8Array): unknown {
  const text = decodeUtf8(body);
  if (text.trim() === '') throw malformed('The body is empty; send a JSON object.');
  const shape = scanShape(text);
  if (shape.tooDeep) throw malformed(`The body is nested deeper than ${maximumJsonDepth} levels.`);
  if (shape.tooWide) throw malformed(`The body has an object with more than ${maximumJsonMembers} members.`);
  const value = parse(text);
  if (shape.duplicate !== undefined) {
    throw malformed(`The body has the member ${JSON.stringify(shape.duplicate.slice(0, 100))} twice in one object.`);
  }
  if (/\\u[dD][89a-fA-F]/.test(text) && !isWellFormed(value)) throw malformed('The body has an unpaired surrogate in a string.');
  if (shape.hasInnerProto) throw new GatewayError('validation_failed', { errors: protoErrors(value) });
  return value;
}

/** Where the members `__proto__` are. */
function protoErrors(value: unknown): FieldError[] {
  const errors: FieldError[] = [];
  const look = (inside: unknown, place: string): void => {
    if (typeof inside !== 'object' || inside === null) return;
    for (const [name, inner] of Object.entries(inside)) {
      if (errors.length === mostErrors) return;
      if (name === '__proto__') errors.push({ field: place + name, message: 'cannot be a name here' });
      else look(inner, `${place}${name}.`);
    }
  };
  look(value, '');
  return errors;
}

function malformed(detail: string): GatewayError {
  return new GatewayError('malformed_json', { detail });
}

function decodeUtf8(body: Uint8Array): string {
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) {
    throw malformed('The body starts with a byte order mark; send plain UTF-8 without one.');
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw malformed('The body is not valid UTF-8.');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // V8's message may quote the body, and a body may hold a secret: only the position is passed on.
    const position = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    throw malformed(position === undefined ? 'The body is not valid JSON.' : `The body is not valid JSON (at character ${position}).`);
  }
}

interface Shape {
  readonly tooDeep: boolean;
  readonly tooWide: boolean;
  readonly duplicate: string | undefined;
  readonly hasInnerProto: boolean;
}

/**
 * Finds nesting depth and duplicate names in one pass. It judges nothing else: on text that is not JSON its findings
 * mean nothing, and `JSON.parse` refuses that text afterwards.
 */
function scanShape(text: string): Shape {
  // One entry per open bracket: the names seen so far in an object, or null for an array.
  const open: (Set<string> | null)[] = [];
  let expectName = false;
  let duplicate: string | undefined;
  let hasInnerProto = false;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case 0x7b /* { */:
      case 0x5b /* [ */: {
        const isObject = text.charCodeAt(at) === 0x7b;
        if (open.length === maximumJsonDepth) return { tooDeep: true, tooWide: false, duplicate, hasInnerProto };
        open.push(isObject ? new Set() : null);
        expectName = isObject;
        break;
      }
      case 0x7d /* } */:
      case 0x5d /* ] */:
        open.pop();
        expectName = false;
        break;
      case 0x2c /* , */:
        expectName = (open.at(-1) ?? null) !== null;
        break;
      case 0x22 /* " */: {
        const end = endOfString(text, at);
        const names = open.at(-1);
        if (expectName && names) {
          const name = nameOf(text.slice(at, end + 1));
          if (names.has(name)) duplicate ??= name;
          names.add(name);
          if (name === '__proto__' && open.length > 1) hasInnerProto = true;
          if (names.size > maximumJsonMembers) return { tooDeep: false, tooWide: true, duplicate, hasInnerProto };
          expectName = false;
        }
        at = end;
        break;
      }
      default:
    }
  }
  return { tooDeep: false, tooWide: false, duplicate, hasInnerProto };
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at;
    if (code === 0x5c) at += 1;
  }
  return text.length;
}

function nameOf(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return String(JSON.parse(literal));
  } catch {
    return literal;
  }
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, item]) => name.isWellFormed() && isWellFormed(item));
}
