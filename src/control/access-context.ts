import type { Store } from '../store/store.ts';
import { createAttemptThrottle, type AttemptThrottle } from './attempt-throttle.ts';
import { createPasswords, type Passwords } from './passwords.ts';
import { createThrottledAttempts, type ThrottledAttempts } from './throttled-attempts.ts';

/** What the use cases of admins, sessions, tokens and set-up work with. One for each process. */
export interface AccessContext {
  readonly store: Store;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly passwords: Passwords;
  readonly throttle: AttemptThrottle;
  /** What the throttle has refused of late, on its way to the audit log. */
  readonly throttled: ThrottledAttempts;
  /** When sessions and tokens were last used; the store learns of it once a minute. */
  readonly lastUse: LastUse;
  /** Account and address pairs that have signed in: strangers' failures do not slow them down. */
  readonly knownPlaces: KnownPlaces;
}

export interface AccessContextOptions {
  readonly store: Store;
  readonly clock?: () => number;
  readonly passwords?: Passwords;
  readonly throttled?: ThrottledAttempts;
}

/** Gathers what the use cases of access need. */
export function createAccessContext(options: AccessContextOptions): AccessContext {
  return {
    store: options.store,
    clock: options.clock ?? Date.now,
    passwords: options.passwords ?? createPasswords(),
    // Not the wall clock: setting that back would prolong a wait.
    throttle: createAttemptThrottle(options.clock ?? (() => performance.now())),
    throttled: options.throttled ?? createThrottledAttempts(),
    lastUse: createLastUse(),
    knownPlaces: createKnownPlaces(),
  };
}

export interface LastUse {
  /** @returns the later of what is remembered and `stored` */
  of(key: string, stored: number): number;
  set(key: string, at: number): void;
  forget(key: string): void;
}

export interface KnownPlaces {
  has(place: string): boolean;
  add(place: string): void;
}

const capacity = 10_000;

function createLastUse(): LastUse {
  const times = new Map<string, number>();
  return {
    of: (key, stored) => Math.max(times.get(key) ?? stored, stored),
    set(key, at) {
      times.delete(key);
      times.set(key, at);
      dropOldest(times);
    },
    forget: (key) => void times.delete(key),
  };
}

function createKnownPlaces(): KnownPlaces {
  const places = new Map<string, true>();
  return {
    has: (place) => places.has(place),
    add(place) {
      places.delete(place);
      places.set(place, true);
      dropOldest(places);
    },
  };
}

function dropOldest(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    if (map.size <= capacity) return;
    map.delete(key);
  }
}

/** The revision of the gateway config as it is stored. */
export function currentRevision(context: AccessContext): Promise<number> {
  return context.store.read((tx) => tx.revision());
}
