import { isIPv4, isIPv6 } from 'node:net';

/** An upstream's base_url in parts, each ready to be used as it is. */
export interface BaseUrl {
  readonly protocol: 'http' | 'https';
  /** Host name or address, in lower case; an IPv6 address has no brackets and is in its shortest form. */
  readonly host: string;
  readonly port: number;
  /** '' or '/x' without a slash at the end; goes in front of every outgoing path. */
  readonly path: string;
  /** What `Host` should say: IPv6 in brackets, the scheme's own port left out. */
  readonly authority: string;
}

export type BaseUrlResult = { readonly ok: true; readonly value: BaseUrl } | { readonly ok: false; readonly message: string };

export const baseUrlMaxLength = 2048;

/**
 * Reads a base_url (RFC 3986 section 3, with what product.md leaves out refused). The WHATWG parser is not
 * used because it silently turns odd spellings (`0177.1`, `2130706433`, full-width digits, backslashes) into
 * something else than was written. Address policy is another matter: see address-policy.ts.
 */
export function parseBaseUrl(text: string): BaseUrlResult {
  if (text === '') return refuse('must not be empty; for example https://api.example.com');
  if (text.length > baseUrlMaxLength) return refuse(`must not be longer than ${baseUrlMaxLength} characters`);
  if (/[\u0000-\u0020\u007f]/.test(text)) return refuse('must not contain spaces or control characters');
  if (text.includes('\\')) return refuse('must not contain a backslash');

  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text);
  if (scheme === null) return refuse('must start with http:// or https://');
  const protocol = scheme[1]!.toLowerCase();
  if (protocol !== 'http' && protocol !== 'https') return refuse(`must start with http:// or https://, not ${protocol}://`);

  const rest = text.slice(scheme[0].length);
  if (rest.includes('#')) return refuse('must not have a fragment (#…)');
  if (rest.includes('?')) return refuse('must not have a query (?…)');
  const slash = rest.indexOf('/');
  const authority = slash === -1 ? rest : rest.slice(0, slash);
  if (authority.includes('@')) return refuse('must not hold a user name or password; use auth_type and auth_value');

  const hostAndPort = splitAuthority(authority);
  if (typeof hostAndPort === 'string') return refuse(hostAndPort);
  const port = readPort(hostAndPort.port, protocol);
  if (typeof port === 'string') return refuse(port);
  const hostProblem = hostAndPort.bracketed ? undefined : hostNameProblem(hostAndPort.host);
  if (hostProblem !== undefined) return refuse(hostProblem);

  const path = slash === -1 ? '' : rest.slice(slash).replace(/\/$/, '');
  const pathProblem = basePathProblem(path);
  if (pathProblem !== undefined) return refuse(pathProblem);

  const host = hostAndPort.host.toLowerCase();
  const inUrl = hostAndPort.bracketed ? `[${host}]` : host;
  return {
    ok: true,
    value: { protocol, host, port, path, authority: port === defaultPorts[protocol] ? inUrl : `${inUrl}:${port}` },
  };
}

/** Scheme, host and port: who gets the requests, and so the credential. */
export function originOf(url: BaseUrl): string {
  return `${url.protocol}://${url.host}:${url.port}`;
}

/**
 * Why a text is not a host that may be written in a base_url, or undefined when it is one: a DNS name
 * (underscores and a dot at the end are fine) or an IPv4 address in the usual four decimal parts.
 */
export function hostNameProblem(host: string): string | undefined {
  if (host === '') return 'the host is missing';
  if (isIPv4(host)) return undefined;
  if (/[^\u0020-\u007e]/.test(host)) return 'the host has characters outside ASCII; write an international name in its xn-- form';
  if (host.includes('%')) return 'the host must not be percent-encoded';
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  if (name.length > 253) return 'the host is longer than 253 characters';
  const labels = name.split('.');
  // What an inet_aton would take for a number is an address in disguise (WHATWG URL section 3.5).
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '')) {
    return 'the host is an unusual spelling of an address; write an IPv4 address as four decimal numbers, such as 192.0.2.1';
  }
  for (const label of labels) {
    if (label === '') return 'the host has an empty part between dots';
    if (label.length > 63) return 'a part of the host is longer than 63 characters';
    if (!/^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/i.test(label)) return `the host has a part that is not a name: ${JSON.stringify(label)}`;
  }
  return undefined;
}

const defaultPorts = { http: 80, https: 443 } as const;

function refuse(message: string): BaseUrlResult {
  return { ok: false, message };
}

function splitAuthority(authority: string): { host: string; port: string | undefined; bracketed: boolean } | string {
  if (authority.startsWith('[')) {
    const end = authority.indexOf(']');
    if (end === -1) return 'the IPv6 address lacks its closing bracket';
    const address = authority.slice(1, end);
    if (address.includes('%')) return 'an IPv6 address with a zone cannot be used';
    if (!isIPv6(address)) return `${JSON.stringify(address)} is not an IPv6 address`;
    const after = authority.slice(end + 1);
    if (after !== '' && !after.startsWith(':')) return 'only a port may follow the IPv6 address';
    // The standard's parser brings the address into its shortest form; what it is given is known to be plain IPv6.
    const host = new URL(`http://[${address}]/`).hostname.slice(1, -1);
    return { host, port: after === '' ? undefined : after.slice(1), bracketed: true };
  }
  const colon = authority.indexOf(':');
  if (colon === -1) return { host: authority, port: undefined, bracketed: false };
  if (authority.includes(':', colon + 1)) return 'an IPv6 address must stand in brackets, such as http://[2001:db8::1]:8080';
  return { host: authority.slice(0, colon), port: authority.slice(colon + 1), bracketed: false };
}

function readPort(text: string | undefined, protocol: 'http' | 'https'): number | string {
  if (text === undefined) return defaultPorts[protocol];
  if (!/^[0-9]+$/.test(text))
    return text === '' ? 'the port is missing after the colon' : `the port ${JSON.stringify(text)} is not a number`;
  if (text.length > 1 && text.startsWith('0')) return 'the port must not begin with 0';
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : `the port ${text} is not between 1 and 65535`;
}

function basePathProblem(path: string): string | undefined {
  if (path === '') return undefined;
  if (/%(?![0-9a-f]{2})/i.test(path)) return 'the path has a % that is not followed by two hexadecimal digits';
  if (/%(?:[01][0-9a-f]|7f|5c)/i.test(path)) return 'the path must not hold an encoded control character or backslash';
  if (!/^[a-z0-9\-._~!$&'()*+,;=:@%/]*$/i.test(path)) return 'the path has characters that must be percent-encoded';
  for (const segment of path.slice(1).split('/')) {
    if (segment === '') return 'the path must not have two slashes in a row';
    if (/^(?:\.|%2e){1,2}$/i.test(segment)) return 'the path must not have . or .. segments';
  }
  return undefined;
}
