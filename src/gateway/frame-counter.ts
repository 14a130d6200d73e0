/**
 * Counts the frames of one direction of a WebSocket (RFC 6455 section 5.2) as they pass, in pieces of any size: reads headers, skips
 * payloads, keeps nothing. It judges nothing either: reserved bits, unknown opcodes and lengths beyond 2^63 are the peers' business.
 */
export class FrameCounter {
  /** Frames whose header has passed. */
  frames = 0;
  /** A close frame has begun to pass: no frame may follow it (section 5.5.1). */
  closing = false;
  private stage: number = stage.first;
  /** Bytes of the length that are still to come; then of the mask and the payload. */
  private left = 0;
  /** A double: lengths beyond 2^53 are not exact, and so long that nobody will see their end. */
  private length = 0;
  private masked = false;

  /** Whether a frame of our own could be put in here. */
  get isBetweenFrames(): boolean {
    return this.stage === stage.first;
  }

  count(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.stage === stage.payload) {
        const step = Math.min(this.left, end - at);
        at += step;
        this.left -= step;
        if (this.left === 0) this.stage = stage.first;
        continue;
      }
      const byte = bytes[at++]!;
      if (this.stage === stage.first) {
        if ((byte & 0x0f) === closeOpcode) this.closing = true;
        this.stage = stage.second;
      } else if (this.stage === stage.second) {
        this.masked = byte >= 0x80;
        this.length = byte & 0x7f;
        this.left = this.length === 126 ? 2 : this.length === 127 ? 8 : 0;
        if (this.left === 0) {
          this.endHeader();
        } else {
          this.length = 0;
          this.stage = stage.length;
        }
      } else {
        this.length = this.length * 256 + byte;
        if (--this.left === 0) this.endHeader();
      }
    }
  }

  private endHeader(): void {
    this.frames++;
    this.left = this.length + (this.masked ? 4 : 0);
    this.stage = this.left === 0 ? stage.first : stage.payload;
  }
}

const stage = { first: 0, second: 1, length: 2, payload: 3 } as const;
const closeOpcode = 8;
