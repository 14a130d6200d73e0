import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import type { BaseUrl } from '../model/base-url.ts';
import type { OwnListener } from './control-context.ts';

/**
 * Why a base_url leads straight back to this gateway, or undefined. Only what can be seen from the text: names
 * that resolve to us are caught at connect, and loops through others by `Via`.
 */
export function ownListenerProblem(url: BaseUrl, listeners: readonly OwnListener[]): string | undefined {
  const host = plainAddress(url.host.replace(/\.$/, ''));
  for (const listener of listeners) {
    if (listener.port === url.port && isSameHost(host, plainAddress(listener.host.toLowerCase()))) {
      return `must not lead back to this gateway, which itself listens on ${url.authority}`;
    }
  }
  return undefined;
}

function isSameHost(host: string, listening: string): boolean {
  if (host === listening) return true;
  const anywhere = listening === '' || listening === '0.0.0.0' || listening === '::';
  if (isLoopback(host)) return anywhere || (isLoopback(listening) && !(isIP(host) !== 0 && isIP(listening) !== 0));
  return anywhere && (host === hostname().toLowerCase() || localAddresses().includes(host));
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => addresses?.map(({ address }) => plainAddress(address)) ?? []);
}

/** An IPv4 address that is written as IPv6 (RFC 4291 section 2.5.5.2) is that IPv4 address. */
function plainAddress(host: string): string {
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host);
  if (mapped === null) return host;
  const number = Number.parseInt(mapped[1]!, 16) * 65_536 + Number.parseInt(mapped[2]!, 16);
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}
