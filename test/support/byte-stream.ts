/** How the other side ended the connection: an orderly FIN, a reset, or our own destroy(). */
export type Ending = 'fin' | 'reset' | 'local';

/** The other side ended before the bytes that were asked for arrived. */
export class StreamEnded extends Error {
  readonly ending: Ending;
  constructor(ending: Ending, wanted: string) {
    super(`connection ended (${ending}) while waiting for ${wanted}`);
    this.name = 'StreamEnded';
    this.ending = ending;
  }
}

/** The bytes that were asked for did not arrive in time. */
export class DeadlinePassed extends Error {
  constructor(wanted: string) {
    super(`deadline passed while waiting for ${wanted}`);
    this.name = 'DeadlinePassed';
  }
}

/** The bytes that arrived break the grammar of HTTP/1.1. */
export class ProtocolViolation extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProtocolViolation';
  }
}

/** A moment on the monotonic clock, in milliseconds. */
export type Deadline = number;

export function deadlineIn(ms: number): Deadline {
  return performance.now() + ms;
}

/** Bytes of one direction of a connection, pulled by a reader that knows what it wants next. */
export class ByteStream {
  #chunks: Buffer[] = [];
  #size = 0;
  #ending: Ending | undefined;
  #wake: (() => void) | undefined;

  get size(): number {
    return this.#size;
  }

  get ending(): Ending | undefined {
    return this.#ending;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    this.#wake?.();
  }

  /** Only the first ending counts. */
  finish(ending: Ending): void {
    this.#ending ??= ending;
    this.#wake?.();
  }

  peek(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  take(length: number): Buffer {
    const all = this.peek();
    const taken = all.subarray(0, length);
    const rest = all.subarray(length);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
    return taken;
  }

  takeAll(): Buffer {
    return this.take(this.#size);
  }

  /** Resolves once something was pushed or the stream ended; rejects at the deadline. */
  async change(deadline: Deadline, wanted: string): Promise<void> {
    const remaining = deadline - performance.now();
    if (remaining <= 0) throw new DeadlinePassed(wanted);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#wake = undefined;
        reject(new DeadlinePassed(wanted));
      }, remaining);
      this.#wake = () => {
        this.#wake = undefined;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** At least one byte, or undefined at the end of the stream. */
  async some(deadline: Deadline, wanted: string, limit = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
    while (this.#size === 0) {
      if (this.#ending !== undefined) return undefined;
      await this.change(deadline, wanted);
    }
    return this.take(Math.min(this.#size, limit));
  }

  async exactly(length: number, deadline: Deadline, wanted: string): Promise<Buffer> {
    while (this.#size < length) {
      if (this.#ending !== undefined) throw new StreamEnded(this.#ending, wanted);
      await this.change(deadline, wanted);
    }
    return this.take(length);
  }

  /** One line without its CRLF; a bare LF or a bare CR is a violation. */
  async line(deadline: Deadline, wanted: string, limit = 1 << 20): Promise<string> {
    for (;;) {
      const all = this.peek();
      const lf = all.indexOf(10);
      if (lf >= 0) {
        const text = this.take(lf + 1).latin1Slice(0, lf);
        if (!text.endsWith('\r')) throw new ProtocolViolation(`bare LF in ${wanted}: ${JSON.stringify(text)}`);
        const line = text.slice(0, -1);
        if (line.includes('\r')) throw new ProtocolViolation(`bare CR in ${wanted}: ${JSON.stringify(text)}`);
        return line;
      }
      if (all.length > limit) throw new ProtocolViolation(`line longer than ${limit} in ${wanted}`);
      if (this.#ending !== undefined) throw new StreamEnded(this.#ending, wanted);
      await this.change(deadline, wanted);
    }
  }
}
