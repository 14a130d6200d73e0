import { LineWriter } from '../../telemetry/line-writer.ts';
import type { WorkerCounters } from '../../telemetry/shared-counters.ts';
import { maxLineBytes } from './exchange-line.ts';

/**
 * Lines on their way to the main thread, which gets them every 100 ms or when the memory is full: one message for hundreds of
 * requests. When main does not keep up, they are dropped, and no request waits.
 */
export class LineBatch {
  readonly writer = new LineWriter(bufferBytes);
  readonly #counters: WorkerCounters;
  readonly #send: (bytes: Uint8Array<ArrayBuffer>, lines: number, errors: boolean) => void;
  readonly #dropped: (lines: number) => void;
  readonly #onTimer: () => void;
  #lines = 0;
  #errors = false;
  #timer: NodeJS.Timeout | null = null;

  /** `send` takes whole lines, how many they are, and whether one tells of an error; the array and its memory are the receiver's. `dropped` is told of lines that went nowhere. */
  constructor(
    counters: WorkerCounters,
    send: (bytes: Uint8Array<ArrayBuffer>, lines: number, errors: boolean) => void,
    dropped: (lines: number) => void,
  ) {
    this.#counters = counters;
    this.#send = send;
    this.#dropped = dropped;
    this.#onTimer = () => {
      this.#timer = null;
      this.flush();
    };
  }

  /** A line was written; whether it tells of an error. */
  lineDone(isError: boolean): void {
    if (isError) this.#errors = true;
    this.#lines++;
    if (this.writer.length > bufferBytes - maxLineBytes) this.flush();
    else this.#timer ??= setTimeout(this.#onTimer, flushMs).unref();
  }

  /** Hands over what there is. */
  flush(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
    const { writer } = this;
    const { length } = writer;
    if (length === 0) return;
    const lines = this.#lines;
    this.#lines = 0;
    const errors = this.#errors;
    this.#errors = false;
    if (this.#counters.logBacklog > maxBacklog) {
      writer.length = 0;
      this.#dropped(lines);
      return;
    }
    this.#counters.logBytesSent(length);
    if (length > smallBatch) {
      this.#send(writer.takeFilled(), lines, errors);
      return;
    }
    // A copy of the right size: what waits in a stalled sink must not hold a half-empty buffer for each few lines.
    const copy = writer.bytes.slice(0, length);
    writer.length = 0;
    this.#send(copy, lines, errors);
  }
}

const flushMs = 100;
/**
 * A batch goes when no further line is sure to fit. Each wakes the main thread, which takes a millisecond of a core for it,
 * whatever its size: batches of 64 KiB cost as much as a sixteenth of all the worker's own work.
 */
const bufferBytes = 512 * 1024 + maxLineBytes;
const smallBatch = 256 * 1024;
const maxBacklog = 4 * 1024 * 1024;
