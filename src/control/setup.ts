import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../errors/gateway-error.ts';
import { createAdminSchema, setUpSchema, type Admin } from '../model/admin.ts';
import { accessAudit } from './access-audit.ts';
import type { AccessContext } from './access-context.ts';
import { adminOf, newAdminRow } from './admins.ts';
import type { Actor } from './control-context.ts';
import { anonymous, openSession, type NewSession, type Origin } from './sessions.ts';
import { setUpKeys } from './sign-in-keys.ts';
import { tellIfThrottled } from './throttled-attempts.ts';
import { validateInput } from './validate-input.ts';

const metaKey = 'set_up_code_hash';
/** Crockford's base 32: no letter that could be read as a digit. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * Makes a new one-time set-up code while there is no admin, to be printed at start; an earlier one stops working. Five
 * groups of four characters: 100 random bits. Only its hash is kept.
 * @returns undefined when there is an admin
 */
export async function ensureSetupCode(context: AccessContext): Promise<string | undefined> {
  const groups = Array.from({ length: 5 }, () => Array.from({ length: 4 }, () => alphabet[randomInt(32)]).join(''));
  const code = groups.join('-');
  return context.store.write(async (tx) => {
    if ((await tx.admins.count()) > 0) {
      await tx.meta.remove(metaKey);
      return undefined;
    }
    await tx.meta.set(metaKey, hashOf(code));
    return code;
  });
}

/** Whether there is no admin yet. */
export async function setupRequired(context: AccessContext): Promise<boolean> {
  return context.store.read(async (tx) => (await tx.admins.count()) === 0);
}

/**
 * Makes the first admin from the one-time code and signs this admin in. Of any number at once exactly one succeeds.
 * @throws GatewayError `conflict` when there is an admin, `invalid_credentials` for a wrong code, `too_many_attempts`,
 * `validation_failed`
 */
export async function setUp(
  context: AccessContext,
  input: unknown,
  origin: Origin,
): Promise<{ readonly admin: Admin; readonly session: NewSession }> {
  if (!(await setupRequired(context))) throw alreadyDone();
  const given = validateInput(setUpSchema, input);
  const act = { action: 'set_up.throttled', actor: anonymous(origin) };
  const attempt = await tellIfThrottled(context, act, async () => context.throttle.begin(setUpKeys(origin.remoteAddress)));
  const codeHash = hashOf(normalized(given.code));
  const { stored, admins } = await context.store.read(async (tx) => ({
    stored: await tx.meta.get(metaKey),
    admins: await tx.admins.count(),
  }));
  if (admins > 0) {
    attempt.withdrawn();
    throw alreadyDone();
  }
  if (stored === undefined || !timingSafeEqual(Buffer.from(stored), Buffer.from(codeHash))) {
    await context.store.write((tx) =>
      accessAudit(tx, context.clock(), anonymous(origin), { action: 'set_up.failed', type: 'admin', id: '', name: '' }),
    );
    throw new GatewayError('invalid_credentials', { detail: 'The set-up code is wrong; the gateway prints a new one at each start.' });
  }
  attempt.succeeded();
  const row = await newAdminRow(context, given);
  const won = await context.store.write(async (tx) => {
    if ((await tx.meta.get(metaKey)) !== codeHash || !(await tx.admins.putFirst(row))) return false;
    await tx.meta.remove(metaKey);
    await accessAudit(tx, row.created_at, anonymous(origin), { action: 'set_up.complete', type: 'admin', id: row.id, name: row.email });
    return true;
  });
  const session = won ? await openSession(context, row, origin) : undefined;
  if (session === undefined) throw alreadyDone();
  return { admin: adminOf(row), session };
}

/**
 * Makes the first admin from the settings at first start.
 * @returns undefined when there is an admin already; the settings then change nothing
 * @throws GatewayError `validation_failed` with the fields `email` and `password`
 */
export async function createFirstAdminFromSettings(context: AccessContext, email: string, password: string): Promise<Admin | undefined> {
  if (!(await setupRequired(context))) return undefined;
  const row = await newAdminRow(context, validateInput(createAdminSchema, { email, password }));
  const actor: Actor = { kind: 'system', id: '', label: 'settings' };
  return context.store.write(async (tx) => {
    if (!(await tx.admins.putFirst(row))) return undefined;
    await tx.meta.remove(metaKey);
    await accessAudit(tx, row.created_at, actor, { action: 'admin.create', type: 'admin', id: row.id, name: row.email });
    return adminOf(row);
  });
}

function alreadyDone(): GatewayError {
  return new GatewayError('conflict', { detail: 'Set-up is done already: there is an admin. Sign in, or ask that admin.' });
}

/** What people type: any case, with or without dashes, letters for the digits they look like. */
function normalized(code: string): string {
  const characters = code
    .toUpperCase()
    .replaceAll(/[^0-9A-Z]/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');
  return characters.match(/.{1,4}/g)?.join('-') ?? '';
}

function hashOf(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}
