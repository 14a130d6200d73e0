// Over 300 lines: everything that can happen to one exchange, in the order in which it happens.
import type { ErrorCode } from '../errors/catalogue.ts';
import type { ClientConnection, ResponseHandler } from '../http/client-connection.ts';
import type { HeaderFields } from '../http/header-fields.ts';
import { kind } from '../http/known-fields.ts';
import type { OutputBuffer } from '../http/output-buffer.ts';
import type { RequestHandler, ServerConnection } from '../http/server-connection.ts';
import { Deadline, type DeadlineOwner } from '../http/timer-wheel.ts';
import type { MatchRequest } from './match/route-search.ts';
import type { PoolClient } from './forward/upstream-pool.ts';
import type { RequestFacts } from './forward/write-request-head.ts';
import type { Gateway } from './gateway.ts';
import { RequestId } from './request-id.ts';
import { handleRequest } from './handle-exchange.ts';
import type { ClientIdentity } from './listen/client-identity.ts';
import type { ExchangeOutcome, ExchangePhase, FinishedExchange } from './record/finished-exchange.ts';
import { allowField, errorResponse, writeOwnResponse } from './reply/write-own-response.ts';
import { writeInterimResponse, writeResponseHead, writeSwitchingProtocols } from './reply/write-response-head.ts';
import { dropCredentialTrailers } from './forward/credential-field.ts';
import { isIdempotent } from './forward/is-idempotent.ts';
import { handshakeFault } from './forward/websocket-handshake.ts';
import { outcomeOf } from './record/outcome-of.ts';
import { isEventStream } from './reply/is-event-stream.ts';
import type { CompiledUpstream } from './snapshot/compile-upstream.ts';
import type { ServedRoute } from './snapshot/served-route.ts';
import type { Snapshot } from './snapshot/snapshot.ts';

/** A request's first write is kept for a retry only up to this size. */
const replayLimit = 65_536;
/** A WebSocket on which neither side sends anything for this long is ended, in milliseconds. */
const tunnelIdleTimeout = 300_000;

/**
 * One request and its response on the way through. One object per client connection, reused for each of its
 * exchanges: it hears from the client's connection and from the upstream's, and is what the recorder reads.
 */
export class Exchange implements RequestHandler, ResponseHandler, PoolClient, DeadlineOwner, MatchRequest, RequestFacts, FinishedExchange {
  readonly gateway: Gateway;
  readonly client: ServerConnection;
  readonly identity: ClientIdentity;

  // ---- what is known of the request
  snapshot: Snapshot | null = null;
  readonly id = new RequestId();
  startedAtMs = 0;
  private startedAt = 0;
  /** The time during one read; 0 between reads. */
  private clock = 0;
  method = '';
  host = '';
  hostValue = '';
  /** The path as the client sent it, without the query. */
  rawPath = '';
  /** The path as routes see it: see normalisePath. */
  path = '';
  remoteAddress = '';
  minor = 1;
  route: ServedRoute | null = null;
  upstream: CompiledUpstream | null = null;
  /** Id of the key that opened the route, or ''. */
  keyId = '';
  /** Fields that admission adds to whatever response comes, each with its line end. */
  responseFields = '';

  // ---- what became of it
  status = 0;
  code: ErrorCode | null = null;
  reason = '';
  outcome: ExchangeOutcome = 'ok';
  phase: ExchangePhase = '';
  attempts = 0;
  bytesIn = 0;
  bytesOut = 0;
  upstreamMs = 0;
  durationMs = 0;

  // ---- where it stands
  private active = false;
  private requestComplete = false;
  private responseBegun = false;
  /** Bytes of the response are on their way to the client: from then on it can only be broken, not replaced. */
  private responseSent = false;
  private chunkedToClient = false;
  /** The response has neither length nor chunks: the connection's end is its end. */
  private closeDelimited = false;
  private isEventStream = false;
  private connection: ClientConnection | null = null;
  private waiting = false;
  private retried = false;
  private forwarding = false;
  private chunkedUpstream = false;
  /** The client's Sec-WebSocket-Key where it asks for an upgrade; else ''. */
  private upgradeKey = '';
  private isTunnel = false;
  private idempotent = false;
  /** The whole outgoing request, as long as it may have to be sent again. */
  private replay: Buffer | null = null;
  /** What is to be sent once there is a connection. */
  private held: Buffer | null = null;
  private sentAt = 0;
  private readonly deadline: Deadline;

  constructor(gateway: Gateway, client: ServerConnection, identity: ClientIdentity) {
    this.gateway = gateway;
    this.client = client;
    this.identity = identity;
    this.deadline = new Deadline(this);
  }

  get requestId(): string {
    return this.id.text;
  }

  /** The id where it is ours, to be copied without a look; null where a proxy gave it. */
  get requestIdDigits(): Uint8Array | null {
    return this.id.isOurs ? this.id.digits : null;
  }

  get routeId(): string {
    return this.route?.id ?? '';
  }

  get upstreamId(): string {
    return this.upstream?.id ?? '';
  }

  get upstreamSlot(): number {
    return this.attempts === 0 ? -1 : this.upstream!.pool.slot;
  }

  get isHeadRequest(): boolean {
    return this.method === 'HEAD';
  }

  /** Value of a request field; only while the head is being handled. */
  header(lowerCaseName: string): string | undefined {
    return this.client.head.fields.valueOf(lowerCaseName);
  }

  // ================ from the client

  onRequestHead(): void {
    try {
      this.begin();
      handleRequest(this);
    } catch (error) {
      this.fault('handling a request', error);
    }
  }

  onHeadRefused(code: ErrorCode, reason: string): void {
    this.begin();
    this.reason = reason;
    this.refuse(code, code === 'method_not_allowed' ? allowField : '');
  }

  onRequestBody(bytes: Buffer, start: number, end: number): void {
    this.bytesIn += end - start;
    if (!this.forwarding) return;
    const out = this.gateway.requestOutput;
    if (this.chunkedUpstream) out.chunk(bytes, start, end);
    else out.copy(bytes, start, end);
  }

  onRequestEnd(trailers: HeaderFields | null): void {
    this.requestComplete = true;
    if (!this.forwarding || !this.chunkedUpstream) return;
    if (trailers !== null) dropCredentialTrailers(trailers, this.upstream!);
    this.gateway.requestOutput.lastChunk(trailers);
  }

  /** Sends what one read from the client has brought: the head and the body bytes at hand go out in one write. */
  onRequestReadDone(): void {
    this.sendRequest();
    this.clock = 0;
  }

  private sendRequest(): void {
    const out = this.gateway.requestOutput;
    if (!this.forwarding) {
      out.clear();
      return;
    }
    const connection = this.connection;
    if (connection === null) {
      this.hold(out);
      return;
    }
    if (out.isEmpty) return;
    if (connection.isReused && this.sentAt === 0 && this.idempotent && this.requestComplete && out.length <= replayLimit)
      this.replay = out.copyOut();
    if (this.sentAt === 0) this.sentAt = this.now();
    if (!connection.send() && !this.requestComplete) this.client.pauseRequest();
    if (this.requestComplete) connection.markRequestSent();
    this.watchUpstream();
  }

  onRequestBroken(code: ErrorCode, reason: string): void {
    this.phase = this.currentPhase();
    this.dropUpstream();
    this.reason = reason;
    this.failOrBreak(code);
  }

  onClientGone(reason: string): void {
    if (!this.active) return;
    this.phase = this.currentPhase();
    this.dropUpstream();
    this.reason = reason;
    // A WebSocket client that leaves is an ordinary end.
    if (!this.isTunnel) this.outcome = 'client_abort';
    this.finish();
  }

  onClientDrained(): void {
    this.connection?.resume();
    this.watchUpstream();
  }

  // ================ to and from the upstream

  /** The outgoing head is in requestOutput; gets a connection for it. */
  startForwarding(upgradeKey: string): void {
    this.forwarding = true;
    this.upgradeKey = upgradeKey;
    this.chunkedUpstream = this.client.head.chunked;
    this.idempotent = isIdempotent(this.method);
    // An upgrade has a connection of its own, never one that others have used.
    this.acquire(upgradeKey !== '');
  }

  private acquire(fresh: boolean): void {
    this.attempts++;
    this.waiting = true;
    const connection = this.upstream!.pool.acquire(this, fresh);
    if (connection !== null) this.take(connection);
  }

  private take(connection: ClientConnection): void {
    this.waiting = false;
    this.connection = connection;
    connection.begin(this, this.isHeadRequest, this.upgradeKey !== '');
  }

  // No connection yet: the bytes at hand wait in memory of their own, and the client waits with the rest.
  private hold(out: OutputBuffer): void {
    if (!out.isEmpty) this.held = this.held === null ? out.copyOut() : Buffer.concat([this.held, out.copyOut()]);
    out.clear();
    if (!this.requestComplete) this.client.pauseRequest();
  }

  onConnection(connection: ClientConnection): void {
    this.take(connection);
    const held = this.held;
    this.held = null;
    if (held === null) return; // asked and answered within one callback: onRequestReadDone sends
    this.sentAt = this.now();
    if (connection.isReused && this.idempotent && this.requestComplete && held.length <= replayLimit) this.replay = held;
    const taken = connection.sendBytes(held);
    if (this.requestComplete) connection.markRequestSent();
    else if (taken) this.client.resumeRequest();
    this.watchUpstream();
  }

  onNoConnection(code: ErrorCode, reason: string): void {
    this.phase = 'connect';
    this.waiting = false;
    this.reason = reason;
    this.stopForwarding();
    this.refuse(code);
  }

  onUpstreamDrained(): void {
    this.client.resumeRequest();
    this.watchUpstream();
  }

  onInterimResponse(): void {
    const { client } = this;
    const head = this.connection!.head;
    if (this.minor === 0) return;
    if (head.status === 100) {
      if (!client.awaitsContinue) return;
      client.awaitsContinue = false;
    } else if (head.status !== 103) {
      return;
    }
    writeInterimResponse(client.output, head);
    client.send();
    this.watchUpstream();
  }

  onSwitchingProtocols(): void {
    const connection = this.connection!;
    const { head } = connection;
    const fault = handshakeFault(head, this.upgradeKey);
    if (fault !== '') {
      connection.destroy();
      this.onUpstreamFailed('upstream_invalid_response', fault);
      return;
    }
    this.responseBegun = true;
    this.responseSent = true;
    this.status = 101;
    this.isTunnel = true;
    this.upstreamMs = this.now() - this.sentAt;
    writeSwitchingProtocols(this.client.output, head, this.id, this.responseFields);
    this.client.send();
    this.client.startTunnel();
    this.watchUpstream();
  }

  onUpstreamTunnelBytes(bytes: Buffer, start: number, end: number): void {
    this.bytesOut += end - start;
    this.client.output.copy(bytes, start, end);
    if (!this.client.send()) this.connection?.pause();
    this.watchUpstream();
  }

  onClientTunnelBytes(bytes: Buffer, start: number, end: number): void {
    const { connection } = this;
    if (connection === null) return;
    this.bytesIn += end - start;
    this.gateway.requestOutput.copy(bytes, start, end);
    if (!connection.send()) this.client.pauseRequest();
    this.watchUpstream();
  }

  onResponseHead(): void {
    try {
      this.beginResponse();
    } catch (error) {
      this.fault('handling a response', error);
    }
  }

  private beginResponse(): void {
    const connection = this.connection!;
    const { head } = connection;
    this.responseBegun = true;
    this.replay = null;
    this.status = head.status;
    this.clock = performance.now();
    if (this.sentAt > 0) this.upstreamMs = this.now() - this.sentAt;
    const framed = connection.bodyIsDone || head.contentLength >= 0;
    this.chunkedToClient = !framed && this.minor === 1;
    this.closeDelimited = !framed && !this.chunkedToClient;
    this.isEventStream = isEventStream(head.fields);
    // After a refused upgrade the client may go on in the other protocol all the same: such a connection ends.
    const persist = this.client.decidePersistence((framed || this.chunkedToClient) && this.upgradeKey === '');
    writeResponseHead(
      this.client.output,
      head,
      { chunked: this.chunkedToClient, clientMinor: this.minor, persist },
      this.id,
      this.responseFields,
    );
  }

  onResponseBody(bytes: Buffer, start: number, end: number): void {
    this.bytesOut += end - start;
    if (this.chunkedToClient) this.client.output.chunk(bytes, start, end);
    else this.client.output.copy(bytes, start, end);
  }

  onResponseReadDone(): void {
    this.clock = 0;
    this.responseSent = true;
    if (!this.client.send()) this.connection?.pause();
    this.watchUpstream();
  }

  onResponseEnd(trailers: HeaderFields | null): void {
    if (this.chunkedToClient) this.client.output.lastChunk(trailers);
    this.client.send();
    this.dropUpstream();
    this.finish();
    this.client.finishResponse();
  }

  onUpstreamFailed(code: ErrorCode, reason: string): void {
    const connection = this.connection!;
    const mayRetry = connection.isReused && !connection.responseStarted && this.replay !== null && !this.retried;
    const replay = this.replay;
    const phase = this.currentPhase();
    this.releaseConnection();
    if (mayRetry) {
      this.retried = true;
      this.replay = null;
      this.held = replay;
      this.gateway.counters.retried();
      this.gateway.wheel.disarm(this.deadline);
      this.acquire(true);
      return;
    }
    this.phase = phase;
    this.stopForwarding();
    this.reason = reason;
    if (this.isTunnel) this.endTunnel();
    else this.failOrBreak(code);
  }

  /** The upstream has made no progress for timeout_ms. */
  onDeadline(): void {
    this.phase = this.currentPhase();
    if (this.isTunnel) {
      this.reason = `nothing was sent either way for ${tunnelIdleTimeout} ms`;
      this.endTunnel();
      return;
    }
    const what = this.responseBegun ? 'stopped in the middle of its answer' : 'did not answer';
    const reason = `deadline exceeded: the upstream ${what} for ${this.upstream?.timeoutMs ?? 0} ms`;
    this.dropUpstream();
    this.reason = reason;
    this.failOrBreak('upstream_timeout');
  }

  // ================ answering

  /** Ends the exchange with a gateway-made error. */
  refuse(code: ErrorCode, fields = ''): void {
    if (!this.active || this.responseBegun) return;
    this.dropUpstream();
    this.code = code;
    if (this.phase === '') this.phase = 'request';
    const response = errorResponse(code, this.requestId, fields + this.responseFields);
    this.outcome = outcomeOf(code);
    this.answer(response.status, response.contentType, response.body, response.fields);
  }

  /** Ends the exchange with a response of our own. */
  answer(status: number, contentType: string, body: string, fields: string): void {
    this.responseBegun = true;
    this.responseSent = true;
    this.status = status;
    const { client, isHeadRequest } = this;
    // After bytes that may have meant something else to somebody before us, or that may be of another protocol, the next ones are
    // not to be trusted.
    const persist = client.decidePersistence(this.code !== 'request_malformed' && this.upgradeKey === '');
    writeOwnResponse(client.output, {
      status,
      requestId: this.requestId,
      fields,
      contentType,
      body,
      isHeadRequest,
      persist,
      clientMinor: this.minor,
    });
    if (!isHeadRequest) this.bytesOut += body.length;
    client.send();
    this.finish();
    client.finishResponse();
  }

  // An honest error as long as nothing of a response is sent; a visibly broken response after that.
  private failOrBreak(code: ErrorCode): void {
    if (this.responseSent) {
      this.breakResponse(code);
      return;
    }
    this.client.output.clear();
    this.responseBegun = false;
    this.bytesOut = 0;
    this.refuse(code);
  }

  /** The response has begun and cannot be completed: the client must see that it is broken. */
  private breakResponse(code: ErrorCode): void {
    this.code = code;
    this.outcome = outcomeOf(code);
    this.client.output.clear();
    // Without chunks or a length a FIN would look like a clean end.
    this.client.abort(this.closeDelimited);
    this.finish();
  }

  private endTunnel(): void {
    this.dropUpstream();
    this.finish();
    this.client.endTunnel();
  }

  private fault(where: string, error: unknown): void {
    this.phase = this.currentPhase();
    this.gateway.reportFault(where, error);
    this.dropUpstream();
    this.reason = where;
    this.failOrBreak('internal_error');
  }

  /** Shutdown will not wait any longer. */
  cut(): void {
    if (!this.active) return;
    this.phase = this.currentPhase();
    this.dropUpstream();
    this.code = 'draining';
    this.outcome = outcomeOf('draining');
    this.reason = 'the drain deadline passed';
    this.finish();
  }

  /** The client's connection is closed for good. Disarmed only, the deadline would keep all of it in memory until its slot comes round. */
  leaveWheel(): void {
    this.gateway.wheel.remove(this.deadline);
  }

  // ================ begin and end

  private begin(): void {
    const { head } = this.client;
    this.snapshot = this.gateway.live;
    this.active = true;
    this.startedAtMs = Date.now();
    this.startedAt = performance.now();
    this.clock = this.startedAt;
    this.id.renew();
    this.minor = head.minor;
    this.method = head.methodEnd > head.start ? head.method : '';
    this.rawPath = head.pathEnd > head.pathStart ? head.bytes.latin1Slice(head.pathStart, head.pathEnd) : '';
    this.path = this.rawPath;
    this.identity.readHost(head);
    this.hostValue = this.identity.hostValue;
    this.host = this.identity.hostName;
    this.remoteAddress = this.identity.peer;
    if (this.identity.isTrusted) this.believeProxy();
    this.route = null;
    this.upstream = null;
    this.keyId = '';
    this.responseFields = '';
    this.status = 0;
    this.code = null;
    this.reason = '';
    this.outcome = 'ok';
    this.phase = '';
    this.attempts = 0;
    this.bytesIn = 0;
    this.bytesOut = 0;
    this.upstreamMs = 0;
    this.durationMs = 0;
    this.requestComplete = false;
    this.responseBegun = false;
    this.responseSent = false;
    this.chunkedToClient = false;
    this.closeDelimited = false;
    this.isEventStream = false;
    this.retried = false;
    this.forwarding = false;
    this.upgradeKey = '';
    this.isTunnel = false;
    this.sentAt = 0;
    this.gateway.counters.requestStarted();
  }

  private believeProxy(): void {
    const { head } = this.client;
    this.remoteAddress = this.identity.clientAddress(head);
    const given = head.fields.find(kind.xRequestId);
    if (given < 0) return;
    const id = head.fields.value(given);
    if (/^[\x21-\x7e]{1,128}$/.test(id)) this.id.give(id);
  }

  private finish(): void {
    if (!this.active) return;
    this.active = false;
    this.gateway.wheel.disarm(this.deadline);
    this.durationMs = this.now() - this.startedAt;
    this.clock = 0;
    this.replay = null;
    this.held = null;
    try {
      this.gateway.recorder.record(this);
    } catch (error) {
      // The exchange itself went well: what fails here must not change its outcome.
      this.gateway.reportFault('recording a request', error);
    }
  }

  /** Asked only where something goes wrong, before anything is put away. */
  private currentPhase(): ExchangePhase {
    if (this.isTunnel) return 'tunnel';
    if (this.responseBegun) return 'body';
    if (this.connection === null) return this.waiting ? 'connect' : 'request';
    return this.requestComplete && !this.connection.isBlocked ? 'wait' : 'send';
  }

  // Ends whatever is under way to the upstream. A connection whose exchange is complete and clean goes back to its pool.
  private dropUpstream(): void {
    this.stopForwarding();
    if (this.waiting) {
      this.waiting = false;
      this.upstream!.pool.cancel(this);
    }
    this.releaseConnection();
    this.gateway.wheel.disarm(this.deadline);
  }

  private stopForwarding(): void {
    if (!this.forwarding) return;
    this.forwarding = false;
    this.gateway.requestOutput.clear();
    this.client.resumeRequest();
  }

  private releaseConnection(): void {
    const connection = this.connection;
    if (connection === null) return;
    this.connection = null;
    this.upstream!.pool.release(connection);
  }

  // timeout_ms is the longest wait for the upstream's next progress; while the client is the slow one it rests.
  private watchUpstream(): void {
    const { wheel } = this.gateway;
    const { connection, client } = this;
    if (connection === null || !this.active) return;
    if (this.isTunnel) {
      wheel.arm(this.deadline, tunnelIdleTimeout);
      return;
    }
    const clientIsSlow = client.isBlocked;
    const clientSends = !this.requestComplete && !connection.isBlocked && !client.awaitsContinue && !this.responseBegun;
    if (clientIsSlow || clientSends || (this.responseBegun && this.isEventStream)) wheel.disarm(this.deadline);
    else wheel.arm(this.deadline, this.upstream!.timeoutMs);
  }

  /** Milliseconds, monotonic; read once for all that happens within one read from a socket. */
  private now(): number {
    return this.clock > 0 ? this.clock : performance.now();
  }
}
