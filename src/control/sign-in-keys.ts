import { isIPv6 } from 'node:net';
import type { AccessContext } from './access-context.ts';
import type { ThrottleKey } from './attempt-throttle.ts';

/**
 * What a sign-in is counted by. An address and an account each slow down by themselves, so neither many accounts from
 * one address nor one account from many addresses gets far. An account is never out of its owner's reach for good: waits
 * end at a minute, and where the owner has signed in before, only failures of that account at that very place count.
 */
export function signInKeys(context: AccessContext, email: string, remoteAddress: string): ThrottleKey[] {
  const place = placeOf(email, remoteAddress);
  if (context.knownPlaces.has(place)) return [{ kind: 'place', value: place, rule: { free: 5, longestDelay: 60_000 } }];
  return [
    { kind: 'address', value: networkOf(remoteAddress), rule: { free: 10, longestDelay: 60_000 } },
    { kind: 'account', value: email, rule: { free: 5, longestDelay: 60_000 } },
  ];
}

/** What a try of the set-up code is counted by. */
export function setUpKeys(remoteAddress: string): ThrottleKey[] {
  return [{ kind: 'set-up', value: networkOf(remoteAddress), rule: { free: 5, longestDelay: 60_000 } }];
}

/** An account at an address, as the throttle remembers it. */
export function placeOf(email: string, remoteAddress: string): string {
  return `${email} ${networkOf(remoteAddress)}`;
}

/** An IPv6 caller has at least a /64 to choose addresses from: it counts as one. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address;
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
