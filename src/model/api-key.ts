import type { ApiKeyId, RouteId } from './ids.ts';

/** An API key as the admin API shows it; the key itself is shown once, when it is made. */
export interface ApiKey {
  readonly id: ApiKeyId;
  readonly name: string;
  /** The first 12 characters of the key, to tell keys apart. */
  readonly prefix: string;
  /** Routes it opens; empty means all. */
  readonly routes: readonly RouteId[];
  /** null means no limit; the burst equals the limit. */
  readonly rate_limit_per_minute: number | null;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
  readonly revoked_at: string | null;
  readonly created_at: string;
}

export const apiKeyDefaults = {
  routes: [],
  rate_limit_per_minute: null,
  expires_at: null,
} as const satisfies Partial<ApiKey>;

/** Characters of a key that stay visible: `ak_` and the first of its 64 hexadecimal digits. */
export const apiKeyPrefixLength = 12;
