import type { WorkerCounters } from '../../telemetry/shared-counters.ts';
import { LineWriter } from '../../telemetry/line-writer.ts';
import type { LogFormat } from '../../telemetry/log-text.ts';
import { isFailure, maxLineBytes, writeExchangeLine } from './exchange-line.ts';
import type { FinishedExchange } from './finished-exchange.ts';

export interface ExchangeRecorderOptions {
  readonly counters: WorkerCounters;
  readonly format: LogFormat;
  /** Whether requests that went well, or failed by the client's fault, get a line (level info). */
  readonly logRequests: boolean;
  /** Whether requests that failed by another's fault get a line (level warn or error); true when not given. */
  readonly logFailures?: boolean;
  /** Takes whole lines. The array and its memory are the receiver's: they can be transferred. */
  readonly send: (lines: Uint8Array<ArrayBuffer>) => void;
}

/**
 * Counts every exchange exactly once and writes its line of the access log, into memory that goes to the main thread every
 * 100 ms or when it is full: one message for hundreds of requests. When main does not keep up, lines are dropped and counted,
 * and no request waits.
 */
export class ExchangeRecorder {
  readonly #counters: WorkerCounters;
  readonly #format: LogFormat;
  readonly #logRequests: boolean;
  readonly #logFailures: boolean;
  readonly #send: (lines: Uint8Array<ArrayBuffer>) => void;
  readonly #onTimer: () => void;
  readonly #writer = new LineWriter(bufferBytes);
  #lines = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: ExchangeRecorderOptions) {
    this.#counters = options.counters;
    this.#format = options.format;
    this.#logRequests = options.logRequests;
    this.#logFailures = options.logFailures ?? true;
    this.#send = options.send;
    this.#onTimer = () => {
      this.#timer = null;
      this.flush();
    };
  }

  /** The exchange has ended. It may be reused as soon as this returns. */
  record(exchange: FinishedExchange): void {
    this.#counters.requestFinished(exchange.status, exchange.code, exchange.durationMs, exchange.bytesIn, exchange.bytesOut);
    if (isFailure(exchange) ? !this.#logFailures : !this.#logRequests) return;
    writeExchangeLine(this.#writer, exchange, this.#format);
    this.#lines++;
    if (this.#writer.length > bufferBytes - maxLineBytes) this.flush();
    else this.#timer ??= setTimeout(this.#onTimer, flushMs).unref();
  }

  /** Hands over what there is. Call it before the thread ends. */
  flush(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
    const writer = this.#writer;
    const { length } = writer;
    if (length === 0) return;
    const lines = this.#lines;
    this.#lines = 0;
    if (this.#counters.logBacklog > maxBacklog) {
      writer.length = 0;
      this.#counters.logLinesDropped(lines);
      return;
    }
    this.#counters.logBytesSent(length);
    if (length > smallBatch) {
      this.#send(writer.takeFilled());
      return;
    }
    // A copy of the right size: what waits in a stalled sink must not hold a half-empty buffer for each few lines.
    const copy = writer.bytes.slice(0, length);
    writer.length = 0;
    this.#send(copy);
  }
}

const flushMs = 100;
/** A batch goes when no further line is sure to fit. */
const bufferBytes = 64 * 1024 + maxLineBytes;
const smallBatch = 48 * 1024;
const maxBacklog = 4 * 1024 * 1024;
