import { BlockList, isIP } from 'node:net';

/** Which peers may reach the admin plane at all. */
export interface AllowList {
  /** @param address IPv4, IPv6 (with or without a zone) or IPv4-mapped IPv6; anything else is not allowed */
  allows(address: string): boolean;
}

/**
 * Compiles `APIGATE_ADMIN_ALLOW`, its words expanded: addresses and CIDRs. An empty list allows nobody.
 * @throws Error that names the entry at fault
 */
export function compileAllowList(entries: readonly string[]): AllowList {
  const allowed = new BlockList();
  for (const entry of entries) addRange(allowed, entry);
  return {
    allows(address) {
      const plain = plainAddress(address);
      const family = isIP(plain);
      return family !== 0 && allowed.check(plain, family === 4 ? 'ipv4' : 'ipv6');
    },
  };
}

/** The address in its shortest meaning: without a zone, and IPv4 where IPv6 only wraps it. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(withoutZone(address))?.[1];
  return mapped ?? withoutZone(address);
}

function withoutZone(address: string): string {
  const zone = address.indexOf('%');
  return zone === -1 ? address : address.slice(0, zone);
}

function addRange(list: BlockList, range: string): void {
  const [address = '', prefix, ...rest] = range.split('/');
  const family = isIP(address);
  const longest = family === 4 ? 32 : 128;
  const length = prefix === undefined ? longest : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (family === 0 || rest.length > 0 || !(length <= longest)) {
    throw new Error(`"${range}" is neither an address nor a CIDR`);
  }
  list.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6');
}
