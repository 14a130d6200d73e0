import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { visibleText } from './visible-text.ts';

/** A value that cannot be used. `suggestion` is a whole clause, such as `write 30s`. */
export class InvalidValue extends Error {
  readonly suggestion: string | undefined;

  constructor(message: string, suggestion?: string) {
    super(message);
    this.suggestion = suggestion;
  }
}

/** A network, in the form that `net.BlockList.addSubnet(address, prefix, family)` takes. */
export interface AddressRange {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** IPv6 hosts are without brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const loopback = ['127.0.0.0/8', '::1/128'];
/** RFC 1918, and the unique and link-local ranges of IPv6 (RFC 4193, RFC 4291 section 2.5.6). */
const privateNetworks = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fe80::/10'];
const everyone = ['0.0.0.0/0', '::/0'];

export function parseInteger(text: string, minimum: number, maximum: number): number {
  const plain = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(plain)) {
    throw new InvalidValue(
      `"${shown(text)}" is not a whole number`,
      bytesSuggestion(text) ?? `give a number from ${minimum} to ${maximum}`,
    );
  }
  if (plain < minimum || plain > maximum) throw new InvalidValue(`${plain} is out of range`, `give a number from ${minimum} to ${maximum}`);
  return plain;
}

export function parsePort(text: string, minimum: 0 | 1): number {
  if (/^(?:tcp|udp|sctp):\/\//.test(text)) {
    throw new InvalidValue(
      `"${shown(text)}" is not a port`,
      'this looks like what Kubernetes sets for a Service of that name: set enableServiceLinks: false on the pod, or rename the Service',
    );
  }
  return parseInteger(text, minimum, 65_535);
}

export function parseBoolean(text: string): boolean {
  const lower = text.toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(lower)) return true;
  if (['false', '0', 'no', 'off'].includes(lower)) return false;
  throw new InvalidValue(`"${shown(text)}" is neither true nor false`, 'write true or false');
}

export function parseChoice<T extends string>(text: string, choices: readonly T[], synonyms: Readonly<Record<string, T>> = {}): T {
  const lower = text.toLowerCase();
  const found = choices.find((choice) => choice === lower);
  if (found !== undefined) return found;
  const meant = synonyms[lower];
  throw new InvalidValue(
    `"${shown(text)}" is not one of ${choices.join(', ')}`,
    meant === undefined ? `write one of ${choices.join(', ')}` : `did you mean ${meant}?`,
  );
}

const unitMilliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** Above it a Node timer would fire at once (2^31 ms); nobody waits for a day. */
const longestDuration = 24 * 3_600_000;

/** Milliseconds of `500ms`, `30s`, `5m`, `1h` or a sequence such as `1m30s`; a plain `0` is fine too. */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) {
    const suggestion = /^\d+$/.test(text) ? `give the unit too, as in ${text}s or ${text}ms` : 'write it as in 500ms, 30s, 5m or 1m30s';
    throw new InvalidValue(`"${shown(text)}" is not a duration`, suggestion);
  }
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) total += Number(amount) * (unitMilliseconds[unit ?? ''] ?? 0);
  if (total > longestDuration) throw new InvalidValue(`"${shown(text)}" is too long`, 'give at most 24h');
  return Math.round(total);
}

/** A host name or an address to listen on; brackets around IPv6 are taken off. */
export function parseHost(text: string): string {
  const host = /^\[.*\]$/.test(text) ? text.slice(1, -1) : text;
  if (isIP(host) !== 0) return host;
  if (text === '*') throw new InvalidValue('"*" is not an address', 'write 0.0.0.0 for all IPv4 addresses or :: for all');
  const withPort = /^(.+):\d+$/.exec(text);
  if (withPort?.[1] !== undefined)
    throw new InvalidValue(`"${shown(text)}" holds a port`, `write ${shown(withPort[1])} and give the port apart`);
  if (!isHostName(host))
    throw new InvalidValue(`"${shown(text)}" is not a host name or address`, 'write it as in 127.0.0.1, :: or localhost');
  return host.toLowerCase();
}

export function parseHostPort(text: string): HostPort {
  const split = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(text);
  if (split === null) {
    const suggestion = /^\d+$/.test(text) ? `write 127.0.0.1:${text}` : 'write HOST:PORT, as in 127.0.0.1:8081 or [::1]:8081';
    throw new InvalidValue(`"${shown(text)}" is not HOST:PORT`, suggestion);
  }
  const [, host = '', port = ''] = split;
  if (host === '') throw new InvalidValue(`"${shown(text)}" has no host`, `write 127.0.0.1:${port}, or 0.0.0.0:${port} for all addresses`);
  return { host: parseHost(host), port: parsePort(port, 0) };
}

/** Host names to be compared with a Host header: lower case, no port, no brackets. */
export function parseHostNames(text: string): readonly string[] {
  return items(text).map((item) => parseHost(item.replace(/\.$/, '')));
}

/** Names of environment variables. */
export function parseEnvironmentNames(text: string): readonly string[] {
  const names = items(text);
  for (const name of names) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw new InvalidValue(`"${shown(name)}" is not the name of an environment variable`, 'write names alone, as in REGION, STAGE');
    if (name.startsWith('APIGATE_'))
      throw new InvalidValue(`"${shown(name)}" is a setting of the gateway itself`, 'give transformations a variable of their own');
  }
  return names;
}

/** Networks in CIDR notation; a bare address is a network of one. */
export function parseRanges(text: string): readonly AddressRange[] {
  return items(text).map(parseRange);
}

/** As parseRanges, and the words `loopback`, `private` and `any`. */
export function parseAdminAllow(text: string): readonly AddressRange[] {
  const words = items(text);
  if (words.length === 0) throw new InvalidValue('an empty list would shut everybody out', 'leave it out for loopback,private');
  return words.flatMap((word) => {
    if (word === 'loopback') return loopback.map(parseRange);
    if (word === 'private') return privateNetworks.map(parseRange);
    if (word === 'any') return everyone.map(parseRange);
    if (/^[a-z]+$/i.test(word) && isIP(word) === 0) {
      throw new InvalidValue(`"${shown(word)}" is not a network`, 'write loopback, private, any, or networks as in 10.1.0.0/16');
    }
    return [parseRange(word)];
  });
}

/** Name servers as `dns.Resolver.setServers` takes them. */
export function parseDnsServers(text: string): readonly string[] {
  return items(text).map((item) => {
    if (isIP(item) !== 0) return item;
    const split = /^(\[([^\]]+)\]|[^:[\]]+)(?::(\d+))?$/.exec(item);
    const address = split?.[2] ?? split?.[1] ?? '';
    if (isIP(address) === 0 || (split?.[2] !== undefined && isIP(address) !== 6)) {
      throw new InvalidValue(
        `"${shown(item)}" is not an address of a name server`,
        'write IP or IP:PORT, as in 10.0.0.2, 10.0.0.2:5353 or [::1]:53',
      );
    }
    if (split?.[3] === undefined) return address;
    const port = parsePort(split[3], 1);
    return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
  });
}

/** Only what a settings file can judge; the upstream's own rules are applied when it is stored. */
export function parseUpstreamUrl(text: string): string {
  if (!/^[a-z][a-z\d+.-]*:\/\//i.test(text)) {
    throw new InvalidValue(`"${shown(text)}" is not an absolute URL`, `write http://${shown(text)} or https://${shown(text)}`);
  }
  if (!URL.canParse(text)) throw new InvalidValue(`"${shown(text)}" is not a URL`, 'write it as in http://localhost:3000');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new InvalidValue(
      `${url.protocol}// is not spoken to upstreams`,
      'write an http:// or https:// URL (WebSockets go over these too)',
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new InvalidValue('the URL holds a user name or password', 'create an upstream with --auth-type basic instead');
  }
  if (text.includes('?') || text.includes('#'))
    throw new InvalidValue('the URL has a query or fragment', 'leave out what follows the path');
  return text;
}

export function parseEmail(text: string): string {
  if (text.length > 254 || !/^[^\s@]+@[^\s@]+$/.test(text))
    throw new InvalidValue(`"${shown(text)}" is not an e-mail address`, 'write it as in ops@example.com');
  return text;
}

/** An absolute path; relative ones are taken from `base`. */
export function parsePath(text: string, base: string): string {
  if (text.includes('-----BEGIN')) throw new InvalidValue('this is the content of a file', 'give the path of the file instead');
  if (text.includes('\0') || text.includes('\n')) throw new InvalidValue(`"${shown(text)}" is not a path`, 'give the path of a file');
  return resolve(base, text);
}

export function parseDatabase(text: string, base: string): string {
  if (/^postgres(?:ql)?:\/\//i.test(text)) {
    throw new InvalidValue('PostgreSQL is not supported yet', 'give the path of an SQLite file, as in apigate.db');
  }
  if (text.startsWith(':') || /^[a-z][a-z\d+.-]*:/i.test(text)) {
    throw new InvalidValue(`"${shown(text)}" is not a path`, 'give the path of an SQLite file, as in apigate.db');
  }
  return parsePath(text, base);
}

/** A value as messages show it: not too long, and safe on a terminal. */
export function shown(text: string): string {
  return visibleText(text.length > 80 ? `${text.slice(0, 77)}…` : text);
}

function items(text: string): string[] {
  return text.split(/[\s,]+/).filter((item) => item !== '');
}

function parseRange(text: string): AddressRange {
  const [address = '', prefixText, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || address.includes('%') || rest.length > 0) {
    throw new InvalidValue(`"${shown(text)}" is not a network`, 'write an address or CIDR, as in 10.1.0.0/16 or fd00::/8');
  }
  if (version === 6 && /^::ffff:/i.test(address))
    throw new InvalidValue(`"${shown(text)}" is an IPv4 address in IPv6 form`, 'write it as plain IPv4');
  const bits = version === 4 ? 32 : 128;
  if (prefixText !== undefined && (!/^\d{1,3}$/.test(prefixText) || Number(prefixText) > bits)) {
    throw new InvalidValue(`"${shown(text)}" has a bad prefix length`, `give /0 to /${bits}`);
  }
  const prefix = prefixText === undefined ? bits : Number(prefixText);
  const network = networkOf(address, version, prefix);
  if (network !== undefined && network !== canonical(address, version)) {
    throw new InvalidValue(`"${shown(text)}" has bits set beyond /${prefix}`, `did you mean ${network}/${prefix} or ${address}/${bits}?`);
  }
  return { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** The address with all bits beyond the prefix cleared, in canonical form. */
function networkOf(address: string, version: number, prefix: number): string | undefined {
  const groupBits = version === 4 ? 8 : 16;
  const groups = groupsOf(address, version);
  const kept = groups.map((group, index) => {
    const own = Math.min(groupBits, Math.max(0, prefix - index * groupBits));
    return group & ((2 ** groupBits - 1) ^ (2 ** (groupBits - own) - 1));
  });
  return version === 4 ? kept.join('.') : canonical(kept.map((group) => group.toString(16)).join(':'), 6);
}

function groupsOf(address: string, version: number): number[] {
  if (version === 4) return address.split('.').map(Number);
  const [head = '', tail] = canonical(address, 6).split('::');
  const parse = (part: string | undefined): number[] =>
    part === undefined || part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const before = parse(head);
  const after = parse(tail);
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}

/** WHATWG URL writes IPv6 addresses in the one form of RFC 5952. */
function canonical(address: string, version: number): string {
  return version === 4 ? address : new URL(`http://[${address}]/`).hostname.slice(1, -1);
}

function isHostName(text: string): boolean {
  if (text.length === 0 || text.length > 253 || /^[\d.]+$/.test(text)) return false;
  return text.split('.').every((label) => /^[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?$/i.test(label));
}

function bytesSuggestion(text: string): string | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg])i?b?$/i.exec(text);
  if (match === null) return undefined;
  const factor = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[(match[2] ?? 'k').toLowerCase()] ?? 1;
  return `write it in bytes: ${Math.round(Number(match[1]) * factor)}`;
}
