import { createHash } from 'node:crypto';
import { GatewayError } from '../errors/gateway-error.ts';

/** What every change of one resource takes. */
export interface ChangeOptions {
  /** The `If-Match` header: one or more ETags, or `*`. The change is made only if the resource is still that one. */
  readonly ifMatch?: string;
}

/**
 * A strong ETag of a resource as the API shows it, quotes included: 128 bits of SHA-256 over its JSON. When an
 * API key was last used is left out, because traffic must not make an admin's edit stale.
 */
export function etagOf(resource: object): string {
  const json = JSON.stringify(resource, (key, value: unknown) => (key === 'last_used_at' ? undefined : value));
  return `"${createHash('sha256').update(json).digest('base64url').slice(0, 22)}"`;
}

/**
 * Holds a change back when the caller has not seen the resource's present state. RFC 9110 section 13.1.1:
 * weak ETags never match.
 * @throws GatewayError `precondition_failed`
 */
export function checkIfMatch(ifMatch: string | undefined, etag: string): void {
  if (ifMatch === undefined) return;
  const wanted = ifMatch.split(',').map((part) => part.trim());
  if (!wanted.includes('*') && !wanted.includes(etag)) throw new GatewayError('precondition_failed');
}
