/**
 * Puts log lines together in bytes, several times quicker than strings would: constant parts are copied whole, texts are checked
 * and written in one pass. Only visible ASCII gets in, whatever a text holds: quotes, control bytes, escape sequences, line
 * ends and other scripts come out as the escapes of a JSON string.
 */
export class LineWriter {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;
  #second = Number.NaN;
  readonly #secondBytes = new Uint8Array(20);

  constructor(size: number) {
    this.bytes = memoryOf(size);
  }

  /** Starts anew in other memory. Answers with what is filled so far, which is the caller's from now on. */
  takeFilled(): Uint8Array<ArrayBuffer> {
    const filled = this.bytes.subarray(0, this.length);
    this.bytes = memoryOf(this.bytes.length);
    this.length = 0;
    return filled;
  }

  /** A part made by `constantPart`. */
  constant(part: Uint8Array): void {
    this.bytes.set(part, this.length);
    this.length += part.length;
  }

  /** At most `maxLength` characters of it, then three dots. */
  text(text: string, maxLength: number): void {
    const { bytes, length } = this;
    const end = text.length;
    if (end <= maxLength) {
      // Written first and judged afterwards: a loop without branches, and hardly a text has anything to escape.
      let unusual = 0;
      for (let i = 0; i < end; i++) {
        const character = text.charCodeAt(i);
        bytes[length + i] = character;
        unusual |= needsEscape[character & 0x7f]! | (character & 0xff80);
      }
      if (unusual === 0) {
        this.length = length + end;
        return;
      }
    }
    this.#escaped(text, Math.min(end, maxLength));
    if (end > maxLength) this.constant(dots);
  }

  /** A whole number that is not negative. */
  integer(value: number): void {
    if (value > 0x7fff_ffff) {
      this.text(String(value), 20);
      return;
    }
    const { bytes } = this;
    let digits = 1;
    for (let limit = 10; value >= limit; limit *= 10) digits++;
    let rest = value | 0;
    for (let at = this.length + digits - 1; at >= this.length; at--) {
      bytes[at] = 0x30 + (rest % 10);
      rest = (rest / 10) | 0;
    }
    this.length += digits;
  }

  /** A number of milliseconds with three decimals. */
  milliseconds(value: number): void {
    const microseconds = Math.round(value * 1000);
    const whole = Math.floor(microseconds / 1000);
    this.integer(whole);
    this.bytes[this.length++] = 0x2e;
    this.#threeDigits(microseconds - whole * 1000);
  }

  /** ISO 8601 in UTC with milliseconds. */
  time(epochMs: number): void {
    const second = Math.floor(epochMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#secondBytes.set(constantPart(new Date(second * 1000).toISOString().slice(0, 20)));
    }
    this.constant(this.#secondBytes);
    this.#threeDigits(Math.floor(epochMs) - second * 1000);
    this.bytes[this.length++] = 0x5a;
  }

  #escaped(text: string, end: number): void {
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < end; i++) {
      const character = text.charCodeAt(i);
      if (character < 0x80 && needsEscape[character] === 0) {
        bytes[at++] = character;
        continue;
      }
      bytes[at++] = 0x5c;
      if (character === 0x22 || character === 0x5c) {
        bytes[at++] = character;
      } else {
        bytes[at++] = 0x75;
        for (let shift = 12; shift >= 0; shift -= 4) bytes[at++] = hexDigits.charCodeAt((character >> shift) & 15);
      }
    }
    this.length = at;
  }

  #threeDigits(value: number): void {
    const { bytes } = this;
    bytes[this.length++] = 0x30 + ((value / 100) | 0);
    bytes[this.length++] = 0x30 + (((value / 10) | 0) % 10);
    bytes[this.length++] = 0x30 + (value % 10);
  }
}

// Not filled with zeros: only what was written is ever looked at.
function memoryOf(size: number): Uint8Array<ArrayBuffer> {
  const { buffer } = Buffer.allocUnsafeSlow(size);
  return new Uint8Array(buffer);
}

/** A part of lines that never changes, in ASCII. */
export function constantPart(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** By ASCII character: 1 for control characters, quote and backslash. */
const needsEscape = Uint8Array.from({ length: 128 }, (_, character) =>
  Number(character < 0x20 || character === 0x7f || character === 0x22 || character === 0x5c),
);

const hexDigits = '0123456789abcdef';
const dots = constantPart('...');
