/** Names of fields that carry credentials, in lower case with `-` for `_`. */
const credentialNames = new Set(['authorization', 'proxy-authorization', 'cookie', 'x-api-key']);

export function isCredentialName(name: string): boolean {
  return credentialNames.has(name.toLowerCase().replaceAll('_', '-'));
}

/** What stands in place of a secret. */
export const redacted = '***';

/** A value as it may be shown: whatever looks like an API key of ours is taken out of every text in it. */
export function withoutApiKeys<T>(value: T): T {
  if (typeof value === 'string') return value.replaceAll(/ak_[0-9a-f]{8,}/gi, `ak_${redacted}`) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => withoutApiKeys(item)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutApiKeys(item)])) as T;
}
