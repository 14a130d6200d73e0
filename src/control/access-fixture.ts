import assert from 'node:assert/strict';
import { GatewayError } from '../errors/gateway-error.ts';
import { openTemporaryStore } from '../store/temporary-store.ts';
import type { AuditRow } from '../store/store.ts';
import { createAccessContext, type AccessContext } from './access-context.ts';
import { createAdmin } from './admins.ts';
import type { Actor } from './control-context.ts';
import { createPasswords } from './passwords.ts';
import type { Origin } from './sessions.ts';

/** For tests: the use cases of access on a real, temporary database, with cheap passwords and a clock that stands still. */
export interface AccessFixture extends AsyncDisposable {
  readonly access: AccessContext;
  /** Moves the clock, in milliseconds. */
  advance(by: number): void;
  /** How many scrypt derivations were begun. */
  derivations(): number;
  /** The audit log, oldest first. */
  audit(): Promise<readonly AuditRow[]>;
}

export const systemActor: Actor = { kind: 'system', id: '', label: 'test' };
export const goodPassword = 'correct horse battery staple';
export const originAt = (remoteAddress: string): Origin => ({ remoteAddress, userAgent: 'a browser', requestId: 'r1' });

/** @param emails admins to begin with, all with `goodPassword` */
export async function openAccess(...emails: string[]): Promise<AccessFixture> {
  let now = Date.parse('2026-11-23T12:00:00.000Z');
  let derivations = 0;
  const store = await openTemporaryStore();
  const passwords = createPasswords({ logCost: 4, onDerive: () => (derivations += 1) });
  const access = createAccessContext({ store, clock: () => now, passwords });
  for (const email of emails) await createAdmin(access, systemActor, { email, password: goodPassword });
  derivations = 0;
  return {
    access,
    advance: (by) => void (now += by),
    derivations: () => derivations,
    audit: async () => (await store.read((tx) => tx.audit.list({ limit: 500 }))).rows.toReversed(),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

/** What a use case refuses with; fails where it accepts. */
export async function refusal(work: Promise<unknown>): Promise<GatewayError> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof GatewayError, String(error));
    return error;
  }
  return assert.fail('was accepted');
}
