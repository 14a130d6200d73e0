// Over 300 lines: everything that can happen to one exchange, in the order in which it happens.
// Imported, the clock costs a call; the global one is a lazy property, looked up again at each reading.
import { performance } from 'node:perf_hooks';
import type { ErrorCode } from '../errors/catalogue.ts';
import type { ClientConnection, ResponseHandler } from '../http/client-connection.ts';
import type { HeaderFields } from '../http/header-fields.ts';
import { kind } from '../http/known-fields.ts';
import type { OutputBuffer } from '../http/output-buffer.ts';
import type { RequestHandler, ServerConnection } from '../http/server-connection.ts';
import { Deadline, type DeadlineOwner } from '../http/timer-wheel.ts';
import type { ApiKeyId } from '../model/ids.ts';
import type { MatchRequest } from './match/route-search.ts';
import type { PoolClient } from './forward/upstream-pool.ts';
import { endHeldHead, type RequestFacts } from './forward/write-request-head.ts';
import type { Gateway } from './gateway.ts';
import { RequestId } from './request-id.ts';
import { handleRequest } from './handle-exchange.ts';
import type { ClientIdentity } from './listen/client-identity.ts';
import type { ExchangeOutcome, ExchangePhase, FinishedExchange } from './record/finished-exchange.ts';
import { allowField, errorResponse, writeOwnResponse } from './reply/write-own-response.ts';
import {
  endHeldResponse,
  writeHeldResponse,
  writeInterimResponse,
  writeResponseHead,
  writeSwitchingProtocols,
} from './reply/write-response-head.ts';
import { dropCredentialTrailers } from './forward/credential-field.ts';
import { isIdempotent } from './forward/is-idempotent.ts';
import { handshakeFault } from './forward/websocket-handshake.ts';
import { dropCorsFields } from './reply/drop-cors-fields.ts';
import { outcomeOf } from './record/outcome-of.ts';
import { openResponseStream, type ResponseStream } from './reply/response-stream.ts';
import type { CompiledUpstream } from './snapshot/compile-upstream.ts';
import type { ServedRoute } from './snapshot/served-route.ts';
import type { Snapshot } from './snapshot/snapshot.ts';
import type { BufferedBody } from './transform/buffered-body.ts';
import { dropNamed } from './transform/header-steps.ts';
import { TransformFailure } from './transform/transform-failure.ts';
import type { TransformedRequest } from './transform/transform-request.ts';
import { transformResponse } from './transform/transform-response.ts';
import { Tunnel } from './tunnel.ts';

export type { TransformedRequest } from './transform/transform-request.ts';

/** A request's first write is kept for a retry only up to this size. */
const replayLimit = 65_536;
const noNames: readonly string[] = [];

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
  /** What becomes of the request on a route that transforms; else null. */
  transformed: TransformedRequest | null = null;
  /** Fields that admission adds to whatever response comes, each with its line end. */
  responseFields = '';

  // ---- what became of it
  status = 0;
  code: ErrorCode | null = null;
  /** Of a gateway-made error, where it is not the code's usual one; else 0. */
  private errorStatus = 0;
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
  private stream: ResponseStream | null = null;
  private connection: ClientConnection | null = null;
  private waiting = false;
  private retried = false;
  private forwarding = false;
  private chunkedUpstream = false;
  /** The client's Sec-WebSocket-Key where it asks for an upgrade; else ''. */
  private upgradeKey = '';
  /** What follows the request may be of another protocol, whoever refuses the upgrade. */
  private asksForWebSocket = false;
  /** The request authenticates the connection that it goes out on: see RequestHead. */
  private bindsConnection = false;
  private tunnel: Tunnel | null = null;
  private idempotent = false;
  /** Whether the connection keeps what was sent, for a retry on another. */
  private mayReplay = false;
  /** What is to be sent once there is a connection. */
  private held: Buffer | null = null;
  private sentAt = 0;
  /** Bodies that are held back until they are whole; null where they stream. */
  private heldRequest: BufferedBody | null = null;
  private heldResponse: BufferedBody | null = null;
  /** Fields of the response that its trailers must not bring back. */
  private replacedBack: readonly string[] = noNames;
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

  get framesIn(): number {
    return this.tunnel === null ? -1 : this.tunnel.fromClient.frames;
  }

  get framesOut(): number {
    return this.tunnel === null ? -1 : this.tunnel.fromUpstream.frames;
  }

  get events(): number {
    return this.stream === null ? -1 : this.stream.events;
  }

  get routePart(): Uint8Array | null {
    return this.route === null ? null : this.route.logPart;
  }

  get upstreamPart(): Uint8Array | null {
    return this.upstream === null ? null : this.upstream.logPart;
  }

  get upstreamSlot(): number {
    return this.attempts === 0 ? -1 : this.upstream!.pool.slot;
  }

  get isHeadRequest(): boolean {
    return this.method === 'HEAD';
  }

  /** The method that the upstream gets. */
  private get sentMethod(): string {
    return this.transformed === null || this.transformed.method === '' ? this.method : this.transformed.method;
  }

  get keyPrefix(): string {
    return this.keyId === '' ? '' : (this.snapshot?.keys.get(this.keyId as ApiKeyId)?.prefix ?? '');
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
    if (!this.forwarding) {
      if (this.heldRequest !== null) this.holdBytes(this.heldRequest, bytes, start, end);
      return;
    }
    const out = this.gateway.requestOutput;
    if (this.chunkedUpstream) out.chunk(bytes, start, end);
    else out.lend(bytes, start, end);
  }

  onRequestEnd(trailers: HeaderFields | null): void {
    this.requestComplete = true;
    if (this.heldRequest !== null) this.sendTransformed(this.heldRequest);
    if (!this.forwarding || !this.chunkedUpstream) return;
    if (trailers !== null) {
      dropCredentialTrailers(trailers, this.upstream!);
      if (this.transformed !== null) dropNamed(trailers, this.transformed.replaced);
    }
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
    if (connection.isReused && this.sentAt === 0 && this.idempotent && this.requestComplete && out.length <= replayLimit) {
      connection.keepForRetry();
      this.mayReplay = true;
    }
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
    if (this.tunnel === null) this.outcome = 'client_abort';
    this.finish();
  }

  onClientDrained(): void {
    this.connection?.resume();
    this.watchUpstream();
  }

  // ================ to and from the upstream

  /** The outgoing head is in requestOutput; gets a connection for it. */
  startForwarding(upgradeKey: string, chunked: boolean): void {
    this.forwarding = true;
    this.upgradeKey = upgradeKey;
    this.chunkedUpstream = chunked;
    this.idempotent = isIdempotent(this.sentMethod);
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
    connection.begin(this, this.sentMethod === 'HEAD', this.upgradeKey !== '', this.bindsConnection);
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
    if (connection.isReused && this.idempotent && this.requestComplete && held.length <= replayLimit) {
      connection.keepBytesForRetry(held);
      this.mayReplay = true;
    }
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
    if (this.route !== null) this.dropFromInterim(this.route, head.fields);
    writeInterimResponse(client.output, head);
    client.send();
    this.watchUpstream();
  }

  // What the route takes out of the response, or writes itself, does not come early in a 103 (RFC 8297) either.
  private dropFromInterim({ corsPolicy, transform }: ServedRoute, fields: HeaderFields): void {
    if (corsPolicy !== null) dropCorsFields(fields);
    if (transform !== null) dropNamed(fields, transform.replacedBack);
  }

  onSwitchingProtocols(): void {
    try {
      this.switchProtocols();
    } catch (error) {
      this.fault('handling a response', error);
    }
  }

  private switchProtocols(): void {
    const connection = this.connection!;
    const { head } = connection;
    const fault = handshakeFault(head, this.upgradeKey);
    if (fault !== '') {
      connection.destroy();
      this.onUpstreamFailed('upstream_invalid_response', fault);
      return;
    }
    let fields = this.responseFields;
    if (this.transformed !== null) {
      const added = this.transformBack(this.transformed);
      if (added === null) return;
      fields = added + fields;
    }
    this.responseBegun = true;
    this.responseSent = true;
    this.status = 101;
    this.tunnel = new Tunnel(this.client, connection, this.gateway.counters);
    this.upstreamMs = this.now() - this.sentAt;
    writeSwitchingProtocols(this.client.output, head, this.id, fields);
    this.client.send();
    this.client.startTunnel();
    this.watchUpstream();
  }

  onUpstreamTunnelBytes(bytes: Buffer, start: number, end: number): void {
    this.bytesOut += end - start;
    this.tunnel!.relayToClient(bytes, start, end);
    this.watchUpstream();
  }

  onClientTunnelBytes(bytes: Buffer, start: number, end: number): void {
    if (this.connection === null) return;
    this.bytesIn += end - start;
    this.tunnel!.relayToUpstream(bytes, start, end);
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
    this.mayReplay = false;
    this.status = head.status;
    this.clock = performance.now();
    if (this.sentAt > 0) this.upstreamMs = this.now() - this.sentAt;
    // Before a transformation may write what stays of the head.
    if (this.route !== null && this.route.corsPolicy !== null) dropCorsFields(head.fields);
    let fields = this.responseFields;
    if (this.transformed !== null) {
      const added = this.transformBack(this.transformed);
      if (added === null) return;
      fields = added + fields;
    }
    // HEAD that went on as another method: what the upstream sends is not for the client.
    const framed = connection.bodyIsDone || head.contentLength >= 0 || this.isHeadRequest;
    this.chunkedToClient = !framed && this.minor === 1;
    this.closeDelimited = !framed && !this.chunkedToClient;
    this.stream = openResponseStream(head, this.route?.protocol, this.gateway.counters);
    // After a refused upgrade the client may go on in the other protocol all the same: such a connection ends.
    const persist = this.client.decidePersistence((framed || this.chunkedToClient) && !this.asksForWebSocket);
    writeResponseHead(this.client.output, head, { chunked: this.chunkedToClient, clientMinor: this.minor, persist }, this.id, fields);
  }

  onResponseBody(bytes: Buffer, start: number, end: number): void {
    if (this.heldResponse !== null) {
      this.holdBytes(this.heldResponse, bytes, start, end);
      return;
    }
    if (this.isHeadRequest) return;
    this.bytesOut += end - start;
    if (this.stream !== null) this.stream.count(bytes, start, end);
    if (this.chunkedToClient) this.client.output.chunk(bytes, start, end);
    else this.client.output.lend(bytes, start, end);
  }

  onResponseReadDone(): void {
    this.clock = 0;
    if (this.heldResponse !== null) {
      this.watchUpstream();
      return;
    }
    this.responseSent = true;
    if (!this.client.send()) this.connection?.pause();
    this.watchUpstream();
  }

  onResponseEnd(trailers: HeaderFields | null): void {
    if (this.heldResponse !== null) {
      this.dropUpstream();
      this.replyTransformed(this.heldResponse);
      return;
    }
    if (this.chunkedToClient) {
      if (trailers !== null && this.replacedBack.length > 0) dropNamed(trailers, this.replacedBack);
      this.client.output.lastChunk(trailers);
    }
    this.client.send();
    this.dropUpstream();
    this.finish();
    this.client.finishResponse();
  }

  onUpstreamFailed(code: ErrorCode, reason: string): void {
    const connection = this.connection!;
    const mayRetry = connection.isReused && !connection.responseStarted && this.mayReplay && !this.retried;
    const kept = mayRetry ? connection.takeKept() : null;
    const phase = this.currentPhase();
    // What was collected of the answer is void. Letting the connection go may serve others that wait for one: into the same buffer.
    this.client.output.clear();
    this.releaseConnection();
    if (mayRetry) {
      this.retried = true;
      this.mayReplay = false;
      this.held = kept;
      this.gateway.counters.retried();
      this.gateway.wheel.disarm(this.deadline);
      this.acquire(true);
      return;
    }
    this.phase = phase;
    this.stopForwarding();
    this.reason = reason;
    if (this.tunnel !== null) this.endTunnel();
    else this.failOrBreak(code);
  }

  /** The upstream has made no progress for timeout_ms. */
  onDeadline(): void {
    this.phase = this.currentPhase();
    if (this.tunnel !== null) {
      this.reason = `nothing was sent either way for ${this.gateway.websocketIdleMs} ms`;
      this.tunnel.goAway();
      this.endTunnel();
      return;
    }
    const what = this.responseBegun ? 'stopped in the middle of its answer' : 'did not answer';
    const reason = `deadline exceeded: the upstream ${what} for ${this.upstream?.timeoutMs ?? 0} ms`;
    this.dropUpstream();
    this.reason = reason;
    this.failOrBreak('upstream_timeout');
  }

  // ================ transforming

  /**
   * The outgoing head is in requestOutput but for its end: it waits for the body, which goes on transformed. Null, or the code of
   * the refusal.
   */
  holdRequestBody(body: BufferedBody): ErrorCode | null {
    const { client, gateway } = this;
    body.head = gateway.requestOutput.copyOut();
    gateway.requestOutput.clear();
    if (body.refusesLength(client.head.contentLength)) return this.transformFailed(body.tooLong());
    this.heldRequest = body;
    if (client.awaitsContinue) {
      // The upstream hears of the request only when all of it is here (RFC 9110 section 10.1.1).
      client.awaitsContinue = false;
      client.output.text('HTTP/1.1 100 Continue\r\n\r\n');
      client.send();
    }
    return null;
  }

  private holdBytes(body: BufferedBody, bytes: Buffer, start: number, end: number): void {
    if (!body.add(bytes, start, end)) this.endWith(body.tooLong());
  }

  private sendTransformed(body: BufferedBody): void {
    body.transform((result) => {
      // Its exchange may have ended meanwhile, and another begun.
      if (this.heldRequest !== body) return;
      this.heldRequest = null;
      if (result instanceof TransformFailure) {
        this.endWith(result);
        return;
      }
      try {
        const out = this.gateway.requestOutput;
        out.copy(body.head, 0, body.head.length);
        endHeldHead(out, result.length);
        out.copy(result, 0, result.length);
        this.startForwarding('', false);
        this.onRequestReadDone();
      } catch (error) {
        this.fault('sending a transformed request', error);
      }
    });
  }

  // Fields to add to the response's head, or null where its body is held back (or the exchange has ended).
  private transformBack({ facts }: TransformedRequest): string | null {
    const transform = this.route!.transform!;
    if (transform.response.length === 0) return '';
    const connection = this.connection!;
    try {
      const { fields, replaced, body } = transformResponse(connection.head, this.isHeadRequest, transform, facts);
      this.replacedBack = replaced;
      if (body === null) return fields;
      if (body.refusesLength(connection.head.contentLength)) throw body.tooLong();
      const { output } = this.client;
      writeHeldResponse(output, connection.head);
      output.text(fields);
      body.head = output.copyOut();
      output.clear();
      this.heldResponse = body;
    } catch (error) {
      if (!(error instanceof TransformFailure)) throw error;
      this.endWith(error);
    }
    return null;
  }

  private replyTransformed(body: BufferedBody): void {
    body.transform((result) => {
      if (this.heldResponse !== body) return;
      this.heldResponse = null;
      if (result instanceof TransformFailure) {
        this.endWith(result);
        return;
      }
      try {
        this.replyWith(body.head, result);
      } catch (error) {
        this.fault('sending a transformed response', error);
      }
    });
  }

  private replyWith(head: Buffer, body: Buffer): void {
    const { client } = this;
    const persist = client.decidePersistence(!this.asksForWebSocket);
    const framing = { chunked: false, clientMinor: this.minor, persist };
    client.output.copy(head, 0, head.length);
    endHeldResponse(client.output, body.length, framing, this.id, this.responseFields);
    client.output.copy(body, 0, body.length);
    this.bytesOut += body.length;
    this.responseSent = true;
    client.send();
    this.finish();
    client.finishResponse();
  }

  /** Notes why a transformation cannot be done. Answers the code to refuse with. */
  transformFailed(failure: TransformFailure): ErrorCode {
    this.reason = failure.message;
    this.errorStatus = failure.status;
    return failure.code;
  }

  private endWith(failure: TransformFailure): void {
    this.heldRequest = null;
    this.heldResponse = null;
    this.dropUpstream();
    this.failOrBreak(this.transformFailed(failure));
  }

  // ================ answering

  /** Ends the exchange with a gateway-made error. */
  refuse(code: ErrorCode, fields = ''): void {
    if (!this.active || this.responseBegun) return;
    this.dropUpstream();
    this.code = code;
    if (this.phase === '') this.phase = 'request';
    const response = errorResponse(code, this.requestId, fields + this.responseFields, this.errorStatus || undefined);
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
    const persist = client.decidePersistence(this.code !== 'request_malformed' && !this.asksForWebSocket);
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
    this.client.output.clear();
    this.dropUpstream();
    this.reason = where;
    this.failOrBreak('internal_error');
  }

  /** Shutdown will not wait any longer. */
  cut(): void {
    if (!this.active) return;
    this.phase = this.currentPhase();
    if (this.tunnel !== null) {
      this.reason = 'the drain deadline passed';
      this.tunnel.goAway();
      this.endTunnel();
      return;
    }
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
    this.transformed = null;
    this.replacedBack = noNames;
    this.code = null;
    this.errorStatus = 0;
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
    this.stream = null;
    this.retried = false;
    this.forwarding = false;
    this.upgradeKey = '';
    this.asksForWebSocket = head.asksForWebSocket;
    this.bindsConnection = head.bindsConnection;
    this.tunnel = null;
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
    this.mayReplay = false;
    this.held = null;
    if (this.tunnel !== null) this.tunnel.closed();
    if (this.stream !== null) this.stream.closed();
    this.heldRequest = null;
    this.heldResponse = null;
    this.transformed = null;
    try {
      this.gateway.recorder.record(this);
    } catch (error) {
      // The exchange itself went well: what fails here must not change its outcome.
      this.gateway.reportFault('recording a request', error);
    }
  }

  /** Asked only where something goes wrong, before anything is put away. */
  private currentPhase(): ExchangePhase {
    if (this.tunnel !== null) return 'tunnel';
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
    if (this.tunnel !== null) {
      if (this.gateway.websocketIdleMs > 0) wheel.arm(this.deadline, this.gateway.websocketIdleMs);
      return;
    }
    const clientIsSlow = client.isBlocked;
    const clientSends = !this.requestComplete && !connection.isBlocked && !client.awaitsContinue && !this.responseBegun;
    if (clientIsSlow || clientSends || (this.stream !== null && this.stream.mayBeSilent)) wheel.disarm(this.deadline);
    else wheel.arm(this.deadline, this.upstream!.timeoutMs);
  }

  /** Milliseconds, monotonic; read once for all that happens within one read from a socket. */
  private now(): number {
    return this.clock > 0 ? this.clock : performance.now();
  }
}
