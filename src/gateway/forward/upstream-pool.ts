import type net from 'node:net';
import type { ErrorCode } from '../../errors/catalogue.ts';
import { ClientConnection, type ClientShared, type IdleKeeper } from '../../http/client-connection.ts';
import { IdleConnections } from '../../http/idle-connections.ts';
import { Deadline, type DeadlineOwner } from '../../http/timer-wheel.ts';
import { type DialOwner, type DialServices, type DialTarget, UpstreamDial } from './dial-upstream.ts';
import type { PoolLimits } from './pool-limits.ts';

/** Wants a connection. One at a time: it has none, waits for one, or holds one. */
export interface PoolClient {
  onConnection(connection: ClientConnection): void;
  onNoConnection(code: ErrorCode, reason: string): void;
}

/** The settings of an upstream that its pool follows while it lives. */
export interface PoolSettings {
  readonly timeoutMs: number;
  readonly maxIdle: number;
  readonly idleTimeoutMs: number;
  /** 0 for no cap. */
  readonly maxActive: number;
}

/** What pools of one worker share. */
export interface PoolServices extends DialServices {
  readonly client: ClientShared;
  /** Counts what happens to connections; see telemetry. */
  readonly onConnect: () => void;
}

/** At the cap, this many requests may wait in one worker (or as many as the cap is), each for at most `queueTime`. */
const minQueue = 16;
const queueTime = 5_000;
/** A slot that another worker gives back is noticed within this time. */
const retryTime = 20;

/** A connection attempt or a place in the queue, on behalf of one client. */
class Waiter implements DialOwner {
  readonly pool: UpstreamPool;
  readonly client: PoolClient;
  readonly fresh: boolean;
  readonly queuedUntil: number;
  dial: UpstreamDial | null = null;

  constructor(pool: UpstreamPool, client: PoolClient, fresh: boolean, queuedUntil: number) {
    this.pool = pool;
    this.client = client;
    this.fresh = fresh;
    this.queuedUntil = queuedUntil;
  }

  onDialed(socket: net.Socket, isTls: boolean): void {
    this.pool.dialed(this, socket, isTls);
  }

  onDialFailed(code: ErrorCode, reason: string): void {
    this.pool.dialFailed(this, code, reason);
  }
}

/**
 * The connections of one worker to one upstream. Idle ones are capped over all workers together, and so is
 * concurrency where max_conns asks for it: the shared counts are in `limits`. Lives as long as the fields that
 * connections depend on stay the same; then it is retired and its busy connections finish.
 */
export class UpstreamPool implements IdleKeeper, DeadlineOwner {
  settings: PoolSettings;
  private readonly services: PoolServices;
  private readonly target: DialTarget;
  private readonly limits: PoolLimits;
  /** Place of this upstream in the shared counts. */
  readonly slot: number;
  private readonly idle = new IdleConnections();
  private readonly waiters = new Map<PoolClient, Waiter>();
  private readonly queue: Waiter[] = [];
  private readonly queueDeadline: Deadline;
  private retired = false;

  constructor(services: PoolServices, target: DialTarget, limits: PoolLimits, slot: number, settings: PoolSettings) {
    this.services = services;
    this.target = target;
    this.limits = limits;
    this.slot = slot;
    this.settings = settings;
    this.queueDeadline = new Deadline(this);
  }

  get idleCount(): number {
    return this.idle.size;
  }

  /**
   * Gives a connection now, or null: then one of the client's two methods is called later, unless it cancels.
   * `fresh` asks for a new connection, as a retry must.
   */
  acquire(client: PoolClient, fresh: boolean): ClientConnection | null {
    if (!this.limits.tryAcquireActive(this.slot, this.settings.maxActive)) {
      this.enqueue(client, fresh);
      return null;
    }
    return this.connect(client, fresh, null);
  }

  /** The client does not want it any more. */
  cancel(client: PoolClient): void {
    const waiter = this.waiters.get(client);
    if (waiter === undefined) return;
    this.waiters.delete(client);
    if (waiter.dial !== null) {
      waiter.dial.cancel();
      this.releaseActive();
      return;
    }
    const index = this.queue.indexOf(waiter);
    if (index >= 0) this.queue.splice(index, 1);
  }

  /** Takes back a connection that `acquire` gave: keeps it when it may serve another exchange, closes it otherwise. */
  release(connection: ClientConnection): void {
    const waiting = this.queue.length > 0;
    if (!connection.isReusable || this.retired) {
      connection.destroy();
    } else {
      const timeout = idleTime(this.settings.idleTimeoutMs, connection.keepAliveHint);
      if (timeout > 0 && this.limits.tryParkIdle(this.slot, this.settings.maxIdle)) {
        connection.park(timeout);
        this.idle.push(connection);
      } else {
        connection.destroy();
      }
    }
    this.limits.releaseActive(this.slot);
    if (waiting) this.serveQueue();
  }

  /** Closes what is idle; busy connections finish and are closed then. */
  retire(): void {
    this.retired = true;
    this.closeIdle(0);
  }

  /** Follows changed settings; connections over a lowered cap are closed. */
  follow(settings: PoolSettings): void {
    this.settings = settings;
    this.closeIdle(settings.maxIdle);
  }

  /** Closes what is idle now; the pool goes on. */
  closeAllIdle(): void {
    this.closeIdle(0);
  }

  onIdleClosed(connection: ClientConnection): void {
    this.idle.remove(connection);
    this.limits.unparkIdle(this.slot);
  }

  onDeadline(): void {
    const now = this.services.wheel.now;
    while (this.queue.length > 0 && this.queue[0]!.queuedUntil <= now) {
      const waiter = this.queue.shift()!;
      this.waiters.delete(waiter.client);
      waiter.client.onNoConnection('upstream_overloaded', `waited ${queueTime} ms for one of ${this.settings.maxActive} connections`);
    }
    this.serveQueue();
  }

  // ---- dialling

  dialed(waiter: Waiter, socket: net.Socket, isTls: boolean): void {
    this.waiters.delete(waiter.client);
    const connection = new ClientConnection(this.services.client, socket, isTls, this);
    waiter.client.onConnection(connection);
  }

  dialFailed(waiter: Waiter, code: ErrorCode, reason: string): void {
    this.waiters.delete(waiter.client);
    this.releaseActive();
    waiter.client.onNoConnection(code, reason);
  }

  // The active slot is taken already.
  private connect(client: PoolClient, fresh: boolean, queued: Waiter | null): ClientConnection | null {
    if (!fresh) {
      const connection = this.idle.pop();
      if (connection !== null) {
        this.limits.unparkIdle(this.slot);
        if (queued !== null) this.waiters.delete(client);
        return connection;
      }
    }
    const waiter = queued ?? new Waiter(this, client, fresh, 0);
    this.waiters.set(client, waiter);
    waiter.dial = new UpstreamDial(this.services, this.target, this.settings.timeoutMs, waiter);
    this.services.onConnect();
    waiter.dial.start();
    return null;
  }

  // ---- the queue at the cap

  private enqueue(client: PoolClient, fresh: boolean): void {
    if (this.queue.length >= Math.max(minQueue, this.settings.maxActive)) {
      // The client is in the middle of asking; it hears of it as of any other failure.
      client.onNoConnection('upstream_overloaded', `all ${this.settings.maxActive} connections are busy and the queue is full`);
      return;
    }
    const waiter = new Waiter(this, client, fresh, this.services.wheel.refresh() + Math.min(queueTime, this.settings.timeoutMs));
    this.waiters.set(client, waiter);
    this.queue.push(waiter);
    if (this.queue.length === 1) this.services.wheel.arm(this.queueDeadline, retryTime);
  }

  private serveQueue(): void {
    while (this.queue.length > 0 && this.limits.tryAcquireActive(this.slot, this.settings.maxActive)) {
      const waiter = this.queue.shift()!;
      const connection = this.connect(waiter.client, waiter.fresh, waiter);
      if (connection !== null) waiter.client.onConnection(connection);
    }
    if (this.queue.length > 0) this.services.wheel.arm(this.queueDeadline, retryTime);
  }

  private releaseActive(): void {
    this.limits.releaseActive(this.slot);
    if (this.queue.length > 0) this.serveQueue();
  }

  private closeIdle(keep: number): void {
    while (this.idle.size > keep) {
      const connection = this.idle.pop()!;
      this.limits.unparkIdle(this.slot);
      connection.destroy();
    }
  }
}

/** An upstream that says how long it keeps a connection is believed, with a second to spare for what is on the wire. */
function idleTime(configured: number, hint: number): number {
  return hint < 0 ? configured : Math.min(configured, hint - 1000);
}
