import type net from 'node:net';
import type { ErrorCode } from '../../errors/catalogue.ts';
import { ClientConnection, type ClientShared, type ResponseHandler } from '../../http/client-connection.ts';
import type { TransportOwner } from '../../http/transport.ts';

/** What came back. Times are milliseconds. */
export interface AnswerReport {
  /** The final answer's head; null when none came. */
  readonly head: AnswerHead | null;
  /** From the request to the head, or to the failure. */
  readonly headMs: number;
  /** From the head to the body's first byte; null when none came. */
  readonly firstByteMs: number | null;
  /** The body as far as it was waited for. */
  readonly body: Buffer;
  readonly bodyIsWhole: boolean;
  /** Why no (complete enough) answer came. */
  readonly failure: AnswerFailure | null;
}

export interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  /** Value of a field by its lower-case name. */
  readonly fields: ReadonlyMap<string, string>;
}

export interface AnswerFailure {
  readonly kind: 'timeout' | 'broken';
  readonly code: ErrorCode;
  readonly reason: string;
  /** Whether the peer ended the connection in order. */
  readonly endedInOrder: boolean;
  /** The first bytes that came, as they came. */
  readonly received: Buffer;
}

/** Fields of an answer that a test looks at. */
const wantedFields = ['server', 'content-type', 'content-encoding', 'content-length', 'location', 'proxy-status'];
const keptBytes = 32_768;
const keptRawBytes = 512;
/** The first byte is what counts; what else comes in this time, milliseconds, goes into the excerpt. */
const collectTime = 200;
/** A body that says nothing for longer than this is not waited for longer; an event stream may well stay silent. */
const maxBodyWait = 10_000;
const maxStreamWait = 1_000;

/** Sends one request, which must have no body, on a fresh connection, takes the first of the answer and closes. Never rejects. */
export function askUpstream(
  shared: ClientShared,
  socket: net.Socket,
  isTls: boolean,
  request: { readonly text: string; readonly isHead: boolean; readonly waitMs: number },
): Promise<AnswerReport> {
  return new Promise((resolve) => new TestExchange(shared, socket, isTls, request, resolve).start());
}

class TestExchange implements ResponseHandler, TransportOwner {
  private readonly connection: ClientConnection;
  private readonly request: { readonly text: string; readonly isHead: boolean; readonly waitMs: number };
  private readonly resolve: (report: AnswerReport) => void;
  private startedAt = 0;
  private headAt = 0;
  private head: AnswerHead | null = null;
  private headMs = 0;
  private firstByteMs: number | null = null;
  private readonly body: Buffer[] = [];
  private bodyLength = 0;
  private received = Buffer.alloc(0);
  private endedInOrder = false;
  private timer: NodeJS.Timeout | undefined;
  private over = false;

  constructor(
    shared: ClientShared,
    socket: net.Socket,
    isTls: boolean,
    request: { readonly text: string; readonly isHead: boolean; readonly waitMs: number },
    resolve: (report: AnswerReport) => void,
  ) {
    this.request = request;
    this.resolve = resolve;
    this.connection = new ClientConnection(shared, socket, isTls, { onIdleClosed: () => {} });
    // Looks at the bytes as they come, before the connection does.
    this.connection.transport.setOwner(this);
  }

  start(): void {
    this.startedAt = performance.now();
    this.connection.begin(this, this.request.isHead, false, false);
    this.connection.output.text(this.request.text);
    this.connection.send();
    this.connection.markRequestSent();
    this.wait(this.request.waitMs, () => this.late(`no answer within ${this.request.waitMs} ms`));
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    const room = keptRawBytes - this.received.length;
    if (room > 0) this.received = Buffer.concat([this.received, bytes.subarray(start, Math.min(end, start + room))]);
    this.connection.onBytes(bytes, start, end);
  }

  onEnd(): void {
    this.endedInOrder = true;
    this.connection.onEnd();
  }

  onDrained(): void {
    this.connection.onDrained();
  }

  onWriteFailed(): void {
    this.connection.onWriteFailed();
  }

  onClose(error: Error | null): void {
    this.endedInOrder ||= error === null;
    this.connection.onClose(error);
  }

  onInterimResponse(): void {}

  // Never asked for; the connection refuses it.
  onSwitchingProtocols(): void {}

  onUpstreamTunnelBytes(): void {}

  onResponseHead(): void {
    const { head } = this.connection;
    const fields = wantedFields.flatMap((name) => {
      const value = head.fields.valueOf(name);
      return value === undefined ? [] : [[name, value] as const];
    });
    this.head = {
      status: head.status,
      reason: head.bytes.latin1Slice(head.reasonStart, head.reasonEnd),
      fields: new Map(fields),
    };
    this.headAt = performance.now();
    this.headMs = this.headAt - this.startedAt;
    const stream = /^text\/event-stream\b/i.test(this.head.fields.get('content-type') ?? '');
    const patience = Math.min(this.request.waitMs, stream ? maxStreamWait : maxBodyWait);
    this.wait(patience, () => (stream ? this.finish(null, false) : this.late(`no byte of the body within ${patience} ms`)));
  }

  onResponseBody(bytes: Buffer, start: number, end: number): void {
    if (this.firstByteMs === null) {
      this.firstByteMs = performance.now() - this.headAt;
      this.wait(collectTime, () => this.finish(null, false));
    }
    const kept = Buffer.from(bytes.subarray(start, Math.min(end, start + keptBytes - this.bodyLength)));
    this.body.push(kept);
    this.bodyLength += kept.length;
    // Not within this call: the connection is in the middle of decoding.
    if (this.bodyLength >= keptBytes) this.wait(0, () => this.finish(null, false));
  }

  onResponseEnd(): void {
    this.finish(null, true);
  }

  onResponseReadDone(): void {}

  onUpstreamDrained(): void {}

  onUpstreamFailed(code: ErrorCode, reason: string): void {
    this.finish({ kind: 'broken', code, reason, endedInOrder: this.endedInOrder, received: this.received }, false);
  }

  private late(reason: string): void {
    this.finish({ kind: 'timeout', code: 'upstream_timeout', reason, endedInOrder: false, received: this.received }, false);
  }

  private wait(ms: number, then: () => void): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(then, ms);
  }

  private finish(failure: AnswerFailure | null, bodyIsWhole: boolean): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.timer);
    if (this.head === null) this.headMs = performance.now() - this.startedAt;
    this.connection.destroy();
    this.resolve({
      head: this.head,
      headMs: this.headMs,
      firstByteMs: this.firstByteMs,
      body: Buffer.concat(this.body),
      bodyIsWhole,
      failure,
    });
  }
}
