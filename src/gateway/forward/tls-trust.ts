import { X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import type { ErrorCode } from '../../errors/catalogue.ts';

/**
 * The context that connections to an upstream verify their peer with: Node's bundle together with the operating system's store
 * (and NODE_EXTRA_CA_CERTS), or `tlsCa` (PEM) in their place. TLS 1.2 or newer. Equal trust shares one context; a context
 * holds no sessions, so nothing else is shared by that. The first one takes some 80 ms, see `loadDefaultTrust`.
 * Throws where `checkTlsCa` finds fault.
 */
export function secureContextFor(tlsCa: string | null): tls.SecureContext {
  if (tlsCa === null) {
    loadDefaultTrust();
    return (defaultContext ??= tls.createSecureContext({ minVersion: 'TLSv1.2' }));
  }
  const known = contexts.get(tlsCa);
  if (known !== undefined) return known;
  const problem = checkTlsCa(tlsCa);
  if (problem !== null) throw new Error(`tls_ca ${problem}`);
  const made = tls.createSecureContext({ ca: tlsCa, minVersion: 'TLSv1.2' });
  if (contexts.size >= maxContexts) contexts.delete(contexts.keys().next().value!);
  contexts.set(tlsCa, made);
  return made;
}

/**
 * Makes bundle and system store this thread's default trust. Reading the system store takes some 80 ms once in a thread: call
 * this when an https upstream is known, before the first request has to wait for it. Answers with the number of certificates.
 */
export function loadDefaultTrust(): number {
  if (trusted !== null) return trusted;
  const certificates = new Set([...tls.getCACertificates('bundled'), ...systemCertificates(), ...tls.getCACertificates('extra')]);
  try {
    tls.setDefaultCACertificates([...certificates]);
  } catch {
    // One entry of the system store that OpenSSL cannot read must not cost all the others.
    for (const certificate of certificates) if (!isReadable(certificate)) certificates.delete(certificate);
    tls.setDefaultCACertificates([...certificates]);
  }
  return (trusted = certificates.size);
}

/** What is wrong with a tls_ca, or null. */
export function checkTlsCa(pem: string): string | null {
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) return 'must hold certificates only, not a private key';
  if (certificates.length === 0) return 'must hold a certificate in PEM form (-----BEGIN CERTIFICATE-----)';
  for (const [i, certificate] of certificates.entries()) {
    if (!isReadable(certificate)) return `certificate ${i + 1} of ${certificates.length} cannot be read`;
  }
  return null;
}

/** Which code a failed TLS handshake gets. Takes what the socket's error event brought. */
export function classifyTlsFailure(error: Error): ErrorCode {
  return codes[(error as NodeJS.ErrnoException).code ?? ''] ?? 'upstream_tls_failed';
}

/** The cause of a failed TLS handshake in plain words, for the operator's log. */
export function tlsFailureReason(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  switch (classifyTlsFailure(error)) {
    case 'upstream_tls_untrusted':
      return `${otherDistrust.has(code) ? 'the certificate is not trusted' : 'certificate signed by unknown authority'}: ${error.message} (${code})`;
    case 'upstream_tls_name_mismatch':
      return `the certificate is for another name: ${error.message}`;
    case 'upstream_tls_expired':
      return code === 'CERT_NOT_YET_VALID' ? 'the certificate is not valid yet; check both clocks' : 'the certificate has expired';
    default:
      return plainCauses[code] ?? `the TLS handshake failed: ${error.message}${code === '' ? '' : ` (${code})`}`;
  }
}

const maxContexts = 256;
const contexts = new Map<string, tls.SecureContext>();
let defaultContext: tls.SecureContext | undefined;
let trusted: number | null = null;

function systemCertificates(): string[] {
  try {
    return tls.getCACertificates('system');
  } catch {
    return [];
  }
}

function isReadable(certificate: string): boolean {
  try {
    return new X509Certificate(certificate).serialNumber !== '';
  } catch {
    return false;
  }
}

/** OpenSSL's verification results as Node names them (X509_V_ERR_…), and Node's own. */
const codes: Readonly<Record<string, ErrorCode>> = {
  ...Object.fromEntries(
    [
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
      'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
      'CERT_SIGNATURE_FAILURE',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'CERT_CHAIN_TOO_LONG',
      'CERT_REVOKED',
      'INVALID_CA',
      'PATH_LENGTH_EXCEEDED',
      'INVALID_PURPOSE',
      'CERT_UNTRUSTED',
      'CERT_REJECTED',
    ].map((code) => [code, 'upstream_tls_untrusted'] as const),
  ),
  CERT_HAS_EXPIRED: 'upstream_tls_expired',
  CERT_NOT_YET_VALID: 'upstream_tls_expired',
  ERROR_IN_CERT_NOT_AFTER_FIELD: 'upstream_tls_expired',
  ERROR_IN_CERT_NOT_BEFORE_FIELD: 'upstream_tls_expired',
  HOSTNAME_MISMATCH: 'upstream_tls_name_mismatch',
  ERR_TLS_CERT_ALTNAME_INVALID: 'upstream_tls_name_mismatch',
  ERR_TLS_CERT_ALTNAME_FORMAT: 'upstream_tls_name_mismatch',
};

/** What is wrong with these is not who signed. */
const otherDistrust: ReadonlySet<string> = new Set([
  'CERT_SIGNATURE_FAILURE',
  'CERT_REVOKED',
  'PATH_LENGTH_EXCEEDED',
  'INVALID_PURPOSE',
  'CERT_CHAIN_TOO_LONG',
]);

const plainCauses: Readonly<Record<string, string>> = {
  ECONNRESET: 'the upstream closed the connection during the TLS handshake',
  EPIPE: 'the upstream closed the connection during the TLS handshake',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the upstream does not speak TLS on this port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the upstream does not speak TLS on this port',
  EPROTO: 'the upstream does not speak TLS on this port, or no version in common',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'the upstream speaks only versions older than TLS 1.2',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the upstream speaks only versions older than TLS 1.2',
};
