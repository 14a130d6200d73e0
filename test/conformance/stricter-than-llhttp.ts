/**
 * Vectors on which APIGate deliberately decides otherwise than llhttp: nearly always stricter, and looser only
 * where llhttp knows a fixed list of methods. Keyed by file and title; the reason names the rule. Everything
 * not listed here goes by llhttp's verdict.
 */
export interface Deviation {
  readonly file: string;
  readonly title: string;
  readonly reason: string;
  /** Statuses the client may get. */
  readonly statuses: readonly number[];
}

export const stricterRequests: readonly Deviation[] = [
  {
    file: 'request/invalid.md',
    title: 'HTTP protocol and ANNOUNCE method',
    reason: 'looser: any token is a method and is forwarded',
    statuses: [200],
  },
  { file: 'request/invalid.md', title: 'Invalid method', reason: 'looser: any token is a method and is forwarded', statuses: [200] },
  {
    file: 'request/connection.md',
    title: 'Emitting part of body and pausing',
    reason: 'an Upgrade token other than websocket is not forwarded; the four body bytes are, and what follows them is no request',
    statuses: [200],
  },
  {
    file: 'request/connection.md',
    title: 'Upgrade POST request',
    reason: 'Upgrade: HTTP/2.0 is not forwarded; the body is, and what follows it is no request',
    statuses: [200],
  },
  {
    file: 'request/connection.md',
    title: 'Setting a flag and pausing',
    reason: 'Upgrade: ws is no websocket and is not forwarded; the request itself is',
    statuses: [200],
  },
  {
    file: 'request/connection.md',
    title: 'Multiple tokens with folding and LWS',
    reason: 'a handshake without Sec-WebSocket-Key: refused, or passed to an upstream that answers without upgrading',
    statuses: [400, 200],
  },
  {
    file: 'request/connection.md',
    title: 'Upgrade GET request',
    reason: 'a handshake without Sec-WebSocket-Key: refused, or passed to an upstream that answers without upgrading',
    statuses: [400, 200],
  },
  { file: 'request/method.md', title: 'CONNECT request', reason: 'no tunnels', statuses: [405] },
  { file: 'request/method.md', title: 'CONNECT request with CAPS', reason: 'no tunnels', statuses: [405] },
  { file: 'request/method.md', title: 'CONNECT with body', reason: 'no tunnels', statuses: [405] },
  { file: 'request/uri.md', title: 'Underscore in hostname', reason: 'no tunnels', statuses: [405] },
  {
    file: 'request/method.md',
    title: 'M-SEARCH request',
    reason: 'the asterisk form is for OPTIONS only (RFC 9112 section 3.2.4)',
    statuses: [400],
  },
  { file: 'request/method.md', title: 'SOURCE request with ICE', reason: 'HTTP/1.0 and HTTP/1.1 only', statuses: [400] },
  { file: 'request/method.md', title: 'OPTIONS request with RTSP', reason: 'HTTP/1.0 and HTTP/1.1 only', statuses: [400] },
  { file: 'request/method.md', title: 'ANNOUNCE request with RTSP', reason: 'HTTP/1.0 and HTTP/1.1 only', statuses: [400] },
  { file: 'request/method.md', title: 'PRI request HTTP2', reason: 'the asterisk form is for OPTIONS only', statuses: [400] },
  { file: 'request/sample.md', title: 'No HTTP version', reason: 'HTTP/0.9 is not served', statuses: [400] },
  {
    file: 'request/transfer-encoding.md',
    title: 'POST with `chunked` as last transfer-encoding',
    reason: 'Transfer-Encoding is exactly chunked; the target has a fragment',
    statuses: [400],
  },
  {
    file: 'request/transfer-encoding.md',
    title: 'POST with `chunked` as last transfer-encoding (multiple headers)',
    reason: 'Transfer-Encoding is exactly chunked; the target has a fragment',
    statuses: [400],
  },
  {
    file: 'request/transfer-encoding.md',
    title: 'Trailing headers',
    reason: 'Content-Type in trailers would be a second opinion on the body',
    statuses: [400],
  },
  { file: 'request/uri.md', title: 'Fragment in URI', reason: 'a fragment never belongs into a target', statuses: [400] },
  { file: 'request/uri.md', title: '`host:port` and basic auth', reason: 'user information in a target is refused', statuses: [400] },
];

export const stricterResponses: readonly Deviation[] = [
  {
    file: 'response/connection.md',
    title: 'HTTP 100 first, then 400',
    reason: 'the empty line between the two is no part of RFC 9112',
    statuses: [502],
  },
  {
    file: 'response/connection.md',
    title: 'HTTP 101 response with Upgrade and Content-Length header',
    reason: '101 only when asked',
    statuses: [502],
  },
  {
    file: 'response/connection.md',
    title: 'HTTP 101 response with Upgrade and Transfer-Encoding header',
    reason: '101 only when asked',
    statuses: [502],
  },
  { file: 'response/sample.md', title: 'RTSP response', reason: 'HTTP/1.0 and HTTP/1.1 only', statuses: [502] },
  { file: 'response/sample.md', title: 'ICE response', reason: 'HTTP/1.0 and HTTP/1.1 only', statuses: [502] },
  { file: 'response/sample.md', title: 'HTTP version 0.9', reason: 'HTTP/1.0 and HTTP/1.1 only', statuses: [502] },
  {
    file: 'response/sample.md',
    title: 'Response starting with CRLF',
    reason: 'empty lines before a status line are no part of RFC 9112',
    statuses: [502],
  },
  {
    file: 'response/transfer-encoding.md',
    title: '`chunked` before other transfer-encoding',
    reason: 'Transfer-Encoding is exactly chunked',
    statuses: [502],
  },
  {
    file: 'response/transfer-encoding.md',
    title: 'multiple transfer-encoding where chunked is not the last one',
    reason: 'Transfer-Encoding is exactly chunked',
    statuses: [502],
  },
  {
    file: 'response/transfer-encoding.md',
    title: '`chunkedchunked` transfer-encoding does not enable chunked enconding',
    reason: 'Transfer-Encoding is exactly chunked',
    statuses: [502],
  },
];
