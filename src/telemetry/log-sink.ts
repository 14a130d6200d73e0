import fs from 'node:fs';
import { droppedNotice } from './logger.ts';

/** Where a sink's bytes go. One write at a time; the callback comes exactly once, never before write returns. */
export interface LogTarget {
  /** Writes all, or some and then fails: `written` says how much. */
  write(bytes: Buffer, callback: (error: NodeJS.ErrnoException | null, written: number) => void): void;
}

export interface LogSinkOptions {
  /** Bytes that may wait; 8 MiB when not given. Beyond it lines are dropped. */
  readonly maxBytes?: number;
  /** The line that tells of dropped ones, with its line end; a JSON line when not given. */
  readonly droppedNotice?: (lines: number) => string;
  /** Hears of every line dropped, for the counters. */
  readonly onDropped?: (lines: number) => void;
}

interface Waiting {
  readonly bytes: Buffer;
  /** Called when the bytes are not needed any more. */
  readonly done: (() => void) | null;
}

/**
 * The one way of all log lines to standard output. Never blocks and never throws: while the reader is slow, lines wait in
 * bounded memory; what does not fit is dropped whole lines at a time, and said later. A full disk is tried again every second;
 * a reader that has gone for good turns the sink into one that drops everything.
 */
export class LogSink {
  readonly #target: LogTarget;
  readonly #maxBytes: number;
  readonly #droppedNotice: (lines: number) => string;
  readonly #onDropped: (lines: number) => void;
  #queue: Waiting[] = [];
  #waitingBytes = 0;
  #busy = false;
  #closed = false;
  #untold = 0;
  #dropped = 0;
  #idle: (() => void)[] = [];

  /** `target`: standard output (1), another open descriptor of a file, or anything else that can be written to. */
  constructor(target: number | LogTarget, options: LogSinkOptions = {}) {
    this.#target = typeof target === 'object' ? target : target === 1 ? standardOutput() : new FileTarget(target);
    this.#maxBytes = options.maxBytes ?? 8 * 1024 * 1024;
    this.#droppedNotice = options.droppedNotice ?? ((lines) => droppedNotice('json', lines, Date.now()));
    this.#onDropped = options.onDropped ?? (() => {});
  }

  /** Takes whole lines, each with its line end; the bytes must not change until `done` is called. False: dropped. */
  write(lines: string | Uint8Array, done: (() => void) | null = null): boolean {
    const bytes = typeof lines === 'string' ? Buffer.from(lines) : Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
    if (bytes.length === 0) {
      done?.();
      return true;
    }
    if (this.#closed || this.#waitingBytes + bytes.length > this.#maxBytes) {
      this.#drop(countLines(bytes));
      done?.();
      return false;
    }
    this.#queue.push({ bytes, done });
    this.#waitingBytes += bytes.length;
    this.#pump();
    return true;
  }

  /** Lines dropped since the start. */
  get linesDropped(): number {
    return this.#dropped;
  }

  /** Bytes that wait or are being written. */
  get backlog(): number {
    return this.#waitingBytes;
  }

  /** Resolves when all is written, or after `timeoutMs`: whether all was written. */
  async flush(timeoutMs: number): Promise<boolean> {
    if (this.#waitingBytes === 0 || this.#closed) return this.#waitingBytes === 0;
    return new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      this.#idle.push(() => {
        clearTimeout(timer);
        resolve(!this.#closed);
      });
    });
  }

  /** At the end of the process: gives what still waits a moment to be written. */
  async close(): Promise<void> {
    await this.flush(closeMs);
  }

  #pump(): void {
    if (this.#busy || this.#closed) return;
    if (this.#queue.length === 0) {
      if (this.#untold === 0) {
        this.#settle();
        return;
      }
      const notice = Buffer.from(this.#droppedNotice(this.#untold));
      this.#untold = 0;
      this.#queue.push({ bytes: notice, done: null });
      this.#waitingBytes += notice.length;
    }
    this.#busy = true;
    const { bytes, done } = this.#takeBatch();
    this.#write(bytes, done);
  }

  #write(bytes: Buffer, done: (() => void) | null): void {
    this.#target.write(bytes, (error, written) => {
      this.#waitingBytes -= written;
      const rest = bytes.subarray(written);
      if (error === null) {
        this.#busy = false;
        done?.();
        this.#pump();
      } else if (isForGood(error)) {
        this.#close(rest);
        done?.();
      } else {
        setTimeout(() => this.#write(rest, done), error.code === 'EAGAIN' ? retryFullMs : retryFailedMs).unref();
      }
    });
  }

  #takeBatch(): Waiting {
    let count = 0;
    for (let bytes = 0; count < this.#queue.length && (count === 0 || bytes + this.#queue[count]!.bytes.length <= maxBatch); count++) {
      bytes += this.#queue[count]!.bytes.length;
    }
    const batch = this.#queue.splice(0, count);
    if (batch.length === 1) return batch[0]!;
    const all = Buffer.concat(batch.map(({ bytes }) => bytes));
    for (const { done } of batch) done?.();
    return { bytes: all, done: null };
  }

  #close(rest: Buffer): void {
    this.#closed = true;
    this.#drop(countLines(rest) + this.#queue.reduce((sum, { bytes }) => sum + countLines(bytes), 0));
    for (const { done } of this.#queue) done?.();
    this.#queue = [];
    this.#waitingBytes = 0;
    this.#settle();
  }

  #drop(lines: number): void {
    this.#untold += lines;
    this.#dropped += lines;
    if (lines > 0) this.#onDropped(lines);
  }

  #settle(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}

/**
 * Standard output as a target. Pipes and sockets go by way of Node's stream, which writes to them without blocking; a file or
 * terminal, to which that stream would write synchronously, gets asynchronous writes of our own.
 */
export function standardOutput(): LogTarget {
  const kind = fs.fstatSync(1, { throwIfNoEntry: false });
  if (kind === undefined || !(kind.isFIFO() || kind.isSocket())) return new FileTarget(1);
  return new StreamTarget(process.stdout);
}

/** A file descriptor that asynchronous writes suit: a file, a terminal, a device. */
export class FileTarget implements LogTarget {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(bytes: Buffer, callback: (error: NodeJS.ErrnoException | null, written: number) => void): void {
    this.#writeFrom(bytes, 0, callback);
  }

  #writeFrom(bytes: Buffer, start: number, callback: (error: NodeJS.ErrnoException | null, written: number) => void): void {
    fs.write(this.#descriptor, bytes, start, bytes.length - start, null, (error, written) => {
      if (error !== null) callback(error, start);
      else if (start + written >= bytes.length) callback(null, bytes.length);
      else this.#writeFrom(bytes, start + written, callback);
    });
  }
}

/** A stream, such as process.stdout on a pipe. Its errors are taken care of here. */
export class StreamTarget implements LogTarget {
  readonly #stream: NodeJS.WritableStream;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
    // A write that fails also emits: without a listener a reader that goes away would end the process.
    stream.on('error', () => {});
  }

  write(bytes: Buffer, callback: (error: NodeJS.ErrnoException | null, written: number) => void): void {
    this.#stream.write(bytes, (error) => {
      const failed = error === null || error === undefined ? null : (error as NodeJS.ErrnoException);
      callback(failed, failed === null ? bytes.length : 0);
    });
  }
}

const closeMs = 1000;
const maxBatch = 256 * 1024;
const retryFullMs = 20;
const retryFailedMs = 1000;

function isForGood(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE' || error.code === 'EBADF' || error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_DESTROYED';
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) lines++;
  return lines;
}
