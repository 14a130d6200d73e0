import { createHash, randomBytes } from 'node:crypto';
import { GatewayError } from '../errors/gateway-error.ts';
import { signInSchema } from '../model/admin.ts';
import type { AdminId } from '../model/ids.ts';
import type { Session } from '../model/session.ts';
import type { AdminRow, SessionRow, StoreReader, StoreWriter } from '../store/store.ts';
import type { AccessContext } from './access-context.ts';
import type { Attempt } from './attempt-throttle.ts';
import { accessAudit, type AuditedActor } from './access-audit.ts';
import type { Actor, ListQuery, Page } from './control-context.ts';
import { pageOfArray } from './page-of-array.ts';
import { signInKeys, placeOf } from './sign-in-keys.ts';
import { tellIfThrottled } from './throttled-attempts.ts';
import { validateInput } from './validate-input.ts';

/** A session ends after this long without a request, in milliseconds. */
export const sessionIdleLimit = 30 * 60 * 1_000;
/** A session ends this long after sign-in, whatever happens, in milliseconds. */
export const sessionAbsoluteLimit = 12 * 60 * 60 * 1_000;
/** How many sessions an admin may have at once; the oldest ends for a new one. */
const sessionsPerAdmin = 50;
/** How often the store is told that a session or token is in use, in milliseconds. */
const touchInterval = 60_000;

/** Where a sign-in comes from. */
export interface Origin {
  readonly remoteAddress: string;
  readonly userAgent: string;
  readonly requestId: string;
}

/** A session that a request has proved. */
export interface SignedIn {
  readonly idHash: string;
  readonly adminId: AdminId;
  readonly email: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface NewSession {
  /** 256 random bits in hexadecimal: goes into the cookie, and is stored as its hash only. */
  readonly token: string;
  readonly signedIn: SignedIn;
}

/**
 * Signs an admin in with e-mail and password. An unknown account costs as much work as a wrong password.
 * @throws GatewayError `invalid_credentials`, `too_many_attempts`, `validation_failed`
 */
export async function signIn(context: AccessContext, input: unknown, origin: Origin): Promise<NewSession> {
  const given = validateInput(signInSchema, input);
  const email = given.email.toLowerCase();
  const act = { action: 'session.sign_in_throttled', actor: anonymous(origin), email };
  const { attempt, admin } = await tellIfThrottled(context, act, async () => {
    const attempt = context.throttle.begin(signInKeys(context, email, origin.remoteAddress));
    const admin = await examine(attempt, async () => {
      const found = await context.store.read((tx) => tx.admins.byEmail(email));
      return { found, matches: await context.passwords.verify(given.password, found?.password_hash) };
    });
    return { attempt, admin };
  });
  const session = admin.matches && admin.found ? await openSession(context, admin.found, origin) : undefined;
  if (session === undefined) {
    await recordFailure(context, admin.found, origin);
    throw new GatewayError('invalid_credentials');
  }
  attempt.succeeded();
  context.knownPlaces.add(placeOf(email, origin.remoteAddress));
  return session;
}

/** The session that a cookie's token belongs to; undefined when there is none, or it is over. Counts as a use. */
export async function findSession(context: AccessContext, token: string): Promise<SignedIn | undefined> {
  if (!/^[0-9a-f]{64}$/.test(token)) return undefined;
  const idHash = hashOf(token);
  const found = await context.store.read(async (tx) => {
    const row = await tx.sessions.get(idHash);
    const admin = row && (await tx.admins.get(row.admin_id));
    return row && admin ? { row, admin } : undefined;
  });
  if (found === undefined) return undefined;
  const now = context.clock();
  if (isOver(context, found.row, now)) return undefined;
  context.lastUse.set(idHash, now);
  if (now - found.row.last_seen_at >= touchInterval) {
    // Not waited for, and no reason to refuse the request when the database is locked just now.
    context.store.write((tx) => tx.sessions.touch(idHash, now)).catch(() => undefined);
  }
  return signedInOf(found.row, found.admin);
}

/** Whether a session that was proved once still holds. Does not count as a use. */
export async function isSessionOpen(context: AccessContext, idHash: string): Promise<boolean> {
  const row = await context.store.read((tx) => tx.sessions.get(idHash));
  return row !== undefined && !isOver(context, row, context.clock());
}

/** Ends the session that asks. */
export async function signOut(context: AccessContext, actor: Actor, signedIn: SignedIn): Promise<void> {
  await context.store.write(async (tx) => {
    if (await tx.sessions.remove(signedIn.idHash)) await auditEnd(context, tx, actor, 'session.sign_out', signedIn.idHash, signedIn.email);
  });
  context.lastUse.forget(signedIn.idHash);
}

export interface SessionScope {
  /** Only this admin's sessions. */
  readonly adminId?: AdminId;
  /** The session that asks, to be marked. */
  readonly current?: SignedIn | undefined;
}

/** Sessions that are not over, newest first. `q` is a part of the e-mail address. */
export async function listSessions(context: AccessContext, query: ListQuery, scope: SessionScope): Promise<Page<Session>> {
  const rows = await context.store.read((tx) => liveSessions(context, tx, scope.adminId));
  const wanted = query.q?.toLowerCase();
  const sessions = rows
    .filter(({ admin }) => wanted === undefined || admin.email.includes(wanted))
    .map((found) => sessionOf(context, found, scope.current));
  return pageOfArray(sessions, query, (session) => `${session.created_at} ${session.id}`);
}

/** @throws GatewayError `not_found` */
export async function getSession(context: AccessContext, id: string, scope: SessionScope): Promise<Session> {
  const found = await context.store.read((tx) => findById(context, tx, id));
  return sessionOf(context, found, scope.current);
}

/**
 * Ends one session, anybody's.
 * @throws GatewayError `not_found`
 */
export async function endSession(context: AccessContext, actor: Actor, id: string): Promise<void> {
  const ended = await context.store.write(async (tx) => {
    const { row, admin } = await findById(context, tx, id);
    await tx.sessions.remove(row.id_hash);
    await auditEnd(context, tx, actor, 'session.end', row.id_hash, admin.email);
    return row.id_hash;
  });
  context.lastUse.forget(ended);
}

/**
 * Opens a session for an admin whose password was just checked. Undefined when the admin is gone or has another password
 * by now: checking takes long enough for that.
 */
export async function openSession(context: AccessContext, checked: AdminRow, origin: Origin): Promise<NewSession | undefined> {
  const token = randomBytes(32).toString('hex');
  return context.store.write(async (tx) => {
    const admin = await tx.admins.get(checked.id);
    if (admin?.password_hash !== checked.password_hash) return undefined;
    const now = context.clock();
    await tx.sessions.removeExpired(now, now - sessionIdleLimit);
    const open = await tx.sessions.ofAdmin(admin.id);
    for (const oldest of open.slice(sessionsPerAdmin - 1)) await tx.sessions.remove(oldest.id_hash);
    const row: SessionRow = {
      id_hash: hashOf(token),
      admin_id: admin.id,
      created_at: now,
      last_seen_at: now,
      expires_at: now + sessionAbsoluteLimit,
      remote_address: origin.remoteAddress,
      user_agent: origin.userAgent.slice(0, 256),
    };
    await tx.sessions.put(row);
    await tx.admins.put({ ...admin, last_sign_in_at: now });
    const actor: Actor = {
      kind: 'admin',
      id: admin.id,
      label: admin.email,
      remoteAddress: origin.remoteAddress,
      requestId: origin.requestId,
    };
    await accessAudit(tx, now, actor, { action: 'session.sign_in', type: 'session', id: publicId(row.id_hash), name: admin.email });
    return { token, signedIn: signedInOf(row, admin) };
  });
}

/** Runs what decides an attempt; when it fails for another reason, the attempt does not count. */
export async function examine<T>(attempt: Attempt, decide: () => Promise<T>): Promise<T> {
  try {
    return await decide();
  } catch (error) {
    attempt.withdrawn();
    throw error;
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function publicId(idHash: string): `ses_${string}` {
  return `ses_${idHash.slice(0, 16)}`;
}

function isOver(context: AccessContext, row: SessionRow, now: number): boolean {
  return now >= row.expires_at || now - context.lastUse.of(row.id_hash, row.last_seen_at) >= sessionIdleLimit;
}

interface Found {
  readonly row: SessionRow;
  readonly admin: AdminRow;
}

async function liveSessions(context: AccessContext, tx: StoreReader, adminId?: AdminId): Promise<Found[]> {
  const now = context.clock();
  const found: Found[] = [];
  for (const admin of await adminsOf(tx, adminId)) {
    for (const row of await tx.sessions.ofAdmin(admin.id)) {
      if (!isOver(context, row, now)) found.push({ row, admin });
    }
  }
  return found;
}

async function adminsOf(tx: StoreReader, adminId: AdminId | undefined): Promise<readonly AdminRow[]> {
  if (adminId !== undefined) {
    const admin = await tx.admins.get(adminId);
    return admin === undefined ? [] : [admin];
  }
  const all: AdminRow[] = [];
  for (;;) {
    const last = all.at(-1)?.email;
    const page = await tx.admins.list(last === undefined ? { limit: 500 } : { limit: 500, after: last });
    all.push(...page.rows);
    if (!page.more) return all;
  }
}

async function findById(context: AccessContext, tx: StoreReader, id: string): Promise<Found> {
  const found = (await liveSessions(context, tx)).find(({ row }) => publicId(row.id_hash) === id);
  if (found === undefined) throw new GatewayError('not_found', { detail: 'There is no such session.' });
  return found;
}

function signedInOf(row: SessionRow, admin: AdminRow): SignedIn {
  return { idHash: row.id_hash, adminId: admin.id, email: admin.email, createdAt: row.created_at, expiresAt: row.expires_at };
}

function sessionOf(context: AccessContext, { row, admin }: Found, current: SignedIn | undefined): Session {
  return {
    id: publicId(row.id_hash),
    admin_id: admin.id,
    email: admin.email,
    remote_address: row.remote_address,
    user_agent: row.user_agent,
    current: row.id_hash === current?.idHash,
    created_at: new Date(row.created_at).toISOString(),
    last_seen_at: new Date(context.lastUse.of(row.id_hash, row.last_seen_at)).toISOString(),
    expires_at: new Date(row.expires_at).toISOString(),
  };
}

async function auditEnd(
  context: AccessContext,
  tx: StoreWriter,
  actor: Actor,
  action: string,
  idHash: string,
  email: string,
): Promise<void> {
  await accessAudit(tx, context.clock(), actor, { action, type: 'session', id: publicId(idHash), name: email });
}

/** Somebody who has not signed in. */
export function anonymous(origin: Origin): AuditedActor {
  return { kind: 'anonymous', id: '', label: '', remoteAddress: origin.remoteAddress, requestId: origin.requestId };
}

async function recordFailure(context: AccessContext, admin: AdminRow | undefined, origin: Origin): Promise<void> {
  // What was typed as an unknown e-mail address may well be a password: it is not recorded.
  await context.store.write((tx) =>
    accessAudit(tx, context.clock(), anonymous(origin), {
      action: 'session.sign_in_failed',
      type: 'admin',
      id: admin?.id ?? '',
      name: admin?.email ?? '',
    }),
  );
}
