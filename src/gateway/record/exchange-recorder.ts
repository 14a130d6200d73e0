import type { WorkerCounters } from '../../telemetry/shared-counters.ts';
import type { LogFormat } from '../../telemetry/log-text.ts';
import { exchangeLine, isFailure, maxLineBytes } from './exchange-line.ts';
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
  #buffer = Buffer.from(new ArrayBuffer(bufferBytes));
  #length = 0;
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
    const line = exchangeLine(exchange, this.#format);
    if (this.#length + line.length > bufferBytes) this.flush();
    this.#length += this.#buffer.latin1Write(line, this.#length);
    this.#lines++;
    this.#timer ??= setTimeout(this.#onTimer, flushMs).unref();
  }

  /** Hands over what there is. Call it before the thread ends. */
  flush(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
    if (this.#length === 0) return;
    const filled = this.#buffer.subarray(0, this.#length);
    const lines = this.#lines;
    this.#lines = 0;
    this.#length = 0;
    if (this.#counters.logBacklog > maxBacklog) {
      this.#counters.logLinesDropped(lines);
      return;
    }
    this.#counters.logBytesSent(filled.length);
    if (filled.length < bufferBytes / 4) {
      // Little traffic: a copy of the right size is cheaper than giving the whole buffer away.
      const copy = new Uint8Array(filled.length);
      copy.set(filled);
      this.#send(copy);
      return;
    }
    this.#buffer = Buffer.from(new ArrayBuffer(bufferBytes));
    this.#send(new Uint8Array(filled.buffer as ArrayBuffer, filled.byteOffset, filled.length));
  }
}

const flushMs = 100;
const bufferBytes = 64 * 1024;
const maxBacklog = 4 * 1024 * 1024;

if (maxLineBytes > bufferBytes) throw new Error('a line of the access log must fit into the buffer');
