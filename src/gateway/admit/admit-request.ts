import { hash } from 'node:crypto';
import type { ErrorCode } from '../../errors/catalogue.ts';
import type { RouteConfig } from '../../model/gateway-config.ts';
import { anonymous, type ApiKeyRecord, type ApiKeyTable } from './api-key-table.ts';
import type { RateLimiter } from './rate-limiter.ts';

/** What admission found out about the last request. One per thread, overwritten by each `admitRequest`. */
export class Admission {
  /** The key that the request was sent with, known even where it was refused; `anonymous` where there is none. */
  key: ApiKeyRecord = anonymous;
  /** Whether `remaining` and the others apply. */
  rateLimited = false;
  remaining = 0;
  resetSeconds = 0;
  retryAfterSeconds = 0;
}

/**
 * Whether the request may pass: null, or the code of the refusal. `xApiKey` and `authorization` are the values of those
 * fields (of repeated ones: joined by commas); `inQuery` is the key in the query, '' where there is none or the route takes none
 * from there. On a route without `auth_required` no key is looked at.
 * `epochMs`: wall clock, for expiry; `nowMs`: `monotonicMs`, for the rate limit.
 */
export function admitRequest(
  admission: Admission,
  table: ApiKeyTable,
  limiter: RateLimiter,
  route: Pick<RouteConfig, 'id' | 'auth_required'>,
  xApiKey: string | undefined,
  authorization: string | undefined,
  inQuery: string,
  epochMs: number,
  nowMs: number,
): ErrorCode | null {
  admission.key = anonymous;
  admission.rateLimited = false;
  if (!route.auth_required) return null;

  const inHeader = xApiKey === undefined ? '' : keyInList(xApiKey);
  const asBearer = authorization === undefined ? '' : keyInAuthorization(authorization);
  const key = inHeader || asBearer || inQuery;
  if (key === '') return 'missing_api_key';
  if ((asBearer !== '' && asBearer !== key) || (inQuery !== '' && inQuery !== key)) return 'invalid_api_key';
  // Of the right length it need not look right as well: its hash will not be found.
  if (key.length !== keyLength) return 'invalid_api_key';

  const record = table.find(hash('sha256', key));
  if (record === null) return 'invalid_api_key';
  admission.key = record;
  if (record.revoked) return 'key_revoked';
  if (record.expiresAt <= epochMs) return 'key_expired';
  if (record.routes !== null && !record.routes.has(route.id)) return 'invalid_api_key';
  if (record.rateLimit === 0) return null;

  const slot = limiter.directory.slotOf(record.id);
  // Main assigns the slot before it sends the key: without one the limit could not be kept, so nothing passes.
  if (slot < 0) return 'internal_error';
  const taken = limiter.take(slot, record.rateLimit, nowMs);
  admission.rateLimited = true;
  admission.remaining = limiter.remaining;
  admission.resetSeconds = limiter.resetSeconds;
  admission.retryAfterSeconds = limiter.retryAfterSeconds;
  return taken ? null : 'rate_limit_exceeded';
}

/** `ak_` and 64 hexadecimal digits. */
const keyLength = 67;

/** The key among the members of a value; '' where no member looks like one, the whole value where two differ. */
function keyInList(value: string): string {
  if (!value.includes('ak_')) return '';
  if (!value.includes(',')) return keyIn(value);
  return onlyOne(value, value.split(',').map(keyIn));
}

function keyInAuthorization(value: string): string {
  if (!value.includes('ak_')) return '';
  if (!value.includes(',')) return keyIn(bearerOf(value));
  return onlyOne(
    value,
    value.split(',').map((member) => keyIn(bearerOf(member.trim()))),
  );
}

function onlyOne(value: string, members: readonly string[]): string {
  const keys = new Set(members);
  keys.delete('');
  return keys.size > 1 ? value : ([...keys][0] ?? '');
}

function keyIn(member: string): string {
  const key = member.trim();
  return key.startsWith('ak_') ? key : '';
}

/** The credentials after the scheme `Bearer`, in any case (RFC 9110 section 11.1); '' with another scheme. */
function bearerOf(authorization: string): string {
  if (authorization.length < 7 || authorization.charCodeAt(6) !== 0x20) return '';
  return authorization.slice(0, 6).toLowerCase() === 'bearer' ? authorization.slice(7) : '';
}
