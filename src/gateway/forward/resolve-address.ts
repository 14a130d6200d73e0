import { Resolver, type RecordWithTtl } from 'node:dns';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { candidatesOf, parseHosts, parseSearchRules, WatchedFile } from './name-sources.ts';

/** Why a name has no address: it does not exist, nobody answered in time, or the servers answered with an error. */
export type ResolveFailure = 'dns_not_found' | 'dns_timeout' | 'dns_failure';

/** Without failure there is at least one address; with one there is none. */
export type ResolveCallback = (failure: ResolveFailure | null, addresses: readonly string[]) => void;

export interface AddressResolverOptions {
  /** Name servers, `address` or `address:port`; none means the system's. */
  readonly servers?: readonly string[];
  readonly hostsPath?: string;
  readonly resolvConfPath?: string;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
  /** Longest wait for all questions of one name. */
  readonly timeoutMs?: number;
}

/**
 * Names to addresses: literal addresses, `localhost`, /etc/hosts, then DNS by c-ares (never getaddrinfo, whose few threads a
 * silent server would take from everything else). An answer is kept as long as its TTL says, 1 to 30 s; the first caller after
 * that still gets it at once, if it is younger than 30 s, while a new one is fetched. Failures are kept for up to 5 s. While the
 * servers fail, the last good answer serves on for some minutes (RFC 8767). Callers that ask for the same name at the same time
 * share one question. Throws in the constructor on a bad server address.
 */
export class AddressResolver {
  readonly #servers: readonly string[];
  readonly #hosts: WatchedFile<Map<string, string[]>>;
  readonly #search: WatchedFile<ReturnType<typeof parseSearchRules>>;
  readonly #now: () => number;
  readonly #timeoutMs: number;
  readonly #entries = new Map<string, Entry>();
  #dns: Resolver;
  #hasIpv6Loopback: boolean | null = null;

  constructor(options: AddressResolverOptions = {}) {
    this.#servers = options.servers ?? [];
    this.#now = options.now ?? (() => performance.now());
    this.#timeoutMs = options.timeoutMs ?? 4500;
    this.#hosts = new WatchedFile(options.hostsPath ?? systemHostsPath, parseHosts);
    this.#search = new WatchedFile(options.resolvConfPath ?? '/etc/resolv.conf', parseSearchRules, () => this.#followSystem());
    this.#dns = this.#open();
  }

  /**
   * Addresses of a host as base_url has it: lower case, IPv6 without brackets. Calls back before it returns when the answer is
   * at hand. IPv4 and IPv6 alternate, IPv4 first: where IPv6 does not work, nobody has to wait for it to fail.
   */
  resolve(host: string, callback: ResolveCallback): void {
    if (isIP(host) !== 0) return callback(null, [host]);
    const name = host.endsWith('.') ? host.slice(0, -1) : host;
    if (name === 'localhost' || name.endsWith('.localhost')) return callback(null, this.#loopback());
    const now = this.#now();
    const fixed = this.#hosts.get(now).get(name);
    if (fixed !== undefined) return callback(null, fixed);
    const rules = this.#search.get(now);

    const entry = this.#entryFor(host);
    if (now < entry.freshUntil) return entry.answer(callback);
    if (entry.pending === null) {
      entry.pending = [];
      new Question(this.#dns, candidatesOf(host, rules), this.#timeoutMs, (outcome) => entry.settle(outcome, this.#now()));
    }
    if (entry.failure === null && now < entry.usableUntil) return entry.answer(callback);
    if (entry.pending.length >= maxWaiting) return callback('dns_timeout', []);
    entry.pending.push(callback);
  }

  #entryFor(host: string): Entry {
    const known = this.#entries.get(host);
    if (known !== undefined) return known;
    if (this.#entries.size >= maxEntries) {
      for (const [oldest, entry] of this.#entries) {
        if (entry.pending !== null) continue;
        this.#entries.delete(oldest);
        break;
      }
    }
    const made = new Entry();
    this.#entries.set(host, made);
    return made;
  }

  // RFC 6761 section 6.3: never asked of a server. Without ::1 on the machine, trying it would hide the other's failure.
  #loopback(): readonly string[] {
    this.#hasIpv6Loopback ??= Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));
    return this.#hasIpv6Loopback ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
  }

  // c-ares reads the system's servers once: a machine that changes its network gets a new one.
  #followSystem(): void {
    this.#entries.clear();
    if (this.#servers.length === 0) this.#dns = this.#open();
  }

  #open(): Resolver {
    const dns = new Resolver({ timeout: 1000, tries: 3 });
    if (this.#servers.length > 0) dns.setServers(this.#servers);
    return dns;
  }
}

const systemHostsPath =
  process.platform === 'win32' ? `${process.env['SystemRoot'] ?? 'C:\\Windows'}\\System32\\drivers\\etc\\hosts` : '/etc/hosts';
const maxEntries = 10_000;
/** Callers waiting for one name; each is a connection about to be opened. */
const maxWaiting = 10_000;
const minTtlMs = 1000;
const maxAgeMs = 30_000;
/** Kept below the greatest age, so that an answer can be renewed before anybody has to wait. */
const maxTtlMs = 25_000;
/** With servers that fail, an old answer is better than none for this long. */
const maxStaleMs = 300_000;
const notFoundMs = 5000;
const failureMs = 1000;
/** How long an answer that did come is held back for the other family's (RFC 8305 section 3). */
const otherFamilyMs = 50;

interface Outcome {
  readonly failure: ResolveFailure | null;
  readonly ipv4: readonly RecordWithTtl[];
  readonly ipv6: readonly RecordWithTtl[];
}

/** What is known of one name. */
class Entry {
  failure: ResolveFailure | null = null;
  freshUntil = -Infinity;
  usableUntil = -Infinity;
  pending: ResolveCallback[] | null = null;
  #ipv4: readonly string[] = [];
  #ipv6: readonly string[] = [];
  #goodUntil = -Infinity;
  #turn = 0;

  settle(outcome: Outcome, now: number): void {
    const serversFail = outcome.failure === 'dns_timeout' || outcome.failure === 'dns_failure';
    if (serversFail && now < this.#goodUntil) {
      this.freshUntil = now + failureMs;
      this.usableUntil = this.#goodUntil;
    } else {
      this.#replace(outcome, now);
    }
    const waiting = this.pending ?? [];
    this.pending = null;
    for (const callback of waiting) this.answer(callback);
  }

  #replace(outcome: Outcome, now: number): void {
    this.failure = outcome.failure;
    this.#ipv4 = outcome.ipv4.map(({ address }) => address);
    this.#ipv6 = outcome.ipv6.map(({ address }) => address);
    this.#goodUntil = -Infinity;
    if (outcome.failure === null) {
      const ttl = Math.min(...outcome.ipv4.map((record) => record.ttl), ...outcome.ipv6.map((record) => record.ttl)) * 1000;
      this.freshUntil = now + Math.min(Math.max(ttl, minTtlMs), maxTtlMs);
      this.usableUntil = now + maxAgeMs;
      this.#goodUntil = now + maxStaleMs;
    } else {
      this.freshUntil = now + (outcome.failure === 'dns_not_found' ? notFoundMs : failureMs);
    }
  }

  answer(callback: ResolveCallback): void {
    if (this.failure !== null) callback(this.failure, []);
    else callback(null, this.#addresses());
  }

  /** Each caller begins with another address, so that connections spread as the name's owner means them to. */
  #addresses(): string[] {
    const turn = this.#turn++;
    const addresses: string[] = [];
    for (let i = 0; i < Math.max(this.#ipv4.length, this.#ipv6.length); i++) {
      if (i < this.#ipv4.length) addresses.push(this.#ipv4[(turn + i) % this.#ipv4.length]!);
      if (i < this.#ipv6.length) addresses.push(this.#ipv6[(turn + i) % this.#ipv6.length]!);
    }
    return addresses;
  }
}

/** Asks for the candidates one after the other, until one has an address, and for both families at once. */
class Question {
  readonly #dns: Resolver;
  readonly #candidates: readonly string[];
  readonly #done: (outcome: Outcome) => void;
  readonly #deadline: NodeJS.Timeout;
  #next = 0;
  #failed = false;
  #timedOut = 0;
  #over = false;

  constructor(dns: Resolver, candidates: readonly string[], timeoutMs: number, done: (outcome: Outcome) => void) {
    this.#dns = dns;
    this.#candidates = candidates;
    this.#done = done;
    this.#deadline = setTimeout(() => this.#finish({ failure: 'dns_timeout', ipv4: [], ipv6: [] }), timeoutMs).unref();
    this.#ask();
  }

  #ask(): void {
    const candidate = this.#candidates[this.#next++];
    if (candidate === undefined) {
      this.#finish({ failure: this.#failed ? 'dns_failure' : 'dns_not_found', ipv4: [], ipv6: [] });
      return;
    }
    let ipv4: readonly RecordWithTtl[] | null = null;
    let ipv6: readonly RecordWithTtl[] | null = null;
    let patience: NodeJS.Timeout | undefined;
    const conclude = (): void => {
      clearTimeout(patience);
      this.#finish({ failure: null, ipv4: ipv4 ?? [], ipv6: ipv6 ?? [] });
    };
    const heard = (): void => {
      if (this.#over) return;
      const some = (ipv4 ?? []).length + (ipv6 ?? []).length > 0;
      if (ipv4 !== null && ipv6 !== null) {
        if (some) conclude();
        else this.#ask();
      } else if (some) {
        patience = setTimeout(conclude, otherFamilyMs);
      }
    };
    this.#query(candidate, 4, (records) => {
      ipv4 = records;
      heard();
    });
    this.#query(candidate, 6, (records) => {
      ipv6 = records;
      heard();
    });
  }

  #query(name: string, family: 4 | 6, callback: (records: readonly RecordWithTtl[]) => void): void {
    const answered = (error: NodeJS.ErrnoException | null, records: RecordWithTtl[] | undefined): void => {
      if (this.#over) return;
      if (error === null) {
        callback(records ?? []);
        return;
      }
      if (error.code === 'ETIMEOUT') {
        // Another name will hardly do better with servers that are silent; but the other family may have an answer.
        this.#failed = true;
        this.#timedOut++;
        if (this.#timedOut === 2) this.#finish({ failure: 'dns_timeout', ipv4: [], ipv6: [] });
      } else if (error.code !== 'ENOTFOUND' && error.code !== 'ENODATA' && error.code !== 'EBADNAME') {
        this.#failed = true;
      }
      callback([]);
    };
    if (family === 4) this.#dns.resolve4(name, { ttl: true }, answered);
    else this.#dns.resolve6(name, { ttl: true }, answered);
  }

  #finish(outcome: Outcome): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#deadline);
    this.#done(outcome);
  }
}
