import { randomBytes } from 'node:crypto';
import { GatewayError, type FieldError } from '../errors/gateway-error.ts';
import { createAdminSchema, updateAdminSchema, type Admin } from '../model/admin.ts';
import { looksLikeId, type AdminId } from '../model/ids.ts';
import type { AdminRow, StoreReader } from '../store/store.ts';
import { accessAudit } from './access-audit.ts';
import type { AccessContext } from './access-context.ts';
import type { Actor, ListQuery, Page } from './control-context.ts';
import { checkIfMatch, etagOf, type ChangeOptions } from './etag.ts';
import { listFilterOf, pageOfRows } from './list-page.ts';
import { passwordProblem } from './passwords.ts';
import { readChanges } from './read-changes.ts';
import { examine, type SignedIn } from './sessions.ts';
import { signInKeys } from './sign-in-keys.ts';
import { tellIfThrottled } from './throttled-attempts.ts';
import { validateInput } from './validate-input.ts';

/** @throws GatewayError `validation_failed`, `conflict`, `too_many_attempts` */
export async function createAdmin(context: AccessContext, actor: Actor, input: unknown): Promise<Admin> {
  const row = await newAdminRow(context, validateInput(createAdminSchema, input));
  await context.store.write(async (tx) => {
    await refuseTakenEmail(tx, row);
    await tx.admins.put(row);
    await accessAudit(tx, row.created_at, actor, { action: 'admin.create', type: 'admin', id: row.id, name: row.email });
  });
  return adminOf(row);
}

export async function listAdmins(context: AccessContext, query: ListQuery): Promise<Page<Admin>> {
  const page = await context.store.read((tx) => tx.admins.list(listFilterOf(query)));
  return pageOfRows(page, (row) => row.email, adminOf);
}

/** @throws GatewayError `not_found` */
export async function getAdmin(context: AccessContext, idOrEmail: string): Promise<Admin> {
  return adminOf(await context.store.read((tx) => find(tx, idOrEmail)));
}

export interface UpdateAdminOptions extends ChangeOptions {
  /** The session that asks: it survives a change of its admin's password, for which it needs the current one. */
  readonly signedIn?: SignedIn | undefined;
  readonly remoteAddress: string;
}

/**
 * Changes e-mail or password. A new password ends the admin's other sessions.
 * @throws GatewayError `not_found`, `precondition_failed`, `validation_failed`, `conflict`, `too_many_attempts`
 */
export async function updateAdmin(
  context: AccessContext,
  actor: Actor,
  idOrEmail: string,
  changes: unknown,
  options: UpdateAdminOptions,
): Promise<Admin> {
  const before = await context.store.read((tx) => find(tx, idOrEmail));
  checkIfMatch(options.ifMatch, adminEtag(adminOf(before)));
  const given = readChanges(updateAdminSchema, changes, adminOf(before));
  const email = given.email ?? before.email;
  if (email === before.email && given.password === undefined) return adminOf(before);
  const own = options.signedIn?.adminId === before.id;
  let passwordHash = before.password_hash;
  if (given.password !== undefined) {
    refuseBadPassword(given.password, email);
    if (own) await proveCurrentPassword(context, actor, before, given.current_password, options.remoteAddress);
    passwordHash = await context.passwords.hash(given.password);
  }
  const now = context.clock();
  const after = await context.store.write(async (tx) => {
    const meanwhile = await find(tx, before.id);
    if (adminEtag(adminOf(meanwhile)) !== adminEtag(adminOf(before))) throw new GatewayError('precondition_failed');
    const row: AdminRow = { ...meanwhile, email, password_hash: passwordHash, updated_at: now };
    await refuseTakenEmail(tx, row);
    await tx.admins.put(row);
    const ended = given.password === undefined ? 0 : await tx.sessions.removeOfAdmin(row.id, own ? options.signedIn?.idHash : undefined);
    const changed = [...(given.email === undefined ? [] : ['email']), ...(given.password === undefined ? [] : ['password'])];
    await accessAudit(tx, now, actor, {
      action: 'admin.update',
      type: 'admin',
      id: row.id,
      name: row.email,
      detail: { changed, sessions_ended: ended },
    });
    return row;
  });
  return adminOf(after);
}

/**
 * Removes an admin, whose sessions end; never the last one.
 * @throws GatewayError `not_found`, `precondition_failed`, `conflict`
 */
export async function deleteAdmin(context: AccessContext, actor: Actor, idOrEmail: string, options: ChangeOptions = {}): Promise<void> {
  await context.store.write(async (tx) => {
    const row = await find(tx, idOrEmail);
    checkIfMatch(options.ifMatch, adminEtag(adminOf(row)));
    if ((await tx.admins.count()) <= 1) {
      throw new GatewayError('conflict', { detail: 'This is the last admin; make another one before deleting it.' });
    }
    await tx.admins.remove(row.id);
    await accessAudit(tx, context.clock(), actor, { action: 'admin.delete', type: 'admin', id: row.id, name: row.email });
  });
}

/** An admin's ETag: signing in is no change. */
export function adminEtag(admin: Admin): string {
  const { last_sign_in_at: _, ...rest } = admin;
  return etagOf(rest);
}

/** Checks and hashes; stores nothing. */
export async function newAdminRow(context: AccessContext, given: { readonly email: string; readonly password: string }): Promise<AdminRow> {
  refuseBadPassword(given.password, given.email);
  const passwordHash = await context.passwords.hash(given.password);
  const now = context.clock();
  return {
    id: `adm_${randomBytes(8).toString('hex')}`,
    email: given.email,
    password_hash: passwordHash,
    created_at: now,
    updated_at: now,
    last_sign_in_at: null,
  };
}

export function adminOf(row: AdminRow): Admin {
  return {
    id: row.id,
    email: row.email,
    last_sign_in_at: row.last_sign_in_at === null ? null : new Date(row.last_sign_in_at).toISOString(),
    created_at: new Date(row.created_at).toISOString(),
    updated_at: new Date(row.updated_at).toISOString(),
  };
}

function refuseBadPassword(password: string, email: string): void {
  const problem = passwordProblem(password, email);
  if (problem !== undefined) throw invalid({ field: 'password', message: problem });
}

async function proveCurrentPassword(
  context: AccessContext,
  actor: Actor,
  admin: AdminRow,
  current: string | undefined,
  remoteAddress: string,
): Promise<void> {
  if (current === undefined) throw invalid({ field: 'current_password', message: 'is required to change your own password' });
  const { email } = admin;
  const { attempt, matches } = await tellIfThrottled(context, { action: 'admin.password_throttled', actor, email }, async () => {
    const attempt = context.throttle.begin(signInKeys(context, email, remoteAddress));
    return { attempt, matches: await examine(attempt, () => context.passwords.verify(current, admin.password_hash)) };
  });
  if (!matches) {
    // Whoever has a session that is not theirs may guess here: as a refused sign-in, it is told.
    await context.store.write((tx) =>
      accessAudit(tx, context.clock(), actor, { action: 'admin.password_refused', type: 'admin', id: admin.id, name: admin.email }),
    );
    throw invalid({ field: 'current_password', message: 'is not your current password' });
  }
  attempt.succeeded();
}

function invalid(error: FieldError): GatewayError {
  return new GatewayError('validation_failed', { errors: [error] });
}

async function find(tx: StoreReader, idOrEmail: string): Promise<AdminRow> {
  const row = looksLikeId(idOrEmail) ? await tx.admins.get(idOrEmail as AdminId) : await tx.admins.byEmail(idOrEmail.toLowerCase());
  if (row === undefined) throw new GatewayError('not_found', { detail: 'There is no such admin.' });
  return row;
}

async function refuseTakenEmail(tx: StoreReader, row: AdminRow): Promise<void> {
  const other = await tx.admins.byEmail(row.email);
  if (other !== undefined && other.id !== row.id) {
    throw new GatewayError('conflict', {
      detail: 'Another admin has this e-mail address.',
      errors: [{ field: 'email', message: 'is the e-mail address of another admin' }],
    });
  }
}
