import { createHash, randomBytes } from 'node:crypto';
import { GatewayError } from '../errors/gateway-error.ts';
import {
  apiTokenPattern,
  apiTokenPrefixLength,
  createApiTokenSchema,
  updateApiTokenSchema,
  type ApiToken,
  type TokenScope,
} from '../model/api-token.ts';
import { looksLikeId, type ApiTokenId } from '../model/ids.ts';
import type { StoreReader, TokenRow } from '../store/store.ts';
import { accessAudit } from './access-audit.ts';
import type { AccessContext } from './access-context.ts';
import type { Actor, ListQuery, Page } from './control-context.ts';
import { checkIfMatch, etagOf, type ChangeOptions } from './etag.ts';
import { listFilterOf, pageOfRows } from './list-page.ts';
import { readChanges } from './read-changes.ts';
import { validateInput } from './validate-input.ts';

const touchInterval = 60_000;

/** A token that a request has proved. */
export interface ProvedToken {
  readonly id: ApiTokenId;
  readonly name: string;
  readonly scope: TokenScope;
}

/**
 * Makes an API token. `secret` is the token itself: it is not stored and cannot be shown again.
 * @throws GatewayError `validation_failed`, `conflict`
 */
export async function createToken(
  context: AccessContext,
  actor: Actor,
  input: unknown,
): Promise<{ readonly value: ApiToken; readonly secret: string }> {
  const given = validateInput(createApiTokenSchema, input);
  const now = context.clock();
  const secret = `agt_${randomBytes(32).toString('hex')}`;
  const row: TokenRow = {
    id: `tok_${randomBytes(8).toString('hex')}`,
    name: given.name,
    hash: hashOf(secret),
    prefix: secret.slice(0, apiTokenPrefixLength),
    scope: given.scope ?? 'read',
    expires_at: expiryOf(given.expires_at, now),
    last_used_at: null,
    revoked_at: null,
    created_at: now,
    created_by: actor.label,
  };
  await context.store.write(async (tx) => {
    await refuseTakenName(tx, row);
    await tx.tokens.put(row);
    await accessAudit(tx, now, actor, {
      action: 'token.create',
      type: 'token',
      id: row.id,
      name: row.name,
      detail: { scope: row.scope, expires_at: isoOf(row.expires_at) },
    });
  });
  return { value: tokenOf(context, row), secret };
}

export async function listTokens(context: AccessContext, query: ListQuery): Promise<Page<ApiToken>> {
  const page = await context.store.read((tx) => tx.tokens.list(listFilterOf(query)));
  return pageOfRows(
    page,
    (row) => row.name,
    (row) => tokenOf(context, row),
  );
}

/** @throws GatewayError `not_found` */
export async function getToken(context: AccessContext, idOrName: string): Promise<ApiToken> {
  return tokenOf(context, await context.store.read((tx) => find(tx, idOrName)));
}

/**
 * Changes name, scope or expiry.
 * @throws GatewayError `not_found`, `precondition_failed`, `validation_failed`, `conflict`
 */
export async function updateToken(
  context: AccessContext,
  actor: Actor,
  idOrName: string,
  changes: unknown,
  options: ChangeOptions = {},
): Promise<ApiToken> {
  const now = context.clock();
  const row = await context.store.write(async (tx) => {
    const before = await find(tx, idOrName);
    checkIfMatch(options.ifMatch, etagOf(tokenOf(context, before)));
    const given = readChanges(updateApiTokenSchema, changes, tokenOf(context, before));
    const after: TokenRow = {
      ...before,
      ...(given.name === undefined ? {} : { name: given.name }),
      ...(given.scope === undefined ? {} : { scope: given.scope ?? 'read' }),
      ...(given.expires_at === undefined ? {} : { expires_at: expiryOf(given.expires_at, now) }),
    };
    if (after.name === before.name && after.scope === before.scope && after.expires_at === before.expires_at) return before;
    await refuseTakenName(tx, after);
    await tx.tokens.put(after);
    const detail = { changed: Object.keys(given).toSorted() };
    await accessAudit(tx, now, actor, { action: 'token.update', type: 'token', id: after.id, name: after.name, detail });
    return after;
  });
  return tokenOf(context, row);
}

/**
 * Makes a token useless but keeps its row; again does nothing.
 * @throws GatewayError `not_found`, `precondition_failed`
 */
export async function revokeToken(context: AccessContext, actor: Actor, idOrName: string, options: ChangeOptions = {}): Promise<ApiToken> {
  const now = context.clock();
  const row = await context.store.write(async (tx) => {
    const before = await find(tx, idOrName);
    checkIfMatch(options.ifMatch, etagOf(tokenOf(context, before)));
    if (before.revoked_at !== null) return before;
    const after: TokenRow = { ...before, revoked_at: now };
    await tx.tokens.put(after);
    await accessAudit(tx, now, actor, { action: 'token.revoke', type: 'token', id: after.id, name: after.name });
    return after;
  });
  return tokenOf(context, row);
}

/** @throws GatewayError `not_found`, `precondition_failed` */
export async function deleteToken(context: AccessContext, actor: Actor, idOrName: string, options: ChangeOptions = {}): Promise<void> {
  await context.store.write(async (tx) => {
    const row = await find(tx, idOrName);
    checkIfMatch(options.ifMatch, etagOf(tokenOf(context, row)));
    await tx.tokens.remove(row.id);
    await accessAudit(tx, context.clock(), actor, { action: 'token.delete', type: 'token', id: row.id, name: row.name });
  });
}

/** The token that a caller sent; undefined when it is unknown, expired or revoked. Counts as a use. */
export async function findToken(context: AccessContext, token: string): Promise<ProvedToken | undefined> {
  if (!apiTokenPattern.test(token)) return undefined;
  const row = await context.store.read((tx) => tx.tokens.byHash(hashOf(token)));
  const now = context.clock();
  if (row === undefined || !isGood(row, now)) return undefined;
  context.lastUse.set(row.id, now);
  if (now - (row.last_used_at ?? 0) >= touchInterval) {
    // Not waited for, and no reason to refuse the request when the database is locked just now.
    context.store.write((tx) => tx.tokens.touch(row.id, now)).catch(() => undefined);
  }
  return { id: row.id, name: row.name, scope: row.scope };
}

/** Whether a token that was proved once still holds. Does not count as a use. */
export async function isTokenGood(context: AccessContext, id: ApiTokenId): Promise<boolean> {
  const row = await context.store.read((tx) => tx.tokens.get(id));
  return row !== undefined && isGood(row, context.clock());
}

function isGood(row: TokenRow, now: number): boolean {
  return row.revoked_at === null && (row.expires_at === null || now < row.expires_at);
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

async function find(tx: StoreReader, idOrName: string): Promise<TokenRow> {
  const row = looksLikeId(idOrName) ? await tx.tokens.get(idOrName as ApiTokenId) : await tx.tokens.byName(idOrName);
  if (row === undefined) throw new GatewayError('not_found', { detail: 'There is no such API token.' });
  return row;
}

async function refuseTakenName(tx: StoreReader, row: TokenRow): Promise<void> {
  const other = await tx.tokens.byName(row.name);
  if (other !== undefined && other.id !== row.id) {
    throw new GatewayError('conflict', {
      detail: 'Another API token has this name.',
      errors: [{ field: 'name', message: 'is the name of another API token' }],
    });
  }
}

function expiryOf(given: string | null | undefined, now: number): number | null {
  if (given === undefined || given === null) return null;
  const at = Date.parse(given);
  if (!(at > now)) throw new GatewayError('validation_failed', { errors: [{ field: 'expires_at', message: 'must be in the future' }] });
  return at;
}

function isoOf(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

function tokenOf(context: AccessContext, row: TokenRow): ApiToken {
  const lastUsed = context.lastUse.of(row.id, row.last_used_at ?? 0);
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    scope: row.scope,
    expires_at: isoOf(row.expires_at),
    last_used_at: isoOf(lastUsed === 0 ? null : lastUsed),
    revoked_at: isoOf(row.revoked_at),
    created_by: row.created_by,
    created_at: new Date(row.created_at).toISOString(),
  };
}
