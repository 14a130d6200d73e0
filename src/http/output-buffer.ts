import type { HeaderFields } from './header-fields.ts';
import type { Transport } from './transport.ts';

const size = 288 * 1024;
const headRoom = 24;
const viewCount = 2048;
/**
 * From so many bytes on, a range is written from where it lies: with nothing collected before it, and behind a head, which then
 * goes out in a write of its own. Below these a copy costs less than the calls (bench cases 1m and post-100k).
 */
const lentAlone = 65_536;
const lentBehindHead = 131_072;

/**
 * Collects the bytes of one write: a head, the body bytes at hand, their chunk framing. One per worker and
 * direction is enough, as everything between filling and sending happens within one callback. When the kernel
 * does not take all at once, the memory belongs to that write and the buffer takes fresh memory for the next.
 */
export class OutputBuffer {
  private bytes: Buffer = Buffer.allocUnsafeSlow(size);
  private filled = 0;
  /** Up to here `bytes` may be filled; nothing may while a range is lent, so that whoever appends comes by `reserve`. */
  private limit = size;
  /** A range that goes out behind what was collected, from where it lies: see `lend`. */
  private lent: Uint8Array | null = null;
  private lentStart = 0;
  private lentEnd = 0;
  private readonly views: (Buffer | undefined)[] = Array.from({ length: viewCount });

  /** Bytes that wait to be sent. */
  get length(): number {
    return this.lent === null ? this.filled : this.filled + this.lentEnd - this.lentStart;
  }

  get isEmpty(): boolean {
    return this.filled === 0 && this.lent === null;
  }

  clear(): void {
    this.filled = 0;
    if (this.lent !== null) this.takeBack();
  }

  /** Appends latin1 text. Code points above 255 must not be in it. */
  text(text: string): void {
    this.reserve(text.length);
    this.filled += this.bytes.latin1Write(text, this.filled, text.length);
  }

  /** Appends source[start, end). */
  copy(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.reserve(count);
    if (count < 24) {
      const bytes = this.bytes;
      let to = this.filled;
      for (let from = start; from < end; from++) bytes[to++] = source[from]!;
    } else {
      (source as Buffer).copy(this.bytes, this.filled, start, end);
    }
    this.filled += count;
  }

  /**
   * Appends source[start, end), which must stay as it is until what was collected is sent or cleared. A long range is not copied
   * but for what the kernel does not take at once.
   */
  lend(source: Uint8Array, start: number, end: number): void {
    if (end - start < (this.filled === 0 ? lentAlone : lentBehindHead)) {
      this.copy(source, start, end);
      return;
    }
    this.settle();
    this.lent = source;
    this.lentStart = start;
    this.lentEnd = end;
    this.limit = -1;
  }

  /** Appends bytes that were made ready before: the cheapest of all. */
  constant(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.filled);
    this.filled += bytes.length;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.filled++] = value;
  }

  crlf(): void {
    this.reserve(2);
    this.bytes[this.filled++] = 0x0d;
    this.bytes[this.filled++] = 0x0a;
  }

  decimal(value: number): void {
    this.text(String(value));
  }

  /** Appends source[start, end) as one chunk (RFC 9112 section 7.1). The range must not be empty: that would end the body. */
  chunk(source: Uint8Array, start: number, end: number): void {
    this.reserve(end - start + headRoom);
    this.text((end - start).toString(16));
    this.crlf();
    this.copy(source, start, end);
    this.crlf();
  }

  /** Ends a chunked body, with its trailers. Fields of a known name are left out: none of them belongs there. */
  lastChunk(trailers: HeaderFields | null): void {
    this.text('0\r\n');
    if (trailers !== null) {
      for (let index = 0; index < trailers.count; index++) {
        if (trailers.kinds[index] === 0 && trailers.dropped[index] === 0)
          this.copy(trailers.bytes, trailers.nameStart[index]!, trailers.lineEnd[index]!);
      }
    }
    this.crlf();
  }

  /** Writes what was collected and empties the buffer. */
  sendTo(transport: Transport): void {
    if (this.lent !== null) this.sendLent(transport, this.lent);
    const { filled } = this;
    this.filled = 0;
    if (filled > 0 && !transport.write(this.view(filled), this.bytes)) this.replaceMemory(size);
  }

  /** Writes what was collected and as much of the lent range as the kernel takes; the rest is collected. */
  private sendLent(transport: Transport, lent: Uint8Array): void {
    const { filled, lentStart, lentEnd } = this;
    this.takeBack();
    if (filled > 0 && transport.writesInPlace) {
      this.filled = 0;
      if (!transport.write(this.view(filled), this.bytes)) this.replaceMemory(size);
    }
    const taken = transport.writesInPlace ? transport.writeInPlace(lent, lentStart, lentEnd) : 0;
    if (lentStart + taken < lentEnd) this.copy(lent, lentStart + taken, lentEnd);
  }

  private takeBack(): void {
    this.lent = null;
    this.limit = this.bytes.length;
  }

  private settle(): void {
    const { lent, lentStart, lentEnd } = this;
    if (lent === null) return;
    this.takeBack();
    this.copy(lent, lentStart, lentEnd);
  }

  // Most writes are short and of few lengths: their views are made once for each memory.
  private view(length: number): Buffer {
    if (length >= viewCount) return this.bytes.subarray(0, length);
    return (this.views[length] ??= this.bytes.subarray(0, length));
  }

  /** Copies what was collected to the beginning of `memory`, which has room for it. Does not empty the buffer. */
  copyTo(memory: Buffer): void {
    this.settle();
    memory.set(this.view(this.filled));
  }

  /** What was collected as memory of its own, for a connection that is not there yet. Does not empty the buffer. */
  copyOut(): Buffer {
    this.settle();
    return Buffer.from(this.bytes.subarray(0, this.filled));
  }

  private reserve(count: number): void {
    if (this.filled + count <= this.limit) return;
    this.settle();
    if (this.filled + count <= this.limit) return;
    const before = this.bytes;
    this.replaceMemory(Math.max(before.length * 2, this.filled + count));
    before.copy(this.bytes, 0, 0, this.filled);
  }

  private replaceMemory(bytes: number): void {
    this.bytes = bytes === size ? (spares.pop() ?? Buffer.allocUnsafeSlow(size)) : Buffer.allocUnsafeSlow(bytes);
    this.limit = this.bytes.length;
    this.views.fill(undefined);
  }
}

/** Memory that slow peers have given back, for the next one: fresh pages cost more than what is written into them. */
const spares: Buffer[] = [];
const maxSpares = 16;

/** Takes back the memory of an output buffer that a write has held. */
export function recycleOutput(memory: Buffer): void {
  if (memory.length === size && spares.length < maxSpares) spares.push(memory);
}
