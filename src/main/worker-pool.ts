// Over 300 lines: the life of a worker, from its birth to its replacement, is read best in one piece.
import { randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { Publisher } from '../control/control-context.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import type { FromWorker, TlsFiles, ToWorker, WorkerBirth, WorkerListener } from '../gateway/worker-protocol.ts';
import type { FinishedLines } from '../gateway/record/exchange-recorder.ts';
import { createRateSlots } from '../gateway/admit/rate-limiter.ts';
import { createPoolSlots, readPoolGauges, reclaimPoolShare, upstreamCounterPlace } from '../gateway/forward/pool-limits.ts';
import type { GatewayConfigChange } from '../model/gateway-config.ts';
import type { ApiKeyId, UpstreamId } from '../model/ids.ts';
import { heartbeatOf, tookLogBytes, zeroGauges } from '../telemetry/shared-counters.ts';
import type { SlotAssignments } from '../telemetry/shared-slots.ts';
import { readUpstreamDetail, readUpstreamTotals, type UpstreamDetail } from '../telemetry/upstream-counters.ts';
import type { UpstreamCheck, UpstreamTraffic } from '../control/upstream-health.ts';
import { ConfigMirror } from './config-mirror.ts';
import { silenceLimit, watchInterval, WorkerWatch } from './worker-watch.ts';

export interface WorkerPoolOptions {
  /** What all workers are born with, but for their index. */
  readonly birth: Omit<WorkerBirth, 'index'>;
  readonly onLines: (finished: FinishedLines) => void;
  readonly onLog: (level: 'error' | 'warn' | 'info', message: string, fields: Readonly<Record<string, string | number>>) => void;
  readonly onKeysUsed: (keys: readonly (readonly [ApiKeyId, number])[]) => void;
  /** Every worker serves this change now. */
  readonly onServed: (change: GatewayConfigChange) => void;
}

const adminSlotId = 'admin';

/** A worker that does not serve a change within this time is replaced. */
const acknowledgeTime = 5_000;
/** More deaths than this of one worker within `stormWindow` are a storm; its next replacement then waits. The others' do not. */
const stormDeaths = 5;
const stormWindow = 10_000;
const stormPause = 5_000;

interface Member {
  readonly index: number;
  readonly worker: Worker;
  /** Sequence number of the change that it serves; 0 before the first. */
  applied: number;
  ready: boolean;
  drained: boolean;
}

/** The data plane's threads as main sees them: starts, feeds, replaces and stops them. */
export class WorkerPool implements Publisher {
  private readonly options: WorkerPoolOptions;
  private readonly members: (Member | null)[];
  private readonly mirror = new ConfigMirror();
  private readonly poolSlots;
  private readonly counterPlace;
  private readonly rateSlots = createRateSlots();
  /** Of each worker, when it died lately. */
  private readonly deaths: number[][];
  private readonly watch: WorkerWatch;
  private watchTimer: NodeJS.Timeout | null = null;
  private readonly waiting = new Set<() => void>();
  private listeners: readonly WorkerListener[];
  private sequence = 0;
  private started = false;
  private startFailure: Error | null = null;
  private stopping = false;

  constructor(options: WorkerPoolOptions) {
    this.options = options;
    this.listeners = options.birth.listeners;
    this.members = Array.from<Member | null>({ length: options.birth.workers }).fill(null);
    this.deaths = this.members.map(() => []);
    this.watch = new WorkerWatch((index) => heartbeatOf(options.birth.counters, index), performance.now());
    this.poolSlots = createPoolSlots(options.birth.workers);
    this.counterPlace = upstreamCounterPlace(options.birth.workers);
    // The control plane as an upstream has the first slot: see worker.ts.
    this.poolSlots.assign([adminSlotId]);
  }

  // Resolves when every worker listens and serves the config. Rejects when one cannot.
  private async start(): Promise<void> {
    for (let index = 0; index < this.members.length; index++) this.spawn(index);
    await this.until(() => {
      if (this.startFailure !== null) throw this.startFailure;
      return this.members.every((member) => member?.ready === true);
    });
    this.started = true;
    this.watchTimer = setInterval(() => this.replaceSilent(), watchInterval);
    this.watchTimer.unref();
  }

  private replaceSilent(): void {
    // One that is not ready yet has no heartbeat to miss.
    const ready = this.members.filter((member) => member?.ready === true);
    const lost = this.watch.look(
      performance.now(),
      ready.map((member) => member!.index),
    );
    for (const index of lost) {
      this.options.onLog('error', `a worker's event loop has stood still for more than ${silenceLimit / 1000} s; it is replaced`, {
        worker: index,
      });
      void this.members[index]?.worker.terminate();
    }
  }

  /**
   * Resolves when every worker serves the change; a worker that does not is replaced by one that does. The first one,
   * the whole gateway config, starts the workers.
   */
  async publish(change: GatewayConfigChange): Promise<void> {
    await this.publishToAll(change);
    this.options.onServed(change);
  }

  private async publishToAll(change: GatewayConfigChange): Promise<void> {
    const slots = this.learn(change);
    const sequence = ++this.sequence;
    if (!this.started) {
      await this.start();
      return;
    }
    for (const member of this.members) if (member !== null) this.send(member, { type: 'change', sequence, change, ...slots });
    const served = (): boolean => this.members.every((member) => member === null || member.applied >= sequence);
    if (await this.until(served, acknowledgeTime)) return;
    for (const member of this.members) {
      if (member === null || member.applied >= sequence) continue;
      this.options.onLog('error', 'a worker did not take a change of the gateway config in time and is replaced', { worker: member.index });
      void member.worker.terminate();
    }
    if (!(await this.until(() => this.members.every((member) => member !== null && member.applied >= sequence), acknowledgeTime))) {
      throw new GatewayError('publish_failed');
    }
  }

  /** Revision of the gateway config that was published last. */
  get revision(): number {
    return this.mirror.revision;
  }

  /** What each upstream's requests came to and its pools hold, over all workers; in the order in which they were made. */
  upstreamTraffic(checkOf: (id: UpstreamId) => UpstreamCheck | null): UpstreamTraffic[] {
    return this.mirror.upstreams().flatMap(({ id, name, enabled }) => {
      const slot = this.poolSlots.slotOf(id);
      if (slot === undefined) return [];
      const totals = readUpstreamTotals(this.poolSlots.segments, slot, this.counterPlace, this.members.length);
      return [{ id, name, enabled, totals, check: checkOf(id), ...readPoolGauges(this.poolSlots, id)! }];
    });
  }

  /** Reads what is counted of one upstream beyond its totals; zeros where there is no such upstream any more. */
  upstreamDetail(id: string, detail: UpstreamDetail): void {
    const slot = this.poolSlots.slotOf(id);
    if (slot !== undefined) return readUpstreamDetail(this.poolSlots.segments, slot, this.counterPlace, this.members.length, detail);
    detail.latencies.fill(0);
    detail.errors.fill(0);
  }

  /** Requests to the control plane that are under way. */
  get ownInFlight(): number {
    return readPoolGauges(this.poolSlots, adminSlotId)!.active;
  }

  broadcast(message: ToWorker): void {
    for (const member of this.members) if (member !== null) this.send(member, message);
  }

  /** Handshakes from now on get this certificate, those of workers yet to come too; sessions begun before are not resumed. */
  useCertificate({ cert, key }: TlsFiles): void {
    const tls = { cert, key, ticketKeys: newTicketKeys() };
    this.listeners = this.listeners.map((listener) => (listener.tls === null ? listener : { ...listener, tls }));
    this.broadcast({ type: 'certificate', tls });
  }

  /** Tickets given out so far are good no longer: whoever steals the keys opens a few hours' sessions, not all. */
  renewTicketKeys(): void {
    const served = this.listeners.find((listener) => listener.tls !== null)?.tls;
    if (served) this.useCertificate(served);
  }

  /** Lets requests in flight finish for at most `deadlineMs`, then ends all workers. */
  async drain(deadlineMs: number): Promise<void> {
    this.stop();
    this.broadcast({ type: 'drain', deadlineMs });
    await this.until(() => this.members.every((member) => member === null || member.drained), deadlineMs + 1_000);
    await this.terminate();
  }

  /** Ends all workers at once. */
  async terminate(): Promise<void> {
    this.stop();
    for (const member of this.members) await member?.worker.terminate();
  }

  private stop(): void {
    this.stopping = true;
    if (this.watchTimer !== null) clearInterval(this.watchTimer);
  }

  private learn(change: GatewayConfigChange): { poolSlots: SlotAssignments; rateSlots: SlotAssignments } {
    this.mirror.apply(change);
    this.poolSlots.release(change.removed.filter((id) => id.startsWith('up_')));
    this.rateSlots.release(change.removed.filter((id) => id.startsWith('key_')));
    return {
      poolSlots: this.poolSlots.assign(change.upstreams.map((upstream) => upstream.id)),
      rateSlots: this.rateSlots.assign(change.keys.map((key) => key.id)),
    };
  }

  private spawn(index: number): void {
    const entry = new URL(import.meta.url.endsWith('.ts') ? '../gateway/worker.ts' : '../gateway/worker.js', import.meta.url);
    const birth: WorkerBirth = { ...this.options.birth, listeners: this.listeners, index };
    const worker = new Worker(entry, { workerData: birth, name: `apigate-worker-${index}` });
    const member: Member = { index, worker, applied: 0, ready: false, drained: false };
    this.members[index] = member;
    this.watch.begin(index);
    worker.on('message', (message: FromWorker) => this.hear(member, message));
    worker.on('error', (error: Error) => {
      if (!this.started) {
        this.startFailure ??= error;
        this.changed();
        return;
      }
      this.options.onLog('error', 'a worker failed and is replaced', { worker: index, error: error.stack ?? error.message });
    });
    worker.on('exit', () => this.buried(member));
    const { sequence } = this;
    this.send(member, {
      type: 'change',
      sequence,
      change: this.mirror.full(),
      poolSlots: this.poolSlots.all(),
      rateSlots: this.rateSlots.all(),
    });
  }

  private send(member: Member, message: ToWorker): void {
    member.worker.postMessage(message);
  }

  private hear(member: Member, message: FromWorker): void {
    switch (message.type) {
      case 'lines':
        // Before anybody gives their memory back.
        tookLogBytes(this.options.birth.counters, member.index, message.lines.length);
        this.options.onLines(message);
        return;
      case 'log':
        this.options.onLog(message.level, message.message, message.fields);
        return;
      case 'keys-used':
        this.options.onKeysUsed(message.keys);
        return;
      case 'applied':
        member.applied = message.sequence;
        break;
      case 'ready':
        member.ready = true;
        break;
      case 'drained':
        member.drained = true;
        break;
    }
    this.changed();
  }

  private buried(member: Member): void {
    if (this.members[member.index] === member) this.members[member.index] = null;
    reclaimPoolShare(this.poolSlots, member.index);
    zeroGauges(this.options.birth.counters, member.index);
    this.changed();
    if (this.stopping || !this.started) return;
    const now = performance.now();
    const deaths = this.deaths[member.index]!;
    deaths.push(now);
    while (deaths[0]! < now - stormWindow) deaths.shift();
    const pause = deaths.length > stormDeaths ? stormPause : 0;
    if (pause > 0)
      this.options.onLog('error', `a worker dies again and again; the next one in its place starts in ${pause} ms`, {
        worker: member.index,
      });
    setTimeout(() => {
      if (!this.stopping && this.members[member.index] === null) this.spawn(member.index);
    }, pause);
  }

  private changed(): void {
    for (const check of this.waiting) check();
  }

  // Resolves true once the condition holds, false after `timeMs`.
  private until(condition: () => boolean, timeMs?: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const check = (): void => {
        try {
          if (!condition()) return;
          settle(true);
        } catch (error) {
          this.waiting.delete(check);
          clearTimeout(timer);
          reject(error);
        }
      };
      const settle = (result: boolean): void => {
        this.waiting.delete(check);
        clearTimeout(timer);
        resolve(result);
      };
      if (timeMs !== undefined) timer = setTimeout(() => settle(false), timeMs);
      this.waiting.add(check);
      check();
    });
  }
}

/** The name of the key, its key for HMAC and its key for AES: see tls.Server.setTicketKeys. */
export function newTicketKeys(): Uint8Array {
  return randomBytes(48);
}
