/** Parts of host names that say nothing about an API. */
const hollow = new Set(['www', 'api', 'com', 'net', 'org', 'io', 'dev', 'app', 'local', 'internal', 'svc', 'cluster', 'co', 'localhost']);

/** A name for what is at this URL: `https://api.example.com/v1` → `example`. Letters, digits and dashes, as it is part of a path too. */
export function suggestName(baseUrl: string): string {
  const url = URL.parse(baseUrl);
  if (url === null) return '';
  const isAddress = /^[\d.]+$|^\[/.test(url.hostname);
  const parts = isAddress ? [] : url.hostname.split('.').filter((part) => !hollow.has(part));
  const name = parts.at(-1) ?? '';
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return plain === '' ? 'my-api' : plain;
}
