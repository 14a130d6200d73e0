// Over 300 lines: the states of one client connection decide together, and are read best in one piece.
import type net from 'node:net';
import type { ErrorCode } from '../errors/catalogue.ts';
import { BodyDecoder, bodyBroken, bodyOpen, forbiddenTrailer, type BodySink } from './body-decoder.ts';
import type { HeaderFields } from './header-fields.ts';
import { type OutputBuffer, recycleOutput } from './output-buffer.ts';
import { headIncomplete, headRefused, type RequestHead } from './request-head.ts';
import { Deadline, type DeadlineOwner, type TimerWheel } from './timer-wheel.ts';
import { sharedReadBuffer, Transport, type TransportOwner } from './transport.ts';

/** Times and sizes of client connections. Milliseconds and bytes. */
export interface ServerLimits {
  /** First byte of a head to its last. */
  readonly headTimeout: number;
  /** Longest silence within a body while the gateway waits for it. */
  readonly bodyIdleTimeout: number;
  /** Longest silence between two requests. */
  readonly keepAliveTimeout: number;
  /** Longest time a client may take nothing of what is written. */
  readonly writeIdleTimeout: number;
  /** 0 for no limit. */
  readonly maxBody: number;
}

/** A body that trickles slower than this within a window is cut (RFC 9110 leaves the time to the server). */
const minBodyRate = 240;
const bodyWindow = 10_000;
/** An unread body of up to this size is read and dropped to keep the connection; a larger one ends it. */
const discardLimit = 65_536;
/** After a last response: how long the client's bytes are read and dropped, so that it gets the response. */
const lingerTimeout = 5_000;
/** Bytes of further requests that are kept while one is in progress. */
const pipelineLimit = 65_536;

/** Hears of the one exchange that a connection carries at a time. */
export interface RequestHandler {
  /** A head is complete; `connection.head` is valid during the call. */
  onRequestHead(): void;
  /** Body bytes without their framing, valid during the call. */
  onRequestBody(bytes: Buffer, start: number, end: number): void;
  /** The request is complete. */
  onRequestEnd(trailers: HeaderFields | null): void;
  /** What arrived in one read is handed over: now is the time to send what was collected. */
  onRequestReadDone(): void;
  /** No request to work on: its head is refused. The handler answers and calls `finishResponse`. */
  onHeadRefused(code: ErrorCode, reason: string): void;
  /** The rest of the request will not come: its framing is broken, it is too large or too slow. */
  onRequestBroken(code: ErrorCode, reason: string): void;
  /** Bytes of the protocol that was switched to, valid during the call. */
  onClientTunnelBytes(bytes: Buffer, start: number, end: number): void;
  /** The client has left in the middle of the exchange. The connection is closed already. */
  onClientGone(reason: string): void;
  /** The client has taken what was written. */
  onClientDrained(): void;
}

/** What all connections of a worker share. */
export interface ServerShared {
  readonly head: RequestHead;
  readonly trailers: HeaderFields;
  readonly output: OutputBuffer;
  readonly wheel: TimerWheel;
  readonly limits: ServerLimits;
  readonly registry: ConnectionRegistry;
}

/** Keeps count of connections; told of each change between idle and busy. */
export interface ConnectionRegistry {
  readonly draining: boolean;
  opened(connection: ServerConnection): void;
  idle(connection: ServerConnection): void;
  busy(connection: ServerConnection): void;
  /** Part of a head has come, and the rest is waited for. Told once for each such head, and again when it is over. */
  headBegun(connection: ServerConnection): void;
  headOver(connection: ServerConnection): void;
  closed(connection: ServerConnection): void;
}

const phase = {
  /** Between requests, or within a head. */
  head: 0,
  /** Within a body. */
  body: 1,
  /** The request is complete, its response is not. */
  response: 2,
  /** The response is complete, the rest of the body is read and dropped. */
  discard: 3,
  /** The last response is written; what the client still sends is dropped. */
  linger: 4,
  /** Another protocol than HTTP: bytes are handed over as they come. */
  tunnel: 5,
  closed: 6,
} as const;

/**
 * One client connection: a state machine that is reused for every request on it. It parses and bounds what the
 * client sends and keeps exchanges apart; what a request means is the handler's business.
 */
export class ServerConnection implements TransportOwner, BodySink, DeadlineOwner {
  readonly shared: ServerShared;
  readonly transport: Transport;
  readonly handler: RequestHandler;
  readonly isTls: boolean;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  /** Links of the registry's list of idle connections. */
  idlePrevious: ServerConnection | null = null;
  idleNext: ServerConnection | null = null;
  isIdle = false;
  idleSince = 0;

  private phase: number = phase.head;
  private readonly decoder = new BodyDecoder();
  private readonly deadline: Deadline;
  private pending: Buffer | null = null;
  private processing = false;
  private readPaused = false;
  private handlerPaused = false;
  /** The kernel has not taken all that was written. */
  private blocked = false;
  private headStarted = false;
  private persist = false;
  /** The client waits for 100 before it sends the body. */
  awaitsContinue = false;
  private bodyBytes = 0;
  private windowBytes = 0;
  private silentWindows = 0;

  constructor(shared: ServerShared, accepted: net.Socket, isTls: boolean, createHandler: (connection: ServerConnection) => RequestHandler) {
    this.shared = shared;
    this.isTls = isTls;
    this.remoteAddress = plainAddress(accepted.remoteAddress ?? '');
    this.remotePort = accepted.remotePort ?? 0;
    this.localPort = accepted.localPort ?? 0;
    this.deadline = new Deadline(this);
    this.handler = createHandler(this);
    shared.registry.opened(this);
    this.becomeIdle(this.shared.limits.keepAliveTimeout);
    this.transport = new Transport(accepted, isTls, this, recycleOutput);
    this.transport.resume();
  }

  get head(): RequestHead {
    return this.shared.head;
  }

  get output(): OutputBuffer {
    return this.shared.output;
  }

  get isClosed(): boolean {
    return this.phase === phase.closed;
  }

  /** Whether the client is slower than what is written to it. */
  get isBlocked(): boolean {
    return this.blocked;
  }

  /** Whether the last bytes are written and only the client's end is waited for. */
  get isLingering(): boolean {
    return this.phase === phase.linger;
  }

  /** Whether the client still owes part of the request. */
  get requestOpen(): boolean {
    return this.phase === phase.body;
  }

  /**
   * Whether another request may follow the response that is about to be written; if not, its head must say
   * `Connection: close`. Decide once per response, when its head is written.
   */
  decidePersistence(responseAllows: boolean): boolean {
    this.persist = responseAllows && this.keepAliveWanted && !this.shared.registry.draining && this.restIsSmall();
    return this.persist;
  }
  private keepAliveWanted = false;

  private restIsSmall(): boolean {
    if (this.phase === phase.response) return true;
    if (this.phase !== phase.body || this.awaitsContinue) return false;
    return this.decoder.isDone || (this.decoder.remainingLength > 0 && this.decoder.remainingLength <= discardLimit);
  }

  /** Sends what was collected in `output`. False when the client is slower than that: pause the source until onClientDrained. */
  send(): boolean {
    if (this.phase === phase.closed) {
      this.output.clear();
      return true;
    }
    this.output.sendTo(this.transport);
    if (this.transport.isSlow) this.block();
    return !this.blocked;
  }

  /** The response is written in full. Goes on to the next request, or closes, as decidePersistence said. */
  finishResponse(): void {
    if (this.phase === phase.closed) return;
    if (!this.persist) {
      this.linger();
      return;
    }
    if (this.phase === phase.body && !this.decoder.isDone) {
      this.phase = phase.discard;
      this.startBodyWindow();
      this.resumeReading();
      return;
    }
    this.nextRequest();
  }

  /**
   * Ends the connection so that the client sees a broken message. With `reset` as RST, where a FIN could be
   * taken for the response's end.
   */
  abort(reset: boolean): void {
    if (this.phase === phase.closed) return;
    const flushed = !this.transport.hasPending;
    this.close();
    // TLS has no reset: a connection that ends without close_notify is known to be cut (RFC 8446 section 6.1).
    if (reset && !this.isTls) this.transport.reset();
    else if (reset || !flushed) this.transport.destroy();
    else this.transport.close();
  }

  /** Stops reading the request because its destination is slower. */
  pauseRequest(): void {
    this.handlerPaused = true;
    this.pauseReading();
  }

  resumeRequest(): void {
    if (!this.handlerPaused) return;
    this.handlerPaused = false;
    if (this.phase === phase.body) this.startBodyWindow();
    this.resumeReading();
  }

  /** The response was 101: what the client sends from now on is handed over as it comes, what it has sent already too. */
  startTunnel(): void {
    this.phase = phase.tunnel;
    this.shared.wheel.disarm(this.deadline);
    const pending = this.pending;
    this.pending = null;
    if (pending !== null) this.handler.onClientTunnelBytes(pending, 0, pending.length);
    this.resumeReading();
  }

  /** Ends a tunnel after what was written to it. */
  endTunnel(): void {
    if (this.phase === phase.tunnel) this.linger();
  }

  /** Closes the connection if it is between requests. */
  closeIfIdle(): void {
    if (this.isIdle && !this.blocked) this.closeGently();
  }

  // ---- TransportOwner

  onBytes(bytes: Buffer, start: number, end: number): void {
    if (this.phase === phase.tunnel) {
      this.handler.onClientTunnelBytes(bytes, start, end);
      return;
    }
    if (this.phase === phase.linger) return;
    if (this.pending === null) {
      this.process(bytes, start, end);
      return;
    }
    const merged = Buffer.concat([this.pending, bytes.subarray(start, end)]);
    this.pending = null;
    this.process(merged, 0, merged.length);
  }

  onEnd(): void {
    switch (this.phase) {
      case phase.head:
      case phase.discard:
      case phase.linger:
        this.closeGently();
        break;
      case phase.closed:
        break;
      default:
        // A FIN in the middle of an exchange is how a client leaves; a half-closed client looks the same (as for nginx).
        this.leave('the client closed the connection');
        this.transport.destroy();
        break;
    }
  }

  onClose(error: Error | null): void {
    if (this.phase === phase.body || this.phase === phase.response || this.phase === phase.tunnel) {
      this.leave(error === null ? 'the client closed the connection' : `the connection to the client broke: ${codeOf(error)}`);
    } else {
      this.close();
    }
  }

  onWriteFailed(error: Error): void {
    this.transport.destroy(error);
  }

  onDeadline(): void {
    switch (this.phase) {
      case phase.head:
        if (this.blocked) this.abort(true);
        else if (this.headStarted) {
          this.endHead();
          // Empty lines alone, as some clients send behind a body, are no request: a 408 would be taken for the next one's answer.
          if (isEmptyLines(this.pending)) {
            this.closeGently();
            break;
          }
          this.head.clear();
          this.refuse('request_timeout', 'the request head did not arrive in time');
        } else this.closeIfIdle();
        break;
      case phase.body:
        if (this.blocked) this.tooSlowToRead();
        else this.checkBodyRate();
        break;
      case phase.response:
      case phase.tunnel:
        if (this.blocked) this.tooSlowToRead();
        break;
      case phase.discard:
      case phase.linger:
        this.abort(false);
        break;
      default:
        break;
    }
  }

  // ---- requests

  private process(bytes: Buffer, start: number, end: number): void {
    let at = start;
    this.processing = true;
    while (at < end) {
      if (this.phase === phase.head) {
        if (this.blocked) break;
        if (this.isIdle) this.becomeBusy();
        const bodyStart = this.head.parse(bytes, at, end);
        if (bodyStart === headIncomplete) {
          if (!this.headStarted) {
            this.headStarted = true;
            this.shared.registry.headBegun(this);
            this.shared.wheel.arm(this.deadline, this.shared.limits.headTimeout);
          }
          this.keep(bytes, at, end);
          this.processing = false;
          return;
        }
        this.endHead();
        if (bodyStart === headRefused) {
          this.processing = false;
          this.refuse(this.head.error, this.head.reason);
          return;
        }
        at = bodyStart;
        this.beginRequest();
      } else if (this.phase === phase.body || this.phase === phase.discard) {
        const after = this.decoder.decode(bytes, at, end, this, this.shared.trailers);
        if (this.isClosed) break;
        if (after === bodyOpen) {
          at = end;
        } else if (after === bodyBroken) {
          this.breakBody('request_malformed', this.decoder.reason);
          at = end;
        } else {
          at = after;
          this.endBody();
        }
      } else if (this.phase === phase.response) {
        break;
      } else {
        at = end;
      }
    }
    this.processing = false;
    if (at < end && this.phase !== phase.closed && this.phase !== phase.linger) {
      this.keep(bytes, at, end);
      if (end - at >= pipelineLimit || this.blocked) this.pauseReading();
    }
    if (this.phase === phase.body || this.phase === phase.response) {
      this.handler.onRequestReadDone();
      // The handler may have changed the phase.
      if (this.requestOpen && !this.handlerPaused && !this.blocked && this.deadline.dueAt === Infinity) this.startBodyWindow();
    }
  }

  private endHead(): void {
    if (!this.headStarted) return;
    this.headStarted = false;
    this.shared.registry.headOver(this);
  }

  private beginRequest(): void {
    const head = this.head;
    this.shared.wheel.disarm(this.deadline);
    this.keepAliveWanted = head.keepAlive;
    this.persist = false;
    this.bodyBytes = 0;
    if (head.chunked) this.decoder.startChunked();
    else this.decoder.startLength(Math.max(head.contentLength, 0));
    this.awaitsContinue = head.expectContinue && !this.decoder.isDone;
    this.phase = phase.body;
    const { maxBody } = this.shared.limits;
    const bodyless = this.decoder.isDone;
    if (maxBody > 0 && head.contentLength > maxBody) {
      this.handler.onHeadRefused('body_too_large', `the body of ${head.contentLength} bytes is over the limit of ${maxBody}`);
      return;
    }
    this.handler.onRequestHead();
    if (bodyless && this.phase === phase.body) this.endBody();
  }

  /** BodySink: content without framing. */
  onBody(bytes: Buffer, start: number, end: number): void {
    const count = end - start;
    this.bodyBytes += count;
    this.windowBytes += count;
    this.awaitsContinue = false;
    if (this.phase !== phase.body) return;
    const { maxBody } = this.shared.limits;
    if (maxBody > 0 && this.bodyBytes > maxBody) {
      this.breakBody('body_too_large', `the body is over the limit of ${maxBody} bytes`);
      return;
    }
    this.handler.onRequestBody(bytes, start, end);
  }

  private endBody(): void {
    const trailers = this.decoder.trailers;
    if (trailers !== null) {
      const forbidden = forbiddenTrailer(trailers);
      if (forbidden >= 0) {
        this.breakBody('request_malformed', `the field ${trailers.name(forbidden)} may not be a trailer`);
        return;
      }
    }
    if (this.phase === phase.discard) {
      this.nextRequest();
      return;
    }
    if (this.phase !== phase.body) return;
    this.phase = phase.response;
    this.shared.wheel.disarm(this.deadline);
    this.handler.onRequestEnd(trailers);
  }

  private breakBody(code: ErrorCode, reason: string): void {
    if (this.phase === phase.discard) {
      this.abort(false);
      return;
    }
    if (this.phase !== phase.body) return;
    this.keepAliveWanted = false;
    this.decoder.startUntilClose(); // what follows is unknown: never read as a request
    this.shared.wheel.disarm(this.deadline);
    this.handler.onRequestBroken(code, reason);
  }

  private refuse(code: ErrorCode, reason: string): void {
    this.pending = null;
    this.keepAliveWanted = false;
    this.persist = false;
    this.phase = phase.body; // the rest of what the client sends is unknown: never read as a request
    this.decoder.startUntilClose();
    this.shared.wheel.disarm(this.deadline);
    this.handler.onHeadRefused(code, reason);
  }

  private nextRequest(): void {
    this.phase = phase.head;
    this.awaitsContinue = false;
    if (this.shared.registry.draining && this.pending === null && !this.processing) {
      this.closeGently();
      return;
    }
    if (this.processing) {
      // The loop in `process` goes on with what is left of this read, or leaves the connection idle.
      this.becomeIdle(this.shared.limits.keepAliveTimeout);
      return;
    }
    const pending = this.pending;
    if (pending === null || this.blocked) {
      this.becomeIdle(this.shared.limits.keepAliveTimeout);
      this.resumeReading();
      return;
    }
    this.pending = null;
    this.process(pending, 0, pending.length);
    this.resumeReading();
  }

  // Closes after what is written; a client that does not take it has its time, and no more.
  private closeGently(): void {
    if (!this.transport.hasPending) {
      this.close();
      this.transport.close();
      return;
    }
    if (this.phase !== phase.linger) this.linger();
  }

  // Ends the writing side and reads on for a while (RFC 9112 section 9.6): closing with unread bytes, or before others arrive,
  // makes the kernel send RST, and that throws away what the client has not got yet.
  private linger(): void {
    this.leaveIdle();
    this.pending = null;
    this.phase = phase.linger;
    this.shared.wheel.arm(this.deadline, this.shared.limits.writeIdleTimeout);
    this.resumeReading();
    this.transport.end(() => {
      if (this.phase !== phase.linger) return;
      this.blocked = false;
      this.becomeIdle(lingerTimeout);
    });
  }

  // ---- time

  private startBodyWindow(): void {
    if (this.blocked) return; // the time to write rules until the client has taken what waits
    this.windowBytes = 0;
    this.silentWindows = 0;
    this.shared.wheel.arm(this.deadline, bodyWindow);
  }

  // Called once per window while the gateway is the one that waits.
  private checkBodyRate(): void {
    if (this.handlerPaused) return;
    const bytes = this.windowBytes;
    this.silentWindows = bytes === 0 ? this.silentWindows + 1 : 0;
    if (bytes > 0 && bytes < (minBodyRate * bodyWindow) / 1000) {
      this.breakSlowBody(`the body came slower than ${minBodyRate} bytes per second`);
    } else if (this.silentWindows * bodyWindow >= this.shared.limits.bodyIdleTimeout) {
      this.breakSlowBody('the body stopped coming');
    } else {
      this.windowBytes = 0;
      this.shared.wheel.arm(this.deadline, bodyWindow);
    }
  }

  private breakSlowBody(reason: string): void {
    this.decoder.startUntilClose();
    this.keepAliveWanted = false;
    this.handler.onRequestBroken('request_timeout', reason);
  }

  private tooSlowToRead(): void {
    this.leave('the client stopped reading');
    this.transport.destroy();
  }

  // ---- reading and writing

  private block(): void {
    if (this.blocked) return;
    this.blocked = true;
    this.shared.wheel.arm(this.deadline, this.shared.limits.writeIdleTimeout);
  }

  onDrained(): void {
    if (!this.blocked || this.phase === phase.closed || this.phase === phase.linger) return;
    if (this.transport.isSlow) {
      // Part of it: that is progress.
      this.shared.wheel.arm(this.deadline, this.shared.limits.writeIdleTimeout);
      return;
    }
    this.blocked = false;
    if (this.phase === phase.discard) return;
    this.shared.wheel.disarm(this.deadline);
    if (this.phase === phase.head) {
      const pending = this.pending;
      this.pending = null;
      this.becomeIdle(this.shared.limits.keepAliveTimeout);
      if (pending !== null) this.process(pending, 0, pending.length);
      this.resumeReading();
      return;
    }
    if (this.phase === phase.body && !this.handlerPaused) this.startBodyWindow();
    this.handler.onClientDrained();
  }

  // The read buffer is everybody's; bytes that are this connection's own already need no copy.
  private keep(bytes: Buffer, start: number, end: number): void {
    const part = bytes.subarray(start, end);
    this.pending = bytes === sharedReadBuffer ? Buffer.from(part) : part;
  }

  private pauseReading(): void {
    if (this.readPaused) return;
    this.readPaused = true;
    this.transport.pause();
  }

  private resumeReading(): void {
    if (!this.readPaused || this.handlerPaused) return;
    // Within a head what is kept may be more than that, up to the head's own limit; its rest must come.
    if (this.pending !== null && this.pending.length >= pipelineLimit && (this.phase !== phase.head || this.blocked)) return;
    this.readPaused = false;
    this.transport.resume();
  }

  // ---- life

  // From now on it may be closed to make room. Not before the client has taken what was written: see drained.
  private becomeIdle(timeout: number): void {
    if (this.isIdle || this.blocked) return;
    this.idleSince = this.shared.wheel.now;
    this.shared.registry.idle(this);
    this.shared.wheel.arm(this.deadline, timeout);
  }

  private becomeBusy(): void {
    this.shared.registry.busy(this);
    this.shared.wheel.disarm(this.deadline);
  }

  private leaveIdle(): void {
    if (this.isIdle) this.shared.registry.busy(this);
  }

  private leave(reason: string): void {
    this.close();
    this.handler.onClientGone(reason);
  }

  private close(): void {
    if (this.phase === phase.closed) return;
    this.phase = phase.closed;
    this.pending = null;
    this.shared.wheel.remove(this.deadline);
    this.shared.registry.closed(this);
    // Not there yet where a newcomer is turned away.
    (this.transport as Transport | undefined)?.setOwner(null);
  }
}

function isEmptyLines(bytes: Buffer | null): boolean {
  return bytes !== null && bytes.every((byte) => byte === 0x0d || byte === 0x0a);
}

/** An IPv4 address that a dual-stack socket shows as IPv6 is given as IPv4. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message;
}
