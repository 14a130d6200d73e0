/**
 * Counts server-sent events as they pass, in pieces of any size, and keeps nothing of them. By the rules of the HTML standard
 * (9.2.6, interpreting an event stream): lines end in LF, CR or CRLF, a byte order mark in front is passed over, and an empty line
 * dispatches an event where a `data` field came since the last one. Comments and blocks of other fields only are no events.
 */
export class EventCounter {
  events = 0;
  /** Bytes of the byte order mark that were seen; 3 once that is settled. */
  private mark = 0;
  /** Characters of `data` that the line has begun with; `restOfLine` when the line is settled. */
  private matched = 0;
  private hasData = false;
  /** The last byte was a CR: an LF now belongs to it. */
  private afterCr = false;

  count(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      if (this.mark < 3) {
        if (byte === byteOrderMark[this.mark]) {
          this.mark++;
          continue;
        }
        if (this.mark > 0) this.matched = restOfLine;
        this.mark = 3;
      }
      if (byte === LF) {
        if (!this.afterCr) this.endLine();
        this.afterCr = false;
      } else if (byte === CR) {
        this.endLine();
        this.afterCr = true;
      } else {
        this.afterCr = false;
        if (this.matched < fieldName.length) {
          this.matched = byte === fieldName[this.matched] ? this.matched + 1 : restOfLine;
        } else if (this.matched === fieldName.length) {
          if (byte === COLON) this.hasData = true;
          this.matched = restOfLine;
        }
      }
    }
  }

  private endLine(): void {
    if (this.matched === 0) {
      if (this.hasData) this.events++;
      this.hasData = false;
    } else if (this.matched === fieldName.length) {
      this.hasData = true; // a field without a colon has an empty value
    }
    this.matched = 0;
  }
}

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const byteOrderMark = [0xef, 0xbb, 0xbf];
const fieldName = Buffer.from('data', 'latin1');
const restOfLine = 5;
