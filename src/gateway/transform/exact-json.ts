import { randomBytes } from 'node:crypto';

/**
 * JSON that comes out with every number as it went in: `1.0`, `12345678901234567890` and `1e400` do not survive as numbers of
 * JavaScript. Such a number is parsed as a string that nobody else can make, and put back when the text is written: as exact as a
 * reviver with access to the source, without its call for every value.
 */
const mark = `\u{f8ff}${randomBytes(16).toString('hex')}:`;
const marked = new RegExp(`"${mark}([^"]*)"`, 'g');

/** A parsed text; `keepsNumbers` says whether some are kept as marked strings, to be given back to `writeExactJson`. */
export interface ExactJson {
  readonly value: unknown;
  readonly keepsNumbers: boolean;
}

/** Of two equal keys the last one stays; `__proto__` is a key like others. @throws SyntaxError */
export function parseExactJson(text: string): ExactJson {
  const replaced = markNumbers(text);
  return { value: JSON.parse(replaced ?? text), keepsNumbers: replaced !== null };
}

export function writeExactJson({ value, keepsNumbers }: ExactJson): string {
  const text = JSON.stringify(value);
  return keepsNumbers ? text.replace(marked, '$1') : text;
}

/** Whether a parsed string stands for a number. */
export function isKeptNumber(text: string): boolean {
  return text.startsWith(mark);
}

const quote = 0x22;
const backslash = 0x5c;
const minus = 0x2d;

// The text with each number that would change as a marked string; null when there is none. A text that is not JSON stays so.
function markNumbers(text: string): string | null {
  let out = '';
  let copied = 0;
  const length = text.length;
  for (let at = 0; at < length; at++) {
    const character = text.charCodeAt(at);
    if (character === quote) {
      at++;
      for (let inside = text.charCodeAt(at); at < length && inside !== quote; inside = text.charCodeAt(++at))
        if (inside === backslash) at++;
    } else if (character === minus || isDigit(character)) {
      const start = at;
      let plain = character !== minus;
      for (at++; at < length; at++) {
        const next = text.charCodeAt(at);
        if (isDigit(next)) continue;
        if (!isNumberPart(next)) break;
        plain = false;
      }
      // The loop's own step takes the next one.
      const end = at--;
      if ((plain && end - start < 16) || !changes(text.slice(start, end)) || isKey(text, end)) continue;
      out += `${text.slice(copied, start)}"${mark}${text.slice(start, end)}"`;
      copied = end;
    }
  }
  return copied === 0 ? null : out + text.slice(copied);
}

function changes(token: string): boolean {
  return String(Number(token)) !== token && /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/.test(token);
}

// A number is no key: as a string it would be one, and the text would become JSON.
function isKey(text: string, end: number): boolean {
  let at = end;
  for (; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character !== 0x20 && character !== 0x0a && character !== 0x0d && character !== 0x09) break;
  }
  return text.charCodeAt(at) === 0x3a;
}

function isDigit(character: number): boolean {
  return character >= 0x30 && character <= 0x39;
}

/** `.`, `+`, `-`, `e` and `E`. */
function isNumberPart(character: number): boolean {
  return character === 0x2e || character === 0x2b || character === minus || (character | 0x20) === 0x65;
}
