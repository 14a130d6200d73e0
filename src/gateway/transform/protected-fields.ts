/** Of this hop, or of the framing, which is ours to make. */
const hop = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'content-encoding',
];
const ours = ['x-request-id', 'via', 'proxy-status', 'date'];
const oursInRequests = ['host', 'expect', 'x-key-id', 'forwarded', 'x-real-ip', 'front-end-https', 'traceparent', 'tracestate', 'proxy'];
const oursInResponses = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'ratelimit', 'ratelimit-policy'];
const credentials = ['authorization', 'proxy-authorization', 'x-api-key'];
const boundToBody = ['accept-encoding', 'range', 'if-range'];

export interface ProtectionContext {
  readonly message: 'request' | 'response';
  /** A credential may be removed but not written. */
  readonly removes: boolean;
  /** The header that the upstream's credential goes in, where it is known and not Authorization. */
  readonly credentialName: string | null;
  /** The route's responses have body steps, which need to know what was asked for. */
  readonly responseBody: boolean;
}

/** Why a transformation may not touch a field of that name, or null. `_` counts as `-`: CGI-like backends take one for the other. */
export function protectionOf(name: string, context: ProtectionContext): string | null {
  const folded = foldedName(name);
  const request = context.message === 'request';
  if (hop.includes(folded) || folded.startsWith('sec-websocket-')) return `${name} belongs to the connection and is made by the gateway`;
  if (
    ours.includes(folded) ||
    folded.startsWith('x-apigate-') ||
    (request ? oursInRequests : oursInResponses).includes(folded) ||
    (request && folded.startsWith('x-forwarded-'))
  )
    return folded === 'host'
      ? "Host is the upstream's base_url's, or the client's with preserve_host"
      : `${name} is set by the gateway itself`;
  if (!request) return null;
  if (context.responseBody && boundToBody.includes(folded))
    return `${name} is decided by the gateway where response bodies are transformed`;
  if (context.removes) return null;
  if (context.credentialName !== null && foldedName(context.credentialName) === folded)
    return `${name} carries the upstream's credential: set it with the upstream's auth_value`;
  if (credentials.includes(folded)) return `${name} carries a credential: set it with the upstream's auth_value`;
  return null;
}

/** A field name as it is compared: lower case, with `-` for `_`. */
export function foldedName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}
