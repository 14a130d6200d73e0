// One line per code: the whole list of error codes stands in one place on purpose, and lines run long.

/** Who has to act for the error to go away. */
export type Fault = 'client' | 'operator' | 'upstream' | 'gateway';

export interface ErrorEntry {
  /** HTTP status of the answer. */
  readonly status: number;
  /** Short public name of the error. */
  readonly title: string;
  /** Public explanation: no address, no secret. */
  readonly detail: string;
  readonly fault: Fault;
  /** Whether the same request may succeed later without anybody changing it. */
  readonly retryable: boolean;
  /** For the operator's log: what to look at. */
  readonly hint: string;
  /** RFC 9209 section 2.3 error type for `Proxy-Status`, on errors the proxy makes. */
  readonly proxyStatus?: string;
}

function entry(
  status: number,
  fault: Fault,
  retryable: boolean,
  title: string,
  detail: string,
  hint: string,
  proxyStatus?: string,
): ErrorEntry {
  return proxyStatus === undefined
    ? { status, title, detail, fault, retryable, hint }
    : { status, title, detail, fault, retryable, hint, proxyStatus };
}

/** Every code that the proxy or the admin API answers with. Codes are stable: clients may test for them. */
export const errorCatalogue = {
  // ---- proxy: the request itself
  request_malformed: entry(400, 'client', false, 'Malformed request', 'The request breaks the rules of HTTP/1.1.', 'The client, or something between it and APIGate, sends invalid HTTP; the reason is in the log line.', 'http_request_error'),
  request_timeout: entry(408, 'client', true, 'Request timeout', 'The request did not arrive in time.', 'The client was too slow to send its request head or body.', 'http_request_error'),
  body_too_large: entry(413, 'client', false, 'Body too large', 'The request body is larger than this gateway accepts.', 'Raise APIGATE_MAX_BODY if such bodies are legitimate, or APIGATE_TRANSFORM_BODY_LIMIT where the reason names that.', 'http_request_denied'),
  target_too_long: entry(414, 'client', false, 'Target too long', 'The request target is longer than this gateway accepts.', 'Raise APIGATE_MAX_TARGET if such targets are legitimate.', 'http_request_denied'),
  headers_too_large: entry(431, 'client', false, 'Headers too large', 'The request header is larger than this gateway accepts, or has too many fields.', 'Raise APIGATE_MAX_HEAD or APIGATE_MAX_HEADERS if such requests are legitimate.', 'http_request_denied'),
  expectation_failed: entry(417, 'client', false, 'Expectation failed', 'Only "Expect: 100-continue" is supported.', 'The client sends an Expect header that no HTTP standard defines.', 'http_request_error'),
  upgrade_not_allowed: entry(400, 'client', false, 'Upgrade not allowed', 'This route does not accept protocol upgrades.', 'Set the route\'s protocol to websocket if WebSocket clients should use it.', 'http_request_denied'),
  method_not_allowed: entry(405, 'client', false, 'Method not allowed', 'No route takes this method here.', 'See the Allow header for the methods that routes take on this path.', 'http_request_denied'),
  route_not_found: entry(404, 'client', false, 'No route', 'No route matches this request.', 'Create a route for this host and path: apigate routes create --name NAME --path PATH --upstream UPSTREAM.', 'destination_not_found'),
  missing_api_key: entry(401, 'client', false, 'API key required', 'This route needs an API key, in X-API-Key or as Authorization: Bearer.', 'Make a key with "apigate keys create --name NAME", or open the route with --no-auth.', 'http_request_denied'),
  invalid_api_key: entry(401, 'client', false, 'Invalid API key', 'The API key is not known here, or does not open this route.', 'The client uses a key that was deleted, mistyped or is limited to other routes.', 'http_request_denied'),
  key_expired: entry(401, 'client', false, 'API key expired', 'The API key has expired.', 'Make the client a new key.', 'http_request_denied'),
  key_revoked: entry(401, 'client', false, 'API key revoked', 'The API key was revoked.', 'The client still uses a key that an admin has revoked.', 'http_request_denied'),
  rate_limit_exceeded: entry(429, 'client', true, 'Rate limit exceeded', 'This API key has used up its requests for now.', 'Raise the key\'s rate_limit_per_minute if the client should be allowed more.', 'http_request_denied'),
  loop_detected: entry(508, 'operator', false, 'Loop detected', 'The request came back to the gateway that sent it.', 'An upstream\'s base_url leads back to APIGate itself, directly or through another proxy.', 'proxy_loop_detected'),
  internal_error: entry(500, 'gateway', true, 'Internal error', 'The gateway failed to handle this request.', 'This is a defect in APIGate; please report it with the log line.', 'proxy_internal_error'),
  transform_error: entry(500, 'operator', false, 'Transformation failed', 'A transformation could not be applied.', 'Check the route\'s request_transform and response_transform.', 'proxy_internal_error'),
  draining: entry(503, 'gateway', true, 'Shutting down', 'The gateway is shutting down.', 'Requests go to another instance or wait for the restart.', 'proxy_internal_response'),

  // ---- proxy: the upstream
  upstream_connection_refused: entry(502, 'upstream', true, 'Upstream refused the connection', 'The upstream refused the connection.', 'connection refused: check that base_url is correct, that the service is running, and the firewall rules.', 'connection_refused'),
  upstream_unreachable: entry(502, 'upstream', true, 'Upstream unreachable', 'The upstream could not be reached.', 'The network has no way to the upstream\'s address: check base_url, routing and firewall rules.', 'destination_ip_unroutable'),
  upstream_dns_failure: entry(502, 'upstream', true, 'Upstream name not found', 'The upstream\'s host name could not be resolved.', 'Check the host name in base_url and the name servers (APIGATE_DNS_SERVERS).', 'dns_error'),
  upstream_tls_untrusted: entry(502, 'operator', false, 'Upstream certificate not trusted', 'The upstream\'s certificate is not signed by a trusted authority.', 'certificate signed by unknown authority: use a valid certificate, set the upstream\'s tls_ca, or add the CA to the system\'s trust store.', 'tls_certificate_error'),
  upstream_tls_name_mismatch: entry(502, 'operator', false, 'Upstream certificate is for another name', 'The upstream\'s certificate does not cover its host name.', 'Check base_url, or set tls_server_name to a name that the certificate covers.', 'tls_certificate_error'),
  upstream_tls_expired: entry(502, 'upstream', false, 'Upstream certificate expired', 'The upstream\'s certificate is expired or not yet valid.', 'Renew the upstream\'s certificate, and check both clocks.', 'tls_certificate_error'),
  upstream_tls_failed: entry(502, 'upstream', false, 'Upstream TLS failed', 'The TLS handshake with the upstream failed.', 'The upstream may not speak TLS on this port, or only versions older than TLS 1.2.', 'tls_protocol_error'),
  upstream_reset: entry(502, 'upstream', true, 'Upstream closed the connection', 'The upstream closed the connection before it answered.', 'The upstream crashed, restarted, or does not accept this request; see its own log.', 'connection_terminated'),
  upstream_invalid_response: entry(502, 'upstream', false, 'Upstream sent an invalid response', 'The upstream\'s answer breaks the rules of HTTP/1.1.', 'The upstream\'s answer is not valid HTTP; the reason is in the log line.', 'http_protocol_error'),
  upstream_address_forbidden: entry(502, 'operator', false, 'Upstream address forbidden', 'The upstream\'s host leads to an address that requests may not go to.', 'Link-local, cloud metadata, multicast and the gateway\'s own addresses are never dialled; check base_url and its DNS.', 'destination_ip_prohibited'),
  upstream_disabled: entry(503, 'operator', false, 'Upstream disabled', 'The upstream of this route is disabled.', 'Enable it with "apigate upstreams enable NAME".', 'destination_unavailable'),
  upstream_credential_unavailable: entry(503, 'operator', false, 'Upstream credential unavailable', 'The upstream\'s credential cannot be produced.', 'Check the environment variable or file that auth_value refers to, or set auth_value again.', 'proxy_configuration_error'),
  upstream_overloaded: entry(503, 'upstream', true, 'Upstream overloaded', 'No more requests can be sent to the upstream just now.', 'Raise max_conns, or make the upstream faster; where the gateway has no file descriptors left, raise its limit (ulimit -n).', 'connection_limit_reached'),
  upstream_timeout: entry(504, 'upstream', true, 'Upstream timeout', 'The upstream did not answer in time.', 'deadline exceeded: increase timeout_ms, check the network\'s latency and the backend\'s performance.', 'http_response_timeout'),
  upstream_connect_timeout: entry(504, 'upstream', true, 'Upstream connect timeout', 'No connection to the upstream came about in time.', 'deadline exceeded while connecting: check base_url, the firewall, and that the service accepts connections.', 'connection_timeout'),

  // ---- admin API
  malformed_json: entry(400, 'client', false, 'Malformed JSON', 'The body is not valid JSON.', 'The caller sent a body that JSON does not allow.'),
  invalid_request: entry(400, 'client', false, 'Invalid request', 'The request is not valid.', 'See the detail for what is wrong.'),
  unauthenticated: entry(401, 'client', false, 'Not signed in', 'Sign in first, or send an API token.', 'The session has ended or the token is unknown.'),
  invalid_credentials: entry(401, 'client', false, 'Sign-in failed', 'The e-mail address or the password is wrong.', 'Failed sign-ins are in the audit log.'),
  forbidden: entry(403, 'client', false, 'Forbidden', 'This is not allowed with this session or token.', 'The token\'s scope is too small, or the request comes from a place that is not allowed.'),
  not_found: entry(404, 'client', false, 'Not found', 'There is no such resource.', 'Check the id or the name.'),
  revision_pruned: entry(410, 'client', false, 'Revision not kept', 'The revision is not kept any more.', 'The latest 1,000 revisions are kept: see "apigate history" for those that there are.'),
  conflict: entry(409, 'client', false, 'Conflict', 'The request conflicts with what is stored.', 'See the detail for what it conflicts with.'),
  precondition_failed: entry(412, 'client', false, 'Changed meanwhile', 'The resource has changed since it was read.', 'Read it again and repeat the change.'),
  payload_too_large: entry(413, 'client', false, 'Body too large', 'The body is larger than the admin API accepts.', 'The admin API takes bodies of up to 1 MiB, apply up to 10 MiB.'),
  unsupported_media_type: entry(415, 'client', false, 'Unsupported media type', 'Send the body as application/json.', 'The admin API takes JSON only.'),
  validation_failed: entry(422, 'client', false, 'Validation failed', 'Some fields are not valid.', 'The errors list names each field and what is wrong with it.'),
  too_many_attempts: entry(429, 'client', true, 'Too many attempts', 'Too many failed sign-ins; wait before trying again.', 'Sign-ins are throttled for each account and each address; the audit log tells of them (session.sign_in_throttled).'),
  too_many_listeners: entry(429, 'client', true, 'Too many listeners', 'Too many clients follow the requests as they end.', 'At most 20 may follow at once: end some "apigate tail", or close some pages of the admin UI.'),
  no_gateway: entry(503, 'operator', true, 'No running gateway', 'No gateway runs on this database; only one that runs knows its requests, health and metrics.', 'Start the gateway with "apigate serve", or ask another one with --server URL and APIGATE_TOKEN.'),
  storage_unavailable: entry(503, 'operator', true, 'Storage unavailable', 'The database cannot be used just now; nothing was changed.', 'Check the database file, its disk and whether another process holds it locked.'),
  publish_failed: entry(503, 'gateway', true, 'Not yet live', 'The change is stored but not every worker serves it yet.', 'A worker did not acknowledge the change; it is being replaced.'),
  wrong_secret_key: entry(500, 'operator', false, 'Wrong secret key', 'The secret key does not fit this database.', 'Give the key that the database was sealed with.'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorCatalogue;

/** `transform_error` has a status, a public explanation and a fault for each side that may have to act; 500, the operator's, stands above. */
export const transformErrorVariants = {
  400: { detail: 'The request body could not be read as the JSON that it says it is.', fault: 'client', proxyStatus: 'http_request_error' },
  502: { detail: 'The response of the upstream could not be transformed.', fault: 'upstream', proxyStatus: 'http_protocol_error' },
} as const satisfies Record<number, Pick<ErrorEntry, 'detail' | 'fault' | 'proxyStatus'>>;

/** The entry of a code as it is answered with that status. */
export function errorEntryOf(code: ErrorCode, status: number): ErrorEntry {
  const entry: ErrorEntry = errorCatalogue[code];
  if (code !== 'transform_error' || !isVariant(status)) return entry;
  return { ...entry, status, ...transformErrorVariants[status] };
}

function isVariant(status: number): status is keyof typeof transformErrorVariants {
  return Object.hasOwn(transformErrorVariants, status);
}
