import type { Socket } from 'node:net';
import type { HeaderFields } from './header-fields.ts';

const size = 160 * 1024;
const headRoom = 24;

/**
 * Collects the bytes of one write: a head, the body bytes at hand, their chunk framing. One per worker and
 * direction is enough, as everything between filling and sending happens within one callback. When the kernel
 * does not take all at once, the memory belongs to that write and the buffer takes fresh memory for the next.
 */
export class OutputBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(size);
  length = 0;

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

  /**
   * Writes what was collected and empties the buffer. Returns true when the kernel took all of it; false when
   * the rest waits in the socket, and the source should be paused.
   */
  sendTo(socket: Socket): boolean {
    const length = this.length;
    this.length = 0;
    if (length === 0) return socket.writableLength === 0;
    socket.write(this.bytes.subarray(0, length));
    if (socket.writableLength === 0) return true;
    this.bytes = Buffer.allocUnsafeSlow(size);
    return false;
  }

  /** What was collected as memory of its own, for a connection that is not there yet or for a retry. Does not empty the buffer. */
  copyOut(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.length));
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length + count));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}
