import type { HeaderFields } from './header-fields.ts';
import type { Transport } from './transport.ts';

const size = 288 * 1024;
const headRoom = 24;
const viewCount = 2048;

/**
 * Collects the bytes of one write: a head, the body bytes at hand, their chunk framing. One per worker and
 * direction is enough, as everything between filling and sending happens within one callback. When the kernel
 * does not take all at once, the memory belongs to that write and the buffer takes fresh memory for the next.
 */
export class OutputBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(size);
  length = 0;
  private readonly views: (Buffer | undefined)[] = Array.from({ length: viewCount });

  get isEmpty(): boolean {
    return this.length === 0;
  }

  clear(): void {
    this.length = 0;
  }

  /** Appends latin1 text. Code points above 255 must not be in it. */
  text(text: string): void {
    this.reserve(text.length);
    this.length += this.bytes.latin1Write(text, this.length, text.length);
  }

  /** Appends source[start, end). */
  copy(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.reserve(count);
    if (count < 24) {
      const bytes = this.bytes;
      let to = this.length;
      for (let from = start; from < end; from++) bytes[to++] = source[from]!;
    } else {
      (source as Buffer).copy(this.bytes, this.length, start, end);
    }
    this.length += count;
  }

  /** Appends bytes that were made ready before: the cheapest of all. */
  constant(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  crlf(): void {
    this.reserve(2);
    this.bytes[this.length++] = 0x0d;
    this.bytes[this.length++] = 0x0a;
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
    const { length } = this;
    this.length = 0;
    if (length > 0 && !transport.write(this.view(length), this.bytes)) this.replaceMemory(size);
  }

  // Most writes are short and of few lengths: their views are made once for each memory.
  private view(length: number): Buffer {
    if (length >= viewCount) return this.bytes.subarray(0, length);
    return (this.views[length] ??= this.bytes.subarray(0, length));
  }

  /** Copies what was collected to the beginning of `memory`, which has room for it. Does not empty the buffer. */
  copyTo(memory: Buffer): void {
    memory.set(this.view(this.length));
  }

  /** What was collected as memory of its own, for a connection that is not there yet. Does not empty the buffer. */
  copyOut(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.length));
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const before = this.bytes;
    this.replaceMemory(Math.max(before.length * 2, this.length + count));
    before.copy(this.bytes, 0, 0, this.length);
  }

  private replaceMemory(bytes: number): void {
    this.bytes = bytes === size ? (spares.pop() ?? Buffer.allocUnsafeSlow(size)) : Buffer.allocUnsafeSlow(bytes);
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
