import type { BaseUrl } from '../../model/base-url.ts';
import { type UpstreamProblemKind, upstreamProblems } from '../../model/upstream-problems.ts';
import type { ProbeResult } from '../../model/upstream-test.ts';
import { tlsFailureReason } from '../forward/tls-trust.ts';
import type { CertificateFacts } from './read-certificate.ts';
import type { DialAttempt, DialReport } from './watch-dial.ts';

export type Problem = NonNullable<ProbeResult['problem']>;

/** A finding of that kind, with the cause in words that fit the case. */
export function problemOf(kind: UpstreamProblemKind, cause: string): Problem {
  const { code, title, next } = upstreamProblems[kind];
  return { kind, code, title, cause, next: [...next] };
}

/** What a failed dial means, in words for whoever set the upstream up. */
export function explainDial(report: DialReport, base: BaseUrl, serverName: string, budgetMs: number): Problem {
  const kind = kindOfDial(report);
  return problemOf(kind, causeOf(kind, report, { base, serverName, budgetMs }));
}

/** `10.0.0.5:8080`, with brackets around IPv6. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function kindOfDial({ failure, resolveFailure, decisive }: DialReport): UpstreamProblemKind {
  if (resolveFailure !== null) return kindsOfResolving[resolveFailure];
  const error: NodeJS.ErrnoException | null = decisive?.error ?? null;
  const detail = error?.code ?? '';
  switch (failure!.code) {
    case 'loop_detected':
      return 'leads_to_gateway';
    case 'upstream_address_forbidden':
      return 'address_forbidden';
    case 'upstream_connection_refused':
      return 'connection_refused';
    case 'upstream_connect_timeout':
      return decisive === null ? 'dns_timeout' : 'connect_timeout';
    case 'upstream_reset':
      return 'connection_reset';
    case 'upstream_tls_untrusted':
      return 'tls_untrusted';
    case 'upstream_tls_name_mismatch':
      return 'tls_name_mismatch';
    case 'upstream_tls_expired':
      return detail === 'CERT_NOT_YET_VALID' ? 'tls_not_yet_valid' : 'tls_expired';
    case 'upstream_tls_failed':
      return kindsOfHandshake[detail] ?? 'tls_failed';
    case 'internal_error':
      return 'no_descriptors';
    case 'upstream_invalid_response':
      return 'tls_failed';
    default:
      return 'host_unreachable';
  }
}

const kindsOfResolving = { dns_not_found: 'name_not_found', dns_timeout: 'dns_timeout', dns_failure: 'dns_failure' } as const;

/** What OpenSSL says when something else than a TLS record comes, or none of a version that is allowed. */
const kindsOfHandshake: Readonly<Record<string, UpstreamProblemKind>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: 'tls_not_spoken',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'tls_not_spoken',
  EPROTO: 'tls_not_spoken',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'tls_too_old',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'tls_too_old',
  ECONNRESET: 'connection_reset',
  EPIPE: 'connection_reset',
};

interface Circumstances {
  readonly base: BaseUrl;
  readonly serverName: string;
  readonly budgetMs: number;
}

function causeOf(kind: UpstreamProblemKind, { failure, decisive }: DialReport, { base, serverName, budgetMs }: Circumstances): string {
  const place = decisive === null ? hostAndPort(base.host, base.port) : hostAndPort(decisive.address, base.port);
  const certificate = decisive?.certificate ?? null;
  switch (kind) {
    case 'leads_to_gateway':
      return 'base_url leads to this gateway itself, so requests would go round in a circle; nothing was sent.';
    case 'address_forbidden':
      return `The host leads to a forbidden address (${failure!.reason.replace(/^.*: /, '')}); nothing was sent.`;
    case 'name_not_found':
      return `The name ${base.host} does not exist: the name servers know no address for it.`;
    case 'dns_timeout':
      return `The name servers did not answer in time for ${base.host} (deadline exceeded).`;
    case 'dns_failure':
      return `The name servers could not answer for ${base.host}.`;
    case 'connection_refused':
      return `Connection refused: nothing listens on ${place}.`;
    case 'connect_timeout':
      return decisive!.connectedAt === null
        ? `Nobody answered at ${place} within ${budgetMs} ms (deadline exceeded while connecting).`
        : `${place} took the connection but did not finish the TLS handshake within ${budgetMs} ms (deadline exceeded).`;
    case 'host_unreachable':
      return `The network has no way to ${place}: ${failure!.reason}.`;
    case 'connection_reset':
      return `${place} closed the connection while it was being set up${base.protocol === 'https' ? ', in the TLS handshake' : ''}.`;
    case 'tls_not_spoken':
      return `base_url says https, but ${place} does not speak TLS.`;
    case 'tls_too_old':
      return `${place} speaks only versions older than TLS 1.2.`;
    case 'tls_untrusted':
      return untrusted(decisive!, certificate);
    case 'tls_name_mismatch':
      return `The certificate is not for ${serverName}${certificate === null ? '' : `; it is for: ${namesOf(certificate)}`}.`;
    case 'tls_expired':
      return certificate === null
        ? 'The certificate has expired.'
        : `The certificate expired on ${dayOf(certificate.valid_to)}, ${agoText(certificate)}.`;
    case 'tls_not_yet_valid':
      return certificate === null
        ? 'The certificate is not valid yet.'
        : `The certificate is not valid before ${dayOf(certificate.valid_from)}.`;
    case 'no_descriptors':
      return 'This machine gives the process no more file descriptors.';
    default:
      return `The TLS handshake with ${place} failed: ${failure!.reason.replace(/^the TLS handshake failed: /, '')}.`;
  }
}

function untrusted({ error }: DialAttempt, certificate: CertificateFacts | null): string {
  const reason = error === null ? 'certificate signed by unknown authority' : tlsFailureReason(error);
  if (!reason.startsWith('certificate signed by unknown authority')) return `T${reason.slice(1)}.`;
  if (certificate === null) return 'Certificate signed by unknown authority.';
  if (certificate.issuer === certificate.subject)
    return `Certificate signed by unknown authority: it signs itself ("${certificate.subject}").`;
  return `Certificate signed by unknown authority: it was issued by "${certificate.issuer}", which this gateway does not trust.`;
}

// A day that has begun counts against the certificate: one that ended an hour ago has -1 days left.
function agoText({ days_left: left }: CertificateFacts): string {
  const days = -1 - left;
  return days === 0 ? 'less than a day ago' : days === 1 ? 'a day ago' : `${days} days ago`;
}

/** Long lists of names are not rare, and strangers may send any. */
function namesOf({ names }: CertificateFacts): string {
  if (names.length === 0) return 'no name at all';
  return names.slice(0, shownNames).join(', ') + (names.length > shownNames ? ` and ${names.length - shownNames} more` : '');
}

const shownNames = 10;

function dayOf(time: string): string {
  return time.slice(0, 10);
}
