// Over 300 lines: the states of one upstream connection decide together, and are read best in one piece.
import type net from 'node:net';
import type { ErrorCode } from '../errors/catalogue.ts';
import { BodyDecoder, bodyBroken, bodyOpen, type BodySink } from './body-decoder.ts';
import type { HeaderFields } from './header-fields.ts';
import { type OutputBuffer, recycleOutput } from './output-buffer.ts';
import { headIncomplete, headRefused } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';
import { Deadline, type DeadlineOwner, type TimerWheel } from './timer-wheel.ts';
import { Transport, type TransportOwner } from './transport.ts';

/** An answer may be preceded by this many interim ones (1xx); more is a server gone wrong. */
const maxInterimResponses = 32;
/** What is left in a tunnel at its end has this long to leave. */
const tunnelEndTimeout = 5_000;
/** Bytes of a kept request whose memory an idle connection may hold on to. */
const keptWhileIdle = 2_048;

/** Hears of the one exchange that a connection to an upstream carries at a time. */
export interface ResponseHandler {
  /** A 1xx other than 101; `connection.head` is valid during the call. */
  onInterimResponse(): void;
  /** 101 to a request that asked for it; `connection.head` is valid during the call. From now on bytes are relayed as they come. */
  onSwitchingProtocols(): void;
  /** Bytes of the protocol that was switched to, valid during the call. */
  onUpstreamTunnelBytes(bytes: Buffer, start: number, end: number): void;
  /** The final head; `connection.head` is valid during the call. */
  onResponseHead(): void;
  /** Content without its framing, valid during the call. */
  onResponseBody(bytes: Buffer, start: number, end: number): void;
  /** The response is complete. `connection.isReusable` says whether the connection may serve another. */
  onResponseEnd(trailers: HeaderFields | null): void;
  /** What arrived in one read is handed over: now is the time to send what was collected. Not called after onResponseEnd. */
  onResponseReadDone(): void;
  /** The connection broke; it is closed already. `responseStarted` on the connection tells whether any byte of an answer came. */
  onUpstreamFailed(code: ErrorCode, reason: string): void;
  /** The upstream has taken what was written. */
  onUpstreamDrained(): void;
}

/** Who keeps a connection while it is idle. */
export interface IdleKeeper {
  /** The idle connection is closed: by the peer, by bytes nobody asked for, or after its time. */
  onIdleClosed(connection: ClientConnection): void;
}

/** What all connections of a worker share. */
export interface ClientShared {
  readonly head: ResponseHead;
  readonly trailers: HeaderFields;
  readonly output: OutputBuffer;
  readonly wheel: TimerWheel;
}

const phase = { idle: 0, head: 1, body: 2, done: 3, closed: 4, tunnel: 5 } as const;

/**
 * One connection to an upstream: a state machine that is reused for every exchange on it. The socket is connected
 * (and, with TLS, verified) when it is made.
 */
export class ClientConnection implements TransportOwner, BodySink, DeadlineOwner {
  readonly shared: ClientShared;
  readonly transport: Transport;
  readonly keeper: IdleKeeper;
  /** Links of the keeper's list of idle connections. */
  idlePrevious: ClientConnection | null = null;
  idleNext: ClientConnection | null = null;
  /** Exchanges that were begun on it. */
  uses = 0;
  /** Whether a byte of an answer to the current request has come. */
  responseStarted = false;

  private handler: ResponseHandler | null = null;
  private phase: number = phase.idle;
  private readonly decoder = new BodyDecoder();
  private readonly deadline: Deadline;
  private pending: Buffer | null = null;
  private isHeadRequest = false;
  private wantsUpgrade = false;
  private isPersonal = false;
  private reusable = false;
  private requestSent = false;
  private interimResponses = 0;
  private kept: Buffer | null = null;
  private keptLength = 0;
  private blocked = false;
  private paused = false;
  private writeFailed = false;
  /** From the last answer's Keep-Alive field: milliseconds that the upstream keeps the connection, or -1. */
  keepAliveHint = -1;

  constructor(shared: ClientShared, socket: net.Socket, isTls: boolean, keeper: IdleKeeper) {
    this.shared = shared;
    this.transport = new Transport(socket, isTls, this, recycleOutput);
    this.transport.resume();
    this.keeper = keeper;
    this.deadline = new Deadline(this);
  }

  get head(): ResponseHead {
    return this.shared.head;
  }

  get output(): OutputBuffer {
    return this.shared.output;
  }

  get isClosed(): boolean {
    return this.phase === phase.closed;
  }

  get isBlocked(): boolean {
    return this.blocked;
  }

  /** Whether another exchange has used it before the current one: then it may have gone stale (RFC 9112 section 9.3.1). */
  get isReused(): boolean {
    return this.uses > 1;
  }

  /** Whether it may go back to the idle ones: the exchange is complete and clean, and its request was sent in full. */
  get isReusable(): boolean {
    return this.phase === phase.done && this.reusable && this.requestSent && !this.blocked && !this.writeFailed;
  }

  /** Whether the body of the current response ends where the connection does. */
  get bodyEndsAtClose(): boolean {
    return this.decoder.endsAtClose;
  }

  /** Whether the current response has no (more) body to come. */
  get bodyIsDone(): boolean {
    return this.decoder.isDone;
  }

  /** Takes it for one exchange. `isPersonal`: the request makes the connection its sender's, so that it is nobody's afterwards. */
  begin(handler: ResponseHandler, isHeadRequest: boolean, wantsUpgrade: boolean, isPersonal: boolean): void {
    this.handler = handler;
    this.phase = phase.head;
    this.isHeadRequest = isHeadRequest;
    this.wantsUpgrade = wantsUpgrade;
    this.isPersonal = isPersonal;
    this.uses++;
    this.responseStarted = false;
    this.requestSent = false;
    this.reusable = false;
    this.interimResponses = 0;
    this.keepAliveHint = -1;
    this.shared.wheel.disarm(this.deadline);
  }

  /** Sends what was collected in `output`. False when the upstream is slower: pause the source until onUpstreamDrained. */
  send(): boolean {
    if (this.phase === phase.closed) {
      this.output.clear();
      return true;
    }
    this.output.sendTo(this.transport);
    if (this.transport.isSlow) this.blocked = true;
    return !this.blocked;
  }

  /**
   * Keeps a copy of what was collected in `output`, until the next one: where this connection turns out to be stale, the request
   * goes out again on another.
   */
  keepForRetry(): void {
    this.keptLength = this.output.length;
    if (this.kept === null || this.kept.length < this.keptLength) this.kept = Buffer.allocUnsafeSlow(roundUp(this.keptLength));
    this.output.copyTo(this.kept);
  }

  /** Keeps these bytes, which are nobody else's. */
  keepBytesForRetry(bytes: Buffer): void {
    this.kept = bytes;
    this.keptLength = bytes.length;
  }

  /** What was kept; the caller's from now on. */
  takeKept(): Buffer | null {
    const kept = this.kept === null ? null : this.kept.subarray(0, this.keptLength);
    this.kept = null;
    return kept;
  }

  /** Sends bytes of their own memory. */
  sendBytes(bytes: Buffer): boolean {
    if (this.phase === phase.closed) return true;
    this.transport.write(bytes, null);
    if (this.transport.isSlow) this.blocked = true;
    return !this.blocked;
  }

  /** The request is written in full. */
  markRequestSent(): void {
    this.requestSent = true;
  }

  pause(): void {
    if (this.paused || this.phase === phase.closed) return;
    this.paused = true;
    this.transport.pause();
  }

  resume(): void {
    if (!this.paused || this.phase === phase.closed) return;
    this.paused = false;
    this.transport.resume();
  }

  /** Puts it among the idle ones for at most `timeoutMs`. */
  park(timeoutMs: number): void {
    this.handler = null;
    this.phase = phase.idle;
    if (this.kept !== null && this.kept.length > keptWhileIdle) this.kept = null;
    this.resume();
    this.shared.wheel.arm(this.deadline, timeoutMs);
  }

  /** Closes it; nobody is told. */
  destroy(): void {
    if (this.phase === phase.closed) return;
    this.close();
    this.transport.destroy();
  }

  /** Ends a tunnel after what was written to it; nobody is told. */
  endTunnel(): void {
    if (this.phase === phase.closed) return;
    this.close();
    const { transport } = this;
    transport.close();
    // A peer that takes nothing does not keep it.
    if (transport.hasPending) setTimeout(() => transport.destroy(), tunnelEndTimeout).unref();
  }

  /** Closes it with RST, so that the upstream sees a broken message; nobody is told. */
  reset(): void {
    if (this.phase === phase.closed) return;
    this.close();
    // TLS has no reset: a connection that ends without close_notify is known to be cut (RFC 8446 section 6.1).
    if (this.transport.isTls) this.transport.destroy();
    else this.transport.reset();
  }

  // ---- TransportOwner

  onBytes(bytes: Buffer, start: number, end: number): void {
    if (this.pending === null) {
      this.process(bytes, start, end);
      return;
    }
    const merged = Buffer.concat([this.pending, bytes.subarray(start, end)]);
    this.pending = null;
    this.process(merged, 0, merged.length);
  }

  onEnd(): void {
    if (this.phase === phase.body && this.decoder.endsAtClose) {
      this.decoder.startEmpty();
      this.finish(null);
      return;
    }
    if (this.phase === phase.tunnel) {
      this.lost('upstream_reset', 'the upstream ended the tunnel');
      return;
    }
    this.lost(
      'upstream_reset',
      this.responseStarted
        ? 'the upstream closed the connection in the middle of its answer'
        : 'the upstream closed the connection without an answer',
    );
  }

  onClose(error: Error | null): void {
    this.lost(
      'upstream_reset',
      error === null
        ? 'the connection to the upstream closed'
        : `the connection to the upstream broke: ${(error as NodeJS.ErrnoException).code ?? error.message}`,
    );
  }

  onDrained(): void {
    if (!this.blocked || this.transport.isSlow) return;
    this.blocked = false;
    this.handler?.onUpstreamDrained();
  }

  // An upstream that has answered already may take no more of the request and still have its answer on the way (RFC 9112 section
  // 9.5): what it sent is read to the end, which is where the connection is lost.
  onWriteFailed(): void {
    if (this.phase === phase.idle) {
      // Over TLS the last write may fail after its answer has come: nobody may be given such a connection.
      this.lost('upstream_reset', 'the upstream takes nothing any more');
      return;
    }
    this.reusable = false;
    this.writeFailed = true;
    this.blocked = false;
    this.handler?.onUpstreamDrained();
  }

  onDeadline(): void {
    if (this.phase === phase.idle) this.lost('upstream_reset', 'idle for too long');
  }

  // ---- the answer

  private process(bytes: Buffer, start: number, end: number): void {
    let at = start;
    if (this.phase === phase.idle || this.phase === phase.done) {
      // Bytes that nobody asked for: an answer to the next request must never come from them.
      this.lost('upstream_invalid_response', 'the upstream sent bytes that belong to no answer');
      return;
    }
    if (this.phase === phase.tunnel) {
      this.handler!.onUpstreamTunnelBytes(bytes, start, end);
      return;
    }
    this.responseStarted = true;
    while (this.phase === phase.head) {
      const bodyStart = this.head.parse(bytes, at, end);
      if (bodyStart === headIncomplete) {
        this.pending = Buffer.from(bytes.subarray(at, end));
        return;
      }
      if (bodyStart === headRefused) {
        this.lost('upstream_invalid_response', this.head.reason);
        return;
      }
      at = bodyStart;
      if (this.head.status >= 200) {
        this.beginBody();
        break;
      }
      if (this.head.status === 101) {
        if (this.wantsUpgrade) this.switchProtocols(bytes, at, end);
        else this.lost('upstream_invalid_response', 'the upstream switched protocols although nobody asked for it');
        return;
      }
      if (++this.interimResponses > maxInterimResponses) {
        this.lost('upstream_invalid_response', 'the upstream sent too many interim answers');
        return;
      }
      this.handler!.onInterimResponse();
      if (this.isClosed || at === end) return;
    }
    if (this.phase !== phase.body) return;
    const after = this.decoder.decode(bytes, at, end, this, this.shared.trailers);
    if (this.isClosed) return;
    if (after === bodyOpen) {
      this.handler!.onResponseReadDone();
    } else if (after === bodyBroken) {
      this.lost('upstream_invalid_response', this.decoder.reason);
    } else {
      if (after < end) this.reusable = false; // more bytes than the answer has
      this.finish(this.decoder.trailers);
    }
  }

  private switchProtocols(bytes: Buffer, at: number, end: number): void {
    this.phase = phase.tunnel;
    this.handler!.onSwitchingProtocols();
    if (at < end && !this.isClosed) this.handler?.onUpstreamTunnelBytes(bytes, at, end);
  }

  private beginBody(): void {
    const head = this.head;
    this.phase = phase.body;
    // An upstream that has seen an upgrade request may take what follows for the other protocol, whatever it answered.
    this.reusable = head.keepAlive && !head.bindsConnection && !this.isPersonal && !this.wantsUpgrade;
    if (head.keepAliveTimeout >= 0) this.keepAliveHint = head.keepAliveTimeout * 1000;
    // RFC 9112 section 6.3: no body whatever the fields say.
    if (this.isHeadRequest || head.status === 204 || head.status === 304) {
      this.decoder.startEmpty();
    } else if (head.chunked) {
      this.decoder.startChunked();
    } else if (head.contentLength >= 0) {
      this.decoder.startLength(head.contentLength);
    } else {
      this.decoder.startUntilClose();
      this.reusable = false;
    }
    this.handler!.onResponseHead();
  }

  /** BodySink: content without framing. */
  onBody(bytes: Buffer, start: number, end: number): void {
    if (this.phase === phase.body) this.handler!.onResponseBody(bytes, start, end);
  }

  // The handler may take this very connection for the next exchange before it returns: nothing may follow the call.
  private finish(trailers: HeaderFields | null): void {
    this.phase = phase.done;
    const handler = this.handler!;
    this.handler = null;
    handler.onResponseEnd(trailers);
  }

  // ---- life

  private lost(code: ErrorCode, reason: string): void {
    if (this.phase === phase.closed) return;
    const wasIdle = this.phase === phase.idle;
    const handler = this.handler;
    this.close();
    this.transport.destroy();
    if (wasIdle) this.keeper.onIdleClosed(this);
    else handler?.onUpstreamFailed(code, reason);
  }

  private close(): void {
    this.phase = phase.closed;
    this.handler = null;
    this.pending = null;
    this.shared.wheel.remove(this.deadline);
    this.transport.setOwner(null);
  }
}

function roundUp(length: number): number {
  return Math.ceil(length / 512) * 512;
}
