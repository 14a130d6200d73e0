/** A line with its number; numbers grow by one with each line that came. */
export interface NumberedLine {
  readonly number: number;
  /** Without its line end. */
  readonly bytes: Buffer;
}

interface Batch {
  readonly first: number;
  readonly lines: number;
  readonly bytes: Buffer;
}

/**
 * The last lines that came, in the memory that they came in: keeping one costs nothing but that memory, and nothing is made of it
 * until somebody asks. Bounded in lines and in bytes; the oldest batches go first, and at least `maxLines` stay where bytes allow.
 */
export class LineRing {
  readonly #maxLines: number;
  readonly #maxBytes: number;
  #batches: Batch[] = [];
  #lines = 0;
  #bytes = 0;

  constructor(options: { readonly maxLines: number; readonly maxBytes: number }) {
    this.#maxLines = options.maxLines;
    this.#maxBytes = options.maxBytes;
  }

  /** Takes whole lines, each with its line end; the bytes must not change afterwards. `first` is the number of the first of them. */
  add(bytes: Buffer, first: number, lines: number): void {
    if (lines === 0) return;
    this.#batches.push({ first, lines, bytes });
    this.#lines += lines;
    this.#bytes += bytes.buffer.byteLength;
    let gone = 0;
    for (; gone < this.#batches.length - 1; gone++) {
      const oldest = this.#batches[gone]!;
      if (this.#lines - oldest.lines < this.#maxLines && this.#bytes <= this.#maxBytes) break;
      this.#lines -= oldest.lines;
      this.#bytes -= oldest.bytes.buffer.byteLength;
    }
    if (gone > 0) this.#batches.splice(0, gone);
  }

  /** Number of the oldest line that is still there; Infinity when there is none. */
  get oldest(): number {
    return this.#batches[0]?.first ?? Number.POSITIVE_INFINITY;
  }

  /** Lines with numbers below `before`, the last one first. */
  *newestFirst(before = Number.POSITIVE_INFINITY): Generator<NumberedLine> {
    for (const { first, lines, bytes } of this.#batches.toReversed()) {
      if (first >= before) continue;
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
