import { errorCatalogue, type ErrorCode } from '../errors/catalogue.ts';

/** What a test of an upstream, or a health check, can find wrong. */
export interface UpstreamProblem {
  /** What requests on this upstream's routes are answered meanwhile; null where the upstream's own answer goes to the client. */
  readonly code: ErrorCode | null;
  readonly title: string;
  /** What the test says, for example; the real text names hosts, ports and certificates. */
  readonly example: string;
  /** What to do, the likeliest first: in the words of the API's fields, whatever one manages the gateway with. */
  readonly next: readonly string[];
}

const trustTheCa =
  "If the CA is your own, add it to the operating system's trust store and restart the gateway, or give it to this upstream alone as tls_ca.";

/** By kind. The order is that of the steps of a test. */
export const upstreamProblems = {
  leads_to_gateway: {
    code: 'loop_detected',
    title: 'Leads back to the gateway',
    example: 'base_url leads to this gateway itself, so requests would go round in a circle.',
    next: ['Check base_url, its DNS and /etc/hosts: it must be the address of the service behind the gateway.'],
  },
  address_forbidden: {
    code: 'upstream_address_forbidden',
    title: 'Forbidden address',
    example: 'The host leads to a link-local address, where cloud metadata is served; nothing was sent.',
    next: ['Check the host name in base_url and its DNS: link-local, cloud metadata and multicast addresses are never dialled.'],
  },
  name_not_found: {
    code: 'upstream_dns_failure',
    title: 'Name not found',
    example: 'The name api.exmaple.com does not exist: the name servers know no address for it.',
    next: [
      'Check the spelling of the host in base_url.',
      'Check that this machine sees that name: an internal zone may need APIGATE_DNS_SERVERS or a line in /etc/hosts.',
    ],
  },
  dns_timeout: {
    code: 'upstream_connect_timeout',
    title: 'Name servers do not answer',
    example: 'The name servers did not answer in time for api.example.com (deadline exceeded).',
    next: [
      'Check that the name servers can be reached from this machine: APIGATE_DNS_SERVERS, else /etc/resolv.conf; UDP port 53 through the firewall.',
    ],
  },
  dns_failure: {
    code: 'upstream_dns_failure',
    title: 'Name servers fail',
    example: 'The name servers could not answer for api.example.com.',
    next: ['If the servers answer with an error, check them (APIGATE_DNS_SERVERS, else /etc/resolv.conf) and the zone of that name.'],
  },
  connection_refused: {
    code: 'upstream_connection_refused',
    title: 'Connection refused',
    example: 'Connection refused: nothing listens on 10.0.0.5:8080.',
    next: [
      'Is the service running, and on that port? Check base_url.',
      'Does it listen on that address, or on 127.0.0.1 of its own machine or container only?',
      'Check firewall rules: some answer for the service.',
    ],
  },
  connect_timeout: {
    code: 'upstream_connect_timeout',
    title: 'Connect timeout',
    example: 'Nobody answered at 10.0.0.5:8080 within 5000 ms (deadline exceeded while connecting).',
    next: [
      'Check the host and port in base_url.',
      'A firewall that drops packets looks like this: check its rules and security groups.',
      'The service may be too busy to accept connections.',
    ],
  },
  host_unreachable: {
    code: 'upstream_unreachable',
    title: 'Host unreachable',
    example: 'The network has no way to 10.0.0.5:8080: no route to the host.',
    next: ["Check the address in base_url, and this machine's routes, VPN and container network."],
  },
  connection_reset: {
    code: 'upstream_reset',
    title: 'Connection reset',
    example: '10.0.0.5:8080 reset the connection without an answer.',
    next: [
      'The service crashed, restarted, or something between cuts the connection: see its own log.',
      'It may not accept this request or this Host.',
    ],
  },
  tls_not_spoken: {
    code: 'upstream_tls_failed',
    title: 'The port does not speak TLS',
    example: 'base_url says https, but api.internal:8080 does not speak TLS.',
    next: ['Change base_url to http:// if the service speaks plain HTTP there, or give the port that it speaks TLS on.'],
  },
  tls_too_old: {
    code: 'upstream_tls_failed',
    title: 'Only old TLS versions',
    example: 'api.internal:443 speaks only versions older than TLS 1.2.',
    next: ['Switch TLS 1.2 or 1.3 on at the service: older versions are not safe and are never used.'],
  },
  tls_untrusted: {
    code: 'upstream_tls_untrusted',
    title: 'Certificate not trusted',
    example: 'Certificate signed by unknown authority: it was issued by "Internal CA", which this gateway does not trust.',
    next: [
      trustTheCa,
      'If a public CA issued it, the service may send its certificate without the intermediate ones: configure the full chain there.',
    ],
  },
  tls_name_mismatch: {
    code: 'upstream_tls_name_mismatch',
    title: 'Certificate for another name',
    example: 'The certificate is not for api.internal; it is for: api.example.com, www.example.com.',
    next: [
      'Use one of those names in base_url, or set tls_server_name to it.',
      'Or give the service a certificate for the name in base_url.',
    ],
  },
  tls_expired: {
    code: 'upstream_tls_expired',
    title: 'Certificate expired',
    example: 'The certificate expired on 2026-10-01, 56 days ago.',
    next: ['Renew the certificate at the service.', "Check this machine's clock."],
  },
  tls_not_yet_valid: {
    code: 'upstream_tls_expired',
    title: 'Certificate not yet valid',
    example: 'The certificate is not valid before 2027-01-01.',
    next: ['Check the clocks of both machines.', 'Or wait, or use a certificate that is valid now.'],
  },
  tls_failed: {
    code: 'upstream_tls_failed',
    title: 'TLS handshake failed',
    example: 'The TLS handshake with api.internal:443 failed: handshake failure.',
    next: [
      "See the service's own log: it may want a client certificate, another server name (tls_server_name), or speak no cipher in common.",
    ],
  },
  credential_unavailable: {
    code: 'upstream_credential_unavailable',
    title: 'Credential unavailable',
    example: 'The credential cannot be produced: the environment variable MY_TOKEN is not set. Nothing was sent.',
    next: [
      'Set the environment variable or write the file that auth_value refers to, where the gateway runs.',
      'Or set the value itself again.',
    ],
  },
  tls_expected: {
    code: 'upstream_invalid_response',
    title: 'The port speaks TLS',
    example: 'base_url says http, but api.internal:443 speaks TLS.',
    next: ['If the port speaks TLS, change base_url to https://.'],
  },
  empty_reply: {
    code: 'upstream_reset',
    title: 'Empty reply',
    example: '10.0.0.5:8080 closed the connection without an answer.',
    next: ['The service took the request and hung up: see its own log.', 'Check that it speaks HTTP on that port.'],
  },
  not_http: {
    code: 'upstream_invalid_response',
    title: 'Not HTTP',
    example: 'The answer of 10.0.0.5:22 is not HTTP/1.1. It begins with: SSH-2.0-OpenSSH_9.2',
    next: ['Check the port in base_url: another protocol is spoken there.'],
  },
  answer_timeout: {
    code: 'upstream_timeout',
    title: 'No answer in time',
    example: 'No answer within 30000 ms (deadline exceeded).',
    next: ['Look at the backend: is it slow, or stuck?', 'If it may take longer, raise timeout_ms.', 'Test a path that answers quickly.'],
  },
  no_descriptors: {
    code: 'internal_error',
    title: 'No file descriptors left',
    example: 'This machine gives the process no more file descriptors.',
    next: ['Raise the limit of open files (ulimit -n, LimitNOFILE=), or lower APIGATE_MAX_CONNECTIONS.'],
  },
  credential_rejected: {
    code: null,
    title: 'Credential not accepted',
    example: 'It answers 401 although the credential was sent (Authorization: Bearer ********): the credential is likely wrong or expired.',
    next: [
      'Set it again.',
      'Check auth_type and auth_header: does the service want it in another form?',
      'The credential may be fine but not allowed on this path. Test another one.',
    ],
  },
  credential_wanted: {
    code: null,
    title: 'Wants a credential',
    example: 'It answers 401, and no credential is set for this upstream (auth_type none).',
    next: ['Set one.', 'If clients send their own credential, this is as it should be.'],
  },
  sign_in_redirect: {
    code: null,
    title: 'Redirects to a sign-in page',
    example: 'It answers 302 and sends to https://login.example.com/: a page for people, not an API.',
    next: [
      'Check that base_url is the address of the API, and not of a web page in front of it.',
      'Check the credential: some services answer a wrong one like this.',
    ],
  },
  error_answer: {
    code: null,
    title: 'Answers with an error',
    example: 'It answers 503: the service can be reached, but fails itself.',
    next: ['Look at the service and its own log.', 'If this path is not meant to work, test another one.'],
  },
  unexpected_status: {
    code: null,
    title: 'Unexpected status',
    example: 'It answered /healthz with 404, which is not among 200-399.',
    next: ['Check the path of the health check.', 'If that answer is as it should be, let its status count as good.'],
  },
} as const satisfies Record<string, UpstreamProblem>;

export type UpstreamProblemKind = keyof typeof upstreamProblems;

const testIt = 'Ask what it is with a test of the upstream.';

/** Beside an answer of 404, which is no problem. */
export const testAnotherPath = 'Test a path that exists.';

/** Commands that do what a step says, by the step. */
export const stepCommands: Readonly<Record<string, string>> = {
  [trustTheCa]: 'apigate upstreams update NAME --tls-ca ca.pem',
  'Or set the value itself again.': 'apigate upstreams update NAME --auth-value -',
  'If it may take longer, raise timeout_ms.': 'apigate upstreams update NAME --timeout 60000',
  'Test a path that answers quickly.': 'apigate upstreams test NAME --path /health',
  'Set it again.': 'apigate upstreams update NAME --auth-value -',
  'The credential may be fine but not allowed on this path. Test another one.': 'apigate upstreams test NAME --path /health',
  'Set one.': 'apigate upstreams update NAME --auth-type bearer --auth-value -',
  'If this path is not meant to work, test another one.': 'apigate upstreams test NAME --path /health',
  'Check the path of the health check.': 'apigate upstreams update NAME --health-check /healthz',
  'If that answer is as it should be, let its status count as good.': 'apigate upstreams update NAME --health-check-status 200-399,404',
  [testAnotherPath]: 'apigate upstreams test NAME --path /health',
  [testIt]: 'apigate upstreams test NAME',
};

/** A step for somebody at a terminal: with the command that does it, where there is one. */
export function stepInTerminal(step: string): string {
  const command = stepCommands[step];
  return command === undefined ? step : `${step.replace(/\.$/, '')}: ${command}`;
}

/**
 * What can be told of requests that got this error by an upstream's fault. Where several problems can be behind the code, the steps
 * of all of them are there, the likeliest first, and the test that tells which it is.
 */
export function problemOfCode(code: ErrorCode): { readonly title: string; readonly cause: string; readonly next: string[] } {
  const kinds =
    likeliestFirst[code] ?? (Object.keys(upstreamProblems) as UpstreamProblemKind[]).filter((kind) => upstreamProblems[kind].code === code);
  const [only] = kinds;
  const { title, detail: cause } = errorCatalogue[code];
  const next = [...new Set(kinds.flatMap((kind): readonly string[] => upstreamProblems[kind].next))];
  if (only !== undefined && kinds.length === 1) return { title: upstreamProblems[only].title, cause, next };
  return { title, cause, next: [...next, testIt] };
}

/** Where that is not the order of a test's steps. */
const likeliestFirst: Readonly<Partial<Record<ErrorCode, readonly UpstreamProblemKind[]>>> = {
  upstream_connect_timeout: ['connect_timeout', 'dns_timeout'],
  upstream_invalid_response: ['not_http', 'tls_expected'],
};
