import type { Explained } from '../../model/explanation.ts';

type OutgoingRequest = NonNullable<Explained['request']>;

/** New for each request, of the connection, or made by curl itself from the rest. */
const leftOut = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'te', 'via', 'x-request-id', 'traceparent']);
/** What curl would add by itself. */
const curlsOwn = ['User-Agent', 'Accept'];
/** Longer bodies come from a file. */
const longestBody = 8_192;

/** The request as a command for a POSIX shell that sends the same, but for what is new in each request. */
export function curlOf({ method, url, headers, body }: OutgoingRequest): string {
  const words = ['curl', '--http1.1', '--path-as-is', '--globoff'];
  if (method === 'HEAD') words.push('--head');
  else if (method !== 'GET' || body !== null) words.push('--request', quoted(method));
  const has = (name: string): boolean => headers.some((field) => field.name.toLowerCase() === name.toLowerCase());
  const host = headers.find(({ name }) => name.toLowerCase() === 'host')?.value;
  if (host !== undefined && host !== authorityOf(url)) words.push('--header', quoted(`Host: ${host}`));
  for (const { name, value } of headers) {
    // With a colon and nothing behind it curl would leave the field out.
    if (!leftOut.has(name.toLowerCase())) words.push('--header', quoted(value === '' ? `${name};` : `${name}: ${value}`));
  }
  for (const name of body === null ? curlsOwn : [...curlsOwn, 'Content-Type']) if (!has(name)) words.push('--header', quoted(`${name}:`));
  if (body !== null) {
    // NUL cannot stand in an argument.
    if (body.length > longestBody || body.includes('\0')) words.push('--data-binary', '@BODY');
    else words.push('--data-raw', quoted(body));
  }
  return [...words, quoted(url)].join(' ');
}

/** A word as a POSIX shell reads it back. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function authorityOf(url: string): string {
  return /^https?:\/\/([^/?#]*)/.exec(url)?.[1] ?? '';
}
