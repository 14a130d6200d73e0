import type { OutputBuffer } from '../http/output-buffer.ts';
import type { TimerWheel } from '../http/timer-wheel.ts';
import type { WorkerCounters } from '../telemetry/shared-counters.ts';
import type { ApiKeyId } from '../model/ids.ts';
import type { RateLimiter } from './admit/rate-limiter.ts';
import type { ForwardingIdentity } from './forward/write-request-head.ts';
import type { ExchangeRecorder } from './record/exchange-recorder.ts';
import type { CompiledUpstream } from './snapshot/compile-upstream.ts';
import type { Snapshot } from './snapshot/snapshot.ts';

/** What every exchange of one worker shares. */
export interface Gateway {
  /** The snapshot that new exchanges take; replaced whole by each change. null until the first one has come. */
  live: Snapshot | null;
  draining: boolean;
  readonly wheel: TimerWheel;
  /** A WebSocket on which neither side sends anything for this long is ended, in milliseconds; 0 for never. */
  readonly websocketIdleMs: number;
  readonly requestOutput: OutputBuffer;
  readonly counters: WorkerCounters;
  readonly recorder: ExchangeRecorder;
  readonly limiter: RateLimiter;
  /** Keys used since the control plane was last told, with the time of the last use (milliseconds since the epoch). */
  readonly keysUsed: Map<ApiKeyId, number>;
  readonly identity: ForwardingIdentity;
  /** Our own member of a Via list: a request that carries it has been here before. */
  readonly viaToken: string;
  /** `Allow` where no route decides, with its line end. */
  readonly allowField: string;
  /** The control plane as an upstream, where it shares the traffic port; else null. */
  readonly admin: CompiledUpstream | null;
  /** A defect of ours: told to the operator; the request it hit gets a 500. */
  reportFault(where: string, error: unknown): void;
}
