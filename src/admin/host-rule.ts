import { isIP } from 'node:net';

/** Whether the admin plane answers to a `Host`. */
export type HostRule = (host: string | undefined) => boolean;

/**
 * The admin plane answers to addresses, `localhost` and the names it was given, and to no other name: a page on a name
 * that an attacker lets resolve to our address (DNS rebinding) cannot reach it with the browser's help.
 * @param names `APIGATE_ADMIN_HOSTS`, without ports
 */
export function createHostRule(names: readonly string[]): HostRule {
  const known = new Set(['localhost', ...names.map((name) => nameOf(name))]);
  return (host) => {
    const name = host === undefined ? undefined : splitHost(host);
    return name !== undefined && (isIP(name) !== 0 || known.has(nameOf(name)));
  };
}

/** The name or address in a `Host` value, without port and brackets; undefined where it is not well formed. */
function splitHost(host: string): string | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._~-]+))(?::\d{1,5})?$/.exec(host);
  if (match === null) return undefined;
  const [, inBrackets, plain] = match;
  if (inBrackets !== undefined) return isIP(inBrackets) === 6 ? inBrackets : undefined;
  return plain;
}

function nameOf(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
