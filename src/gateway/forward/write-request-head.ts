import { kind, knownFieldCount, underscored } from '../../http/known-fields.ts';
import type { OutputBuffer } from '../../http/output-buffer.ts';
import type { RequestHead } from '../../http/request-head.ts';
import { copyTargetWithoutKey } from '../query-api-key.ts';
import { isCredentialField } from './credential-field.ts';
import type { TransformedRequest } from '../exchange.ts';
import type { CompiledUpstream } from '../snapshot/compile-upstream.ts';
import type { RequestId } from '../request-id.ts';

/** What the gateway itself says of a request on its way. */
export interface RequestFacts {
  readonly id: RequestId;
  /** Value of the Host field, '' when there was none. */
  readonly hostValue: string;
  /** Id of the API key that opened the route, or ''. */
  readonly keyId: string;
  /** null: for the gateway's own control plane. */
  readonly route: { readonly api_key_query: boolean } | null;
  readonly identity: ForwardedIdentity;
}

/** Who the client is, as far as the gateway knows or believes a trusted proxy. */
export interface ForwardedIdentity {
  /** Whether the peer is a trusted proxy. */
  readonly isTrusted: boolean;
  readonly scheme: 'http' | 'https';
  clientAddress(head: RequestHead): string;
  /** Whether a program on this very machine asks by itself. */
  isDirectLoopback(head: RequestHead): boolean;
  /** X-Forwarded-* and Forwarded, each with its line end. */
  forwardedFields(head: RequestHead, host: string): Uint8Array;
}

/** Constants of one gateway process. */
export interface ForwardingIdentity {
  /** `Via: …` with its line end, for requests that came as HTTP/1.0 and as HTTP/1.1 (RFC 9110 section 7.6.3). */
  readonly viaFields: readonly [Uint8Array, Uint8Array];
  /** Proof to the control plane that a request comes from a worker. */
  readonly workerToken: string;
}

/**
 * Writes the head of the outgoing request: the client's own bytes but for the fields that end here
 * (RFC 9110 section 7.6.1), that only the gateway may set, or that carry a credential for the gateway itself. Of a request whose
 * body is held back, the length and the empty line are missing: `endHeldHead` writes them.
 */
export function writeRequestHead(
  out: OutputBuffer,
  head: RequestHead,
  upstream: CompiledUpstream,
  facts: RequestFacts,
  gateway: ForwardingIdentity,
  upgrade: boolean,
  transformed: TransformedRequest | null,
): void {
  const { bytes } = head;
  const trace = keptTrace(head);
  if (transformed !== null) {
    writeTransformedLine(out, head, upstream, facts, transformed);
  } else if (upstream.pathPrefix === '' && head.pathStart === head.targetStart && head.pathEnd === head.targetEnd) {
    out.copy(bytes, head.start, head.targetEnd);
  } else {
    out.copy(bytes, head.start, head.methodEnd);
    writeTarget(out, head, upstream, facts);
  }
  out.constant(upstream.afterTarget);
  if (upstream.preservesHost) out.text(`Host: ${facts.hostValue || upstream.authority}\r\n`);
  copyFields(out, head, upstream, facts.identity.isTrusted);
  if (transformed !== null && transformed.fields !== '') out.text(transformed.fields);
  const held = transformed !== null && transformed.body !== null;
  if (head.chunked && !held) out.constant(chunkedField);
  if (upgrade) out.constant(upgradeFields);
  else if (head.acceptsTrailers) out.constant(trailersFields);
  out.constant(facts.identity.forwardedFields(head, facts.hostValue));
  facts.id.writeField(out);
  if (!trace) beginTrace(out, facts.id);
  out.constant(gateway.viaFields[head.minor === 0 ? 0 : 1]);
  if (facts.keyId !== '') out.text(`X-Key-ID: ${facts.keyId}\r\n`);
  if (upstream.isAdmin) {
    out.text(
      `X-APIGate-Worker-Token: ${gateway.workerToken}\r\nX-APIGate-Client: ${facts.identity.clientAddress(head)}\r\nX-APIGate-Scheme: ${facts.identity.scheme}\r\nX-APIGate-Direct: ${Number(facts.identity.isDirectLoopback(head))}\r\n`,
    );
  }
  // With a body held back its length comes behind the rest: see endHeldHead.
  if (held) out.constant(upstream.credentialField);
  else out.constant(upstream.headEnd);
}

function writeTarget(out: OutputBuffer, head: RequestHead, upstream: CompiledUpstream, facts: RequestFacts): void {
  out.byte(0x20);
  if (upstream.pathPrefix !== '') out.text(upstream.pathPrefix);
  if (head.pathEnd === head.pathStart) out.byte(0x2f); // absolute form without a path: RFC 9112 section 3.2.1
  if (head.pathEnd === head.targetEnd) out.copy(head.bytes, head.pathStart, head.pathEnd);
  else copyTargetWithoutKey(out, head, facts.route !== null && facts.route.api_key_query);
}

function writeTransformedLine(
  out: OutputBuffer,
  head: RequestHead,
  upstream: CompiledUpstream,
  facts: RequestFacts,
  transformed: TransformedRequest,
): void {
  if (transformed.method !== '') out.text(transformed.method);
  else out.copy(head.bytes, head.start, head.methodEnd);
  if (transformed.target === '') {
    writeTarget(out, head, upstream, facts);
    return;
  }
  out.byte(0x20);
  out.text(upstream.pathPrefix + transformed.target);
}

/** Ends the head of a request whose body was held back. */
export function endHeldHead(out: OutputBuffer, length: number): void {
  out.text('Content-Length: ');
  out.decimal(length);
  out.text('\r\n\r\n');
}

const chunkedField = Buffer.from('Transfer-Encoding: chunked\r\n', 'latin1');
const upgradeFields = Buffer.from('Connection: Upgrade\r\nUpgrade: websocket\r\n', 'latin1');
const trailersFields = Buffer.from('TE: trailers\r\nConnection: TE\r\n', 'latin1');

const keep = 0;
const drop = 1;
const dropIfApiKey = 2;
const dropUnlessTrusted = 3;

// What happens to each known field; the same for its spelling with underscores, which CGI-like backends take for it.
const treatment = new Uint8Array(knownFieldCount);
for (const dropped of [
  kind.host,
  kind.transferEncoding,
  kind.connection,
  kind.keepAlive,
  kind.proxyConnection,
  kind.te,
  kind.upgrade,
  kind.proxyAuthorization,
  kind.xKeyId,
  kind.xRequestId,
  kind.xForwardedFor,
  kind.xForwardedProto,
  kind.xForwardedHost,
  kind.xForwardedPort,
  kind.forwarded,
  kind.xRealIp,
  kind.proxy, // CGI makes HTTP_PROXY of it, which HTTP clients take for a proxy to use (httpoxy)
  kind.workerToken,
  kind.workerClient,
  kind.workerScheme,
]) {
  treatment[dropped] = drop;
}
// The rest of the forwarded family, which we do not set ourselves.
for (const known of [kind.xForwardedPrefix, kind.xForwardedScheme, kind.xForwardedServer, kind.xForwardedSsl, kind.frontEndHttps]) {
  treatment[known] = dropUnlessTrusted;
}
treatment[kind.authorization] = dropIfApiKey;
treatment[kind.xApiKey] = dropIfApiKey;

// Neighbouring fields that stay are copied as one range, with the client's own case, order and white space.
function copyFields(out: OutputBuffer, head: RequestHead, upstream: CompiledUpstream, isTrusted: boolean): void {
  const { bytes, fields } = head;
  const { kinds, nameStart, lineEnd, dropped, count } = fields;
  let runStart = -1;
  let runEnd = 0;
  for (let index = 0; index < count; index++) {
    const known = kinds[index]! & (underscored - 1);
    let fate = treatment[known]!;
    if (fate === keep && known !== kinds[index] && (known === kind.contentLength || known === kind.cookie)) fate = drop;
    if (dropped[index] === 1) fate = drop;
    else if (upstream.credentialName !== '' && isCredentialField(fields, index, upstream)) fate = drop;
    else if (fate === dropUnlessTrusted) fate = isTrusted ? keep : drop;
    else if (fate === dropIfApiKey) fate = carriesApiKey(head, index, known) ? drop : keep;
    if (fate === drop) {
      if (runStart >= 0) out.copy(bytes, runStart, runEnd);
      runStart = -1;
    } else {
      if (runStart < 0) runStart = nameStart[index]!;
      runEnd = lineEnd[index]!;
    }
  }
  if (runStart >= 0) out.copy(bytes, runStart, runEnd);
}

// A key of ours never goes on to an upstream, on public routes neither; other values are the upstream's business.
function carriesApiKey(head: RequestHead, index: number, known: number): boolean {
  const value = head.fields.value(index);
  return value.includes('ak_') && (known === kind.xApiKey ? /(?:^|,)\s*ak_/ : /(?:^|,)\s*bearer\s+ak_/i).test(value);
}

// Whether the client's trace goes on. An invalid traceparent ends here, with its tracestate (W3C Trace Context section 4.3).
function keptTrace(head: RequestHead): boolean {
  const { fields } = head;
  const first = fields.find(kind.traceparent);
  if (first < 0) return false;
  // One that Connection lists ends here too.
  if (fields.dropped[first] === 0 && validTraceparent.test(fields.value(first)) && fields.find(kind.traceparent, first + 1) < 0)
    return true;
  for (let index = first; index < fields.count; index++) {
    const known = fields.kinds[index];
    if (known === kind.traceparent || known === kind.tracestate) fields.dropped[index] = 1;
  }
  return false;
}

const validTraceparent = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

// W3C Trace Context section 3.2. Sampled, as a trace that begins without a gateway would be by default.
function beginTrace(out: OutputBuffer, { digits }: RequestId): void {
  out.constant(traceStart);
  out.constant(digits);
  out.byte(0x2d);
  out.copy(digits, 16, 32);
  out.constant(traceEnd);
}

const traceStart = Buffer.from('traceparent: 00-', 'latin1');
const traceEnd = Buffer.from('-01\r\n', 'latin1');
