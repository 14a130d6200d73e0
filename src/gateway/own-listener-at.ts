import net from 'node:net';
import { networkInterfaces } from 'node:os';

interface ListeningAddress {
  readonly host: string;
  readonly port: number;
}

/** Where this gateway listens. */
export interface OwnListeners {
  readonly listeners: readonly ListeningAddress[];
  readonly adminListener: ListeningAddress | null;
}

/** Whose that address and port are, where they are ours. Asked at each new connection only; interfaces come and go. */
export function ownListenerAt(own: OwnListeners, address: string, port: number): 'proxy' | 'admin' | undefined {
  if (own.listeners.some((listener) => listener.port === port && reaches(listener.host, address))) return 'proxy';
  const { adminListener } = own;
  return adminListener !== null && adminListener.port === port && reaches(adminListener.host, address) ? 'admin' : undefined;
}

function reaches(listenHost: string, address: string): boolean {
  if (listenHost === address) return true;
  const wildcard = listenHost === '0.0.0.0' || listenHost === '::' || listenHost === '';
  if (!wildcard && net.isIP(listenHost) !== 0) return false;
  if (isLoopback(address)) return wildcard || listenHost === 'localhost';
  return wildcard && Object.values(networkInterfaces()).some((addresses) => addresses?.some((each) => each.address === address));
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.');
}
