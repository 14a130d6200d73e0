import { COLON, CR, HTAB, isTokenByte, LF, SP } from './characters.ts';
import { kindOf } from './known-fields.ts';
import { skipValueBytes, WordView } from './skip-value-bytes.ts';

/** The bytes end before the header section does. */
export const needMore = -1;
/** The bytes break the grammar; `reason` says how. */
export const malformed = -2;
/** More fields than allowed. */
export const tooManyFields = -3;

/**
 * The fields of one header or trailer section as offsets into the bytes they were parsed from: no strings are
 * made. One object is reused for every message, so what must outlive the callback is copied by its reader.
 */
export class HeaderFields {
  bytes: Buffer = Buffer.alloc(0);
  count = 0;
  readonly nameStart: Int32Array;
  readonly nameEnd: Int32Array;
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  /** First byte of the field line after this one. */
  readonly lineEnd: Int32Array;
  /** Number of the known field name, 0 for others: see known-fields.ts. */
  readonly kinds: Uint8Array;
  /** 1 where the field is not to be forwarded, as Connection lists it. */
  readonly dropped: Uint8Array;
  /** After `malformed`: what is wrong, for the operator. */
  reason = '';
  readonly maxFields: number;
  private readonly view = new WordView();

  constructor(maxFields: number) {
    this.maxFields = maxFields;
    this.nameStart = new Int32Array(maxFields);
    this.nameEnd = new Int32Array(maxFields);
    this.valueStart = new Int32Array(maxFields);
    this.valueEnd = new Int32Array(maxFields);
    this.lineEnd = new Int32Array(maxFields);
    this.kinds = new Uint8Array(maxFields);
    this.dropped = new Uint8Array(maxFields);
  }

  /**
   * Parses field lines up to and including the empty line (RFC 9112 section 5, none of its leniencies).
   * Returns the offset after the empty line, or needMore, malformed or tooManyFields.
   */
  parse(bytes: Buffer, position: number, end: number): number {
    this.bytes = bytes;
    const words = this.view.of(bytes);
    const shift = bytes.byteOffset;
    let count = 0;
    let at = position;
    for (;;) {
      if (at >= end) return this.stop(count, needMore);
      const first = bytes[at]!;
      if (first === CR) {
        if (at + 1 >= end) return this.stop(count, needMore);
        if (bytes[at + 1] !== LF) return this.fail('a bare CR stands where the header should end');
        this.count = count;
        return at + 2;
      }
      const nameStart = at;
      while (at < end && isTokenByte[bytes[at]!] === 1) at++;
      if (at >= end) return this.stop(count, needMore);
      if (bytes[at] !== COLON) return this.fail(this.nameFault(bytes[at]!, at === nameStart));
      if (at === nameStart) return this.fail('a field has an empty name');
      const nameEnd = at;
      at++;
      while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at++;
      let valueStart = at;
      at = skipValueBytes(bytes, words, shift, at, end);
      if (at + 1 >= end) {
        if (at < end && bytes[at] !== CR) return this.fail(this.valueFault(bytes[at]!));
        return this.stop(count, needMore);
      }
      if (bytes[at] !== CR) return this.fail(this.valueFault(bytes[at]!));
      if (bytes[at + 1] !== LF) return this.fail('a bare CR stands in a field value');
      let valueEnd = at;
      while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) valueEnd--;
      if (valueStart > valueEnd) valueStart = valueEnd;
      at += 2;
      if (count === this.maxFields) return this.stop(count, tooManyFields);
      this.nameStart[count] = nameStart;
      this.nameEnd[count] = nameEnd;
      this.valueStart[count] = valueStart;
      this.valueEnd[count] = valueEnd;
      this.lineEnd[count] = at;
      this.kinds[count] = kindOf(bytes, nameStart, nameEnd);
      this.dropped[count] = 0;
      count++;
    }
  }

  /** Value of field `index` as a string; obs-text bytes become the code points of the same number. */
  value(index: number): string {
    return this.bytes.latin1Slice(this.valueStart[index], this.valueEnd[index]);
  }

  /** Name of field `index` as it was sent. */
  name(index: number): string {
    return this.bytes.latin1Slice(this.nameStart[index], this.nameEnd[index]);
  }

  /** Index of the first field of that kind at or after `from`, or -1. */
  find(kind: number, from = 0): number {
    for (let index = from; index < this.count; index++) if (this.kinds[index] === kind) return index;
    return -1;
  }

  /**
   * Value of the field with that lower-case name; several are joined by a comma as RFC 9110 section 5.3 says.
   * undefined when there is none. Slow: for policies that look at few fields.
   */
  valueOf(lowerCaseName: string): string | undefined {
    let found: string | undefined;
    for (let index = 0; index < this.count; index++) {
      if (!this.nameIs(index, lowerCaseName)) continue;
      found = found === undefined ? this.value(index) : `${found}, ${this.value(index)}`;
    }
    return found;
  }

  /** As valueOf, by the number of a known name. */
  valueOfKind(kind: number): string | undefined {
    let found: string | undefined;
    for (let index = this.find(kind); index >= 0; index = this.find(kind, index + 1)) {
      found = found === undefined ? this.value(index) : `${found}, ${this.value(index)}`;
    }
    return found;
  }

  /** Whether field `index` has that lower-case name, in any case. */
  nameIs(index: number, lowerCaseName: string): boolean {
    const start = this.nameStart[index]!;
    if (this.nameEnd[index]! - start !== lowerCaseName.length) return false;
    for (let offset = 0; offset < lowerCaseName.length; offset++) {
      let byte = this.bytes[start + offset]!;
      if (byte >= 0x41 && byte <= 0x5a) byte |= 0x20;
      if (byte !== lowerCaseName.charCodeAt(offset)) return false;
    }
    return true;
  }

  private stop(count: number, verdict: number): number {
    this.count = count;
    return verdict;
  }

  private fail(reason: string): number {
    this.count = 0;
    this.reason = reason;
    return malformed;
  }

  private nameFault(byte: number, first: boolean): string {
    if (byte === SP || byte === HTAB)
      return first ? 'a field line is folded or starts with white space' : 'white space stands before the colon of a field';
    if (byte === LF) return 'a line ends in a bare LF';
    if (byte === CR) return 'a field line has no colon';
    return `byte 0x${byte.toString(16).padStart(2, '0')} stands in a field name`;
  }

  private valueFault(byte: number): string {
    if (byte === LF) return 'a line ends in a bare LF';
    return `byte 0x${byte.toString(16).padStart(2, '0')} stands in a field value`;
  }
}

/** Whether bytes[start, end) is `lowerCaseText` in any case. */
export function isText(bytes: Uint8Array, start: number, end: number, lowerCaseText: string): boolean {
  if (end - start !== lowerCaseText.length) return false;
  for (let offset = 0; offset < lowerCaseText.length; offset++) {
    let byte = bytes[start + offset]!;
    if (byte >= 0x41 && byte <= 0x5a) byte |= 0x20;
    if (byte !== lowerCaseText.charCodeAt(offset)) return false;
  }
  return true;
}
