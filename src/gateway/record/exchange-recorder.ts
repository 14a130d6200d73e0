import type { WorkerCounters } from '../../telemetry/shared-counters.ts';
import type { LogFormat } from '../../telemetry/log-text.ts';
import type { UpstreamCounters } from '../../telemetry/upstream-counters.ts';
import { isFailure, writeExchangeLine } from './exchange-line.ts';
import type { FinishedExchange } from './finished-exchange.ts';
import { LineBatch } from './line-batch.ts';

/** What main does with lines: writes them to the access log, keeps them as records of finished requests, or both. */
export type LineUse = 'log' | 'record' | 'both';

export interface FinishedLines {
  /** Whole lines, each with its line end. */
  readonly lines: Uint8Array<ArrayBuffer>;
  readonly count: number;
  /** Whether there are requests among them that ended with an error of the gateway's or a 5xx of the upstream's. */
  readonly errors: boolean;
  readonly use: LineUse;
}

export interface ExchangeRecorderOptions {
  readonly counters: WorkerCounters;
  /** Where each upstream's requests are counted. */
  readonly upstreams: UpstreamCounters;
  readonly format: LogFormat;
  /** Whether requests that went well, or failed by the client's fault, get a line (level info). */
  readonly logRequests: boolean;
  /** Whether requests that failed by another's fault get a line (level warn or error). */
  readonly logFailures: boolean;
  /** The array and its memory are the receiver's: they can be transferred. */
  readonly send: (finished: FinishedLines) => void;
}

/**
 * Counts every exchange exactly once and sends its record to the main thread: a line of JSON. Where the access log wants that
 * very line, it is written once for both; else the log's lines, if it wants any, are written beside it.
 */
export class ExchangeRecorder {
  readonly #counters: WorkerCounters;
  readonly #upstreams: UpstreamCounters;
  readonly #format: LogFormat;
  readonly #logRequests: boolean;
  readonly #logFailures: boolean;
  readonly #records: LineBatch;
  /** null where the records are the log. */
  readonly #log: LineBatch | null;

  constructor(options: ExchangeRecorderOptions) {
    const { counters, send } = options;
    this.#counters = counters;
    this.#upstreams = options.upstreams;
    this.#format = options.format;
    this.#logRequests = options.logRequests;
    this.#logFailures = options.logFailures;
    const recordsAreLog = options.format === 'json' && options.logRequests && options.logFailures;
    this.#records = new LineBatch(
      counters,
      (lines, count, errors) => send({ lines, count, errors, use: recordsAreLog ? 'both' : 'record' }),
      (lines) => {
        counters.recordsDropped(lines);
        if (recordsAreLog) counters.logLinesDropped(lines);
      },
    );
    this.#log = recordsAreLog
      ? null
      : new LineBatch(
          counters,
          (lines, count, errors) => send({ lines, count, errors, use: 'log' }),
          (lines) => counters.logLinesDropped(lines),
        );
  }

  /** The exchange has ended. It may be reused as soon as this returns. */
  record(exchange: FinishedExchange): void {
    this.#counters.requestFinished(exchange.status, exchange.code, exchange.durationMs, exchange.bytesIn, exchange.bytesOut);
    if (exchange.routePart === null && exchange.code === null && exchange.routeId === '')
      this.#counters.ownRequestFinished(exchange.status);
    if (exchange.upstreamSlot >= 0) this.#upstreams.requestFinished(exchange.upstreamSlot, exchange);
    writeExchangeLine(this.#records.writer, exchange, 'json');
    const isError = exchange.code !== null || exchange.status >= 500;
    this.#records.lineDone(isError);
    if (this.#log === null || !(isFailure(exchange) ? this.#logFailures : this.#logRequests)) return;
    writeExchangeLine(this.#log.writer, exchange, this.#format);
    this.#log.lineDone(isError);
  }

  /** Hands over what there is. Call it before the thread ends. */
  flush(): void {
    this.#records.flush();
    this.#log?.flush();
  }
}
