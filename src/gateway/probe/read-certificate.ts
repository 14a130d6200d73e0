import type tls from 'node:tls';
import type { ProbeResult } from '../../model/upstream-test.ts';

/** What a person wants to know of the certificate that a peer showed. */
export type CertificateFacts = NonNullable<ProbeResult['certificate']>;

const longestChain = 10;
const mostNames = 100;
const longestName = 200;
const day = 86_400_000;

/**
 * Reads it from a connection whose handshake is over, verified or not; null where there is none. The very call that Node makes for
 * its own check of the name: getPeerX509Certificate, called before, would make that check fail (seen with Node 24.21).
 */
export function readCertificate(socket: tls.TLSSocket, now: number): CertificateFacts | null {
  const own = socket.getPeerCertificate(true);
  const from = Date.parse(own.valid_from);
  const to = Date.parse(own.valid_to);
  if (Number.isNaN(from) || Number.isNaN(to)) return null;
  return {
    subject: nameOf(own.subject),
    issuer: nameOf(own.issuer),
    names: namesIn(own.subjectaltname).slice(0, mostNames),
    valid_from: new Date(from).toISOString(),
    valid_to: new Date(to).toISOString(),
    days_left: Math.floor((to - now) / day),
    chain: chainOf(own),
    protocol: socket.getProtocol(),
    cipher: socket.getCipher()?.name ?? null,
  };
}

/** The common name, where there is one, then the organisation; else whatever there is. */
function nameOf(distinguished: tls.Certificate): string {
  const parts: Readonly<Record<string, string | string[] | undefined>> = { ...distinguished };
  const told = [parts['CN'], parts['O']].flat().filter((part) => part !== undefined);
  return (told.length > 0 ? told : Object.values(parts).flat()).join(', ').slice(0, longestName);
}

/** `DNS:a.test, IP Address:127.0.0.1` as names. */
function namesIn(subjectAltName: string | undefined): string[] {
  const names = subjectAltName?.matchAll(/(?:^|, )(?:DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g) ?? [];
  return [...names].map(([, name]) => name ?? '');
}

function chainOf(own: tls.DetailedPeerCertificate): string[] {
  const subjects: string[] = [];
  let at: tls.DetailedPeerCertificate | undefined = own;
  while (at !== undefined && subjects.length < longestChain) {
    subjects.push(nameOf(at.subject));
    // A certificate that signs itself is its own issuer.
    at = at.issuerCertificate === at ? undefined : at.issuerCertificate;
  }
  return subjects;
}
