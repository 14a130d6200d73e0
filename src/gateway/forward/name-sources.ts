import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';

/** What resolv.conf says about completing names (resolv.conf(5)). */
export interface SearchRules {
  /** Tried in this order; without dots at either end. */
  readonly domains: readonly string[];
  /** A name with at least so many dots is tried as it is before the domains. */
  readonly ndots: number;
}

/** Names of /etc/hosts in lower case, each with its addresses in the file's order. */
export function parseHosts(text: string): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (address === undefined || isIP(address) === 0) continue;
    for (const name of names) {
      const key = name.toLowerCase().replace(/\.$/, '');
      const known = hosts.get(key);
      if (known === undefined) hosts.set(key, [address]);
      else if (!known.includes(address)) known.push(address);
    }
  }
  return hosts;
}

export function parseSearchRules(text: string): SearchRules {
  let domains: string[] = [];
  let ndots = 1;
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    // Of several lines with domain or search the last one counts.
    if (keyword === 'search') domains = values;
    else if (keyword === 'domain') domains = values.slice(0, 1);
    else if (keyword === 'options') {
      for (const option of values) {
        const count = /^ndots:(\d+)$/.exec(option)?.[1];
        if (count !== undefined) ndots = Math.min(Number(count), 15);
      }
    }
  }
  domains = domains.map((domain) => domain.toLowerCase().replaceAll(/^\.+|\.+$/g, '')).filter((domain) => domain !== '');
  return { domains, ndots };
}

/** The full names that a name may stand for, in the order in which they are to be asked for. */
export function candidatesOf(host: string, rules: SearchRules): string[] {
  if (host.endsWith('.')) return [host.slice(0, -1)];
  const completed = rules.domains.map((domain) => `${host}.${domain}`);
  const dots = host.split('.').length - 1;
  return dots >= rules.ndots ? [host, ...completed] : [...completed, host];
}

/** A small file that is read again when it has changed; looked at no more than once a second. */
export class WatchedFile<T> {
  readonly #path: string;
  readonly #parse: (text: string) => T;
  readonly #changed: () => void;
  #value: T;
  #stamp = '';
  #lookAgainAt = -Infinity;

  /** A file that cannot be read counts as empty. */
  constructor(path: string, parse: (text: string) => T, changed: () => void = () => {}) {
    this.#path = path;
    this.#parse = parse;
    this.#changed = changed;
    this.#value = parse('');
  }

  get(nowMs: number): T {
    if (nowMs < this.#lookAgainAt) return this.#value;
    this.#lookAgainAt = nowMs + 1000;
    const stat = statSync(this.#path, { throwIfNoEntry: false });
    const stamp = stat === undefined ? 'none' : `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
    if (stamp === this.#stamp) return this.#value;
    const first = this.#stamp === '';
    this.#stamp = stamp;
    try {
      this.#value = this.#parse(readFileSync(this.#path, 'utf8'));
    } catch {
      this.#value = this.#parse('');
    }
    if (!first) this.#changed();
    return this.#value;
  }
}
