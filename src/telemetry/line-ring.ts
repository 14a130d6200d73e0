/** A line with its number; numbers grow by one with each line that came. */
export interface NumberedLine {
  readonly number: number;
  /** Without its line end. */
  readonly bytes: Buffer;
}

interface Batch {
  readonly first: number;
  readonly lines: number;
  /** Where it lies in the ring's memory. */
  readonly start: number;
  readonly end: number;
}

/**
 * The last lines that came, copied into one memory that is written round and round: keeping them makes no garbage, and nothing is
 * made of them until somebody asks. Bounded in lines and in bytes; the oldest batches go first, and at least `maxLines` stay where
 * bytes allow.
 */
export class LineRing {
  readonly #maxLines: number;
  readonly #maxBytes: number;
  /** Made when the first line comes. */
  #memory: Buffer = Buffer.alloc(0);
  #batches: Batch[] = [];
  #lines = 0;
  #at = 0;

  constructor(options: { readonly maxLines: number; readonly maxBytes: number }) {
    this.#maxLines = options.maxLines;
    this.#maxBytes = options.maxBytes;
  }

  /** Takes whole lines, each with its line end. `first` is the number of the first of them. What is larger than all of the memory is left out. */
  add(bytes: Buffer, first: number, lines: number): void {
    if (lines === 0 || bytes.length > this.#maxBytes) return;
    if (this.#memory.length === 0) this.#memory = Buffer.allocUnsafeSlow(this.#maxBytes);
    const wraps = this.#at + bytes.length > this.#maxBytes;
    const start = wraps ? 0 : this.#at;
    const end = start + bytes.length;
    let gone = 0;
    for (; gone < this.#batches.length; gone++) {
      const oldest = this.#batches[gone]!;
      // In the way: where it is written now, or in what is passed over at the end of the memory.
      const inTheWay = (oldest.start < end && oldest.end > start) || (wraps && oldest.start >= this.#at);
      if (!inTheWay && this.#lines - oldest.lines + lines < this.#maxLines) break;
      this.#lines -= oldest.lines;
    }
    if (gone > 0) this.#batches.splice(0, gone);
    bytes.copy(this.#memory, start);
    this.#at = end;
    this.#batches.push({ first, lines, start, end });
    this.#lines += lines;
  }

  /** Number of the oldest line that is still there; Infinity when there is none. */
  get oldest(): number {
    return this.#batches[0]?.first ?? Number.POSITIVE_INFINITY;
  }

  /** Lines with numbers below `before`, the last one first. Their bytes hold until the next `add`. */
  *newestFirst(before = Number.POSITIVE_INFINITY): Generator<NumberedLine> {
    for (const { first, lines, start: from, end: to } of this.#batches.toReversed()) {
      if (first >= before) continue;
      const bytes = this.#memory.subarray(from, to);
      let end = bytes.length - 1;
      for (let number = first + lines - 1; number >= first; number--) {
        const start = end === 0 ? 0 : bytes.lastIndexOf(lineEnd, end - 1) + 1;
        if (number < before) yield { number, bytes: bytes.subarray(start, end) };
        end = start - 1;
      }
    }
  }
}

const lineEnd = 0x0a;

/** The lines of a batch, the first one first. */
export function* linesOf(bytes: Buffer, first: number): Generator<NumberedLine> {
  let number = first;
  for (let start = 0, end = bytes.indexOf(lineEnd); end >= 0; start = end + 1, end = bytes.indexOf(lineEnd, start)) {
    yield { number: number++, bytes: bytes.subarray(start, end) };
  }
}
