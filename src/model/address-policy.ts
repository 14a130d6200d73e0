import { isIPv4, isIPv6 } from 'node:net';

/**
 * Why requests may never be sent to an address, in words that complete "… is": link-local, cloud metadata,
 * multicast, unspecified or broadcast, also when an IPv6 form carries such an IPv4 address inside. Undefined
 * when they may: private networks and loopback are where backends live. Text that is no address is refused,
 * so that a parsing difference can never open a way.
 */
export function forbiddenAddress(ip: string): string | undefined {
  if (isIPv4(ip)) return forbiddenIPv4(readIPv4(ip));
  const zone = ip.indexOf('%');
  const address = zone === -1 ? ip : ip.slice(0, zone);
  if (!isIPv6(address)) return 'not an IP address';
  return forbiddenIPv6(readIPv6(address));
}

/** First address and prefix length; the reasons are shown to operators. */
const forbiddenIPv4Ranges = [
  ['0.0.0.0', 8, 'an unspecified address'],
  ['169.254.0.0', 16, 'a link-local address, where cloud metadata is served'],
  ['100.100.100.200', 32, "Alibaba Cloud's metadata address"],
  ['168.63.129.16', 32, "Azure's platform address"],
  ['192.0.0.192', 32, "Oracle Cloud's metadata address"],
  ['224.0.0.0', 4, 'a multicast address'],
  ['255.255.255.255', 32, 'the broadcast address'],
] as const;

const forbiddenIPv6Ranges = [
  ['::', 128, 'the unspecified address'],
  ['fe80::', 10, 'a link-local address'],
  ['ff00::', 8, 'a multicast address'],
  // AWS: instance metadata is fd00:ec2::254, pod identity ::23; the whole block is theirs.
  ['fd00:ec2::', 32, "an address of AWS's instance metadata"],
  ['fd20:ce::254', 128, "Google Cloud's metadata address"],
  ['fd00:c1::a9fe:a9fe', 128, "Oracle Cloud's metadata address"],
  ['fd00:42::42', 128, "Scaleway's metadata address"],
] as const;

const ipv4Ranges = forbiddenIPv4Ranges.map(([first, length, reason]) => ({ first: readIPv4(first), mask: maskOf(length), reason }));
const ipv6Ranges = forbiddenIPv6Ranges.map(([first, length, reason]) => ({ first: readIPv6(first), length, reason }));

function forbiddenIPv4(address: number): string | undefined {
  for (const range of ipv4Ranges) {
    if (((address ^ range.first) & range.mask) === 0) return range.reason;
  }
  return undefined;
}

function forbiddenIPv6(groups: readonly number[]): string | undefined {
  for (const range of ipv6Ranges) {
    if (inPrefix(groups, range.first, range.length)) return range.reason;
  }
  if (isLoopback(groups)) return undefined;
  for (const carried of carriedIPv4(groups)) {
    const reason = forbiddenIPv4(carried);
    if (reason !== undefined) return `an IPv6 form of ${reason}`;
  }
  return undefined;
}

/** The IPv4 addresses that a translator, a tunnel or the socket layer would read out of an IPv6 address. */
function carriedIPv4(groups: readonly number[]): number[] {
  const pair = (index: number): number => (groups[index]! << 16) | groups[index + 1]! | 0;
  const found: number[] = [];
  const leadingZeros = (count: number): boolean => groups.slice(0, count).every((group) => group === 0);
  if (leadingZeros(6)) found.push(pair(6)); // IPv4-compatible, RFC 4291 section 2.5.5.1
  if (leadingZeros(5) && groups[5] === 0xffff) found.push(pair(6)); // IPv4-mapped, section 2.5.5.2
  if (leadingZeros(4) && groups[4] === 0xffff && groups[5] === 0) found.push(pair(6)); // IPv4-translated, RFC 2765
  if (groups[0] === 0x64 && groups[1] === 0xff9b && groups[2] === 0) found.push(pair(6)); // NAT64, RFC 6052
  if (groups[0] === 0x64 && groups[1] === 0xff9b && groups[2] === 1) {
    // Local-use NAT64 (RFC 8215) is cut at 48, 56, 64 or 96 bits, RFC 6052 section 2.2; byte 8 is always skipped.
    const bytes = groups.flatMap((group) => [group >> 8, group & 0xff]);
    const at = (...indexes: number[]): number => indexes.reduce((address, index) => (address << 8) | bytes[index]!, 0) | 0;
    // Zeros in one reading mean that the prefix is not cut there, not that 0.0.0.0 is carried.
    found.push(...[at(6, 7, 9, 10), at(7, 9, 10, 11), at(9, 10, 11, 12), pair(6)].filter((carried) => carried >>> 24 !== 0));
  }
  if (groups[0] === 0x2002) found.push(pair(1)); // 6to4, RFC 3056
  if (groups[0] === 0x2001 && groups[1] === 0) found.push(pair(2), ~pair(6)); // Teredo server and client, RFC 4380 section 4
  if ((groups[4]! & ~0x0200) === 0 && groups[5] === 0x5efe) found.push(pair(6)); // ISATAP, RFC 5214 section 6.1
  return found;
}

function isLoopback(groups: readonly number[]): boolean {
  return groups[7] === 1 && groups.slice(0, 7).every((group) => group === 0);
}

function maskOf(length: number): number {
  return length === 0 ? 0 : -1 << (32 - length);
}

function inPrefix(groups: readonly number[], first: readonly number[], length: number): boolean {
  for (let index = 0, left = length; left > 0; index += 1, left -= 16) {
    const mask = left >= 16 ? 0xffff : (0xffff << (16 - left)) & 0xffff;
    if (((groups[index]! ^ first[index]!) & mask) !== 0) return false;
  }
  return true;
}

/** Signed 32 bits; takes only what isIPv4 takes. */
function readIPv4(ip: string): number {
  return ip.split('.').reduce((address, part) => (address << 8) | Number(part), 0) | 0;
}

/** Eight groups of 16 bits; takes only what isIPv6 takes, without a zone. */
function readIPv6(ip: string): number[] {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(ip);
  let text = ip;
  if (dotted !== null) {
    const carried = readIPv4(dotted[2]!);
    text = `${dotted[1]!}${((carried >>> 16) & 0xffff).toString(16)}:${(carried & 0xffff).toString(16)}`;
  }
  const [head = '', tail] = text.split('::');
  const read = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const front = read(head);
  if (tail === undefined) return front;
  const back = read(tail);
  return [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back];
}
