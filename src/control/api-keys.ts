import { createHash, randomBytes } from 'node:crypto';
import { type ApiKey, apiKeyDefaults, apiKeyPrefixLength } from '../model/api-key.ts';
import { createApiKeySchema, updateApiKeySchema, type UpdateApiKey } from '../model/api-key-schema.ts';
import type { ApiKeyId, RouteId } from '../model/ids.ts';
import type { ApiKeyRow, StoreReader } from '../store/store.ts';
import { changeDetail, wholeDetail } from './change-detail.ts';
import { commitChange, refuseErrors } from './commit-change.ts';
import type { Actor, Committed, ControlContext, ListQuery, Page } from './control-context.ts';
import { checkIfMatch, etagOf, type ChangeOptions } from './etag.ts';
import { findRow, lookUp, refuseTakenName } from './find-resource.ts';
import { listFilterOf, pageOfRows } from './list-page.ts';
import { type InputReading, readInput } from './validate-input.ts';

/** A new key: `secret` is the key itself, which is not stored and cannot be shown again. */
export type CreatedApiKey = Committed<ApiKey> & { readonly secret: string };

/** @throws GatewayError `validation_failed`, `conflict`, `storage_unavailable`, `publish_failed` */
export async function createApiKey(context: ControlContext, actor: Actor, input: unknown): Promise<CreatedApiKey> {
  const secret = newApiKeySecret();
  const created = await commitChange(context, actor, async (tx) => {
    const reading = readInput(createApiKeySchema, input);
    const at = context.clock();
    const row = await changedKey(tx, reading, newApiKeyRow(secret, at));
    if (row.expires_at !== null && row.expires_at <= at) reading.errors.push({ field: 'expires_at', message: 'must be in the future' });
    refuseErrors(reading.errors);
    await refuseTakenName(tx.keys, row, 'API key');
    const value = apiKeyOf(row);
    return { value, steps: [{ act: 'put', type: 'key', row, action: 'create', detail: wholeDetail(value) }] };
  });
  return { ...created, secret };
}

/** With `enabled`, keys that are not revoked (or are). @throws GatewayError `validation_failed` for the query, `storage_unavailable` */
export async function listApiKeys(context: ControlContext, query: ListQuery): Promise<Page<ApiKey>> {
  const filter = listFilterOf(query);
  const page = await context.store.read((tx) => tx.keys.list(filter));
  return pageOfRows(page, (row) => row.name, apiKeyOf);
}

/** @throws GatewayError `not_found`, `storage_unavailable` */
export async function getApiKey(context: ControlContext, idOrName: string): Promise<ApiKey> {
  return apiKeyOf(await context.store.read((tx) => findRow(tx.keys, idOrName, 'API key')));
}

/**
 * Changes the fields given, each replaced whole; null means the default. Without a change no revision is made.
 * @throws GatewayError `not_found`, `conflict`, `precondition_failed`, `validation_failed`,
 *   `storage_unavailable`, `publish_failed`
 */
export async function updateApiKey(
  context: ControlContext,
  actor: Actor,
  idOrName: string,
  changes: unknown,
  options: ChangeOptions = {},
): Promise<Committed<ApiKey>> {
  return await commitChange(context, actor, async (tx) => {
    const before = await findRow(tx.keys, idOrName, 'API key');
    const shown = apiKeyOf(before);
    checkIfMatch(options.ifMatch, etagOf(shown));
    const reading = readInput(updateApiKeySchema, changes, shown);
    const row = await changedKey(tx, reading, before);
    refuseErrors(reading.errors);
    await refuseTakenName(tx.keys, row, 'API key');
    return stepFor(shown, row, 'update');
  });
}

/**
 * Makes a key useless but keeps its row; revoking again changes nothing. It is refused everywhere when this resolves.
 * @throws GatewayError `not_found`, `precondition_failed`, `storage_unavailable`, `publish_failed`
 */
export async function revokeApiKey(
  context: ControlContext,
  actor: Actor,
  idOrName: string,
  options: ChangeOptions = {},
): Promise<Committed<ApiKey>> {
  return await commitChange(context, actor, async (tx) => {
    const before = await findRow(tx.keys, idOrName, 'API key');
    const shown = apiKeyOf(before);
    checkIfMatch(options.ifMatch, etagOf(shown));
    return stepFor(shown, { ...before, revoked_at: before.revoked_at ?? context.clock() }, 'revoke');
  });
}

/** Removes a key's row and answers what was removed. @throws GatewayError `not_found`, `precondition_failed`, `storage_unavailable`, `publish_failed` */
export async function deleteApiKey(
  context: ControlContext,
  actor: Actor,
  idOrName: string,
  options: ChangeOptions = {},
): Promise<Committed<ApiKey>> {
  return await commitChange(context, actor, async (tx) => {
    const row = await findRow(tx.keys, idOrName, 'API key');
    const value = apiKeyOf(row);
    checkIfMatch(options.ifMatch, etagOf(value));
    return { value, steps: [{ act: 'remove', type: 'key', row, detail: wholeDetail(value) }] };
  });
}

/**
 * Keeps when keys were last used, in one transaction and without a revision: workers know it already.
 * @param usage milliseconds since the epoch by key id; keys that are gone are passed over
 */
export async function recordKeyUsage(context: Pick<ControlContext, 'store'>, usage: ReadonlyMap<ApiKeyId, number>): Promise<void> {
  if (usage.size > 0) await context.store.write((tx) => tx.keys.recordUsage(usage));
}

/** An API key as the API shows it. */
export function apiKeyOf(row: Omit<ApiKeyRow, 'revision'>): ApiKey {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    routes: row.routes,
    rate_limit_per_minute: row.rate_limit_per_minute,
    expires_at: isoOf(row.expires_at),
    last_used_at: isoOf(row.last_used_at),
    revoked_at: isoOf(row.revoked_at),
    created_at: new Date(row.created_at).toISOString(),
  };
}

export function newApiKeySecret(): string {
  return `ak_${randomBytes(32).toString('hex')}`;
}

/** The row of a new key, without a name yet. */
export function newApiKeyRow(secret: string, at: number): Omit<ApiKeyRow, 'revision'> {
  return {
    ...apiKeyDefaults,
    id: `key_${randomBytes(8).toString('hex')}`,
    name: '',
    prefix: secret.slice(0, apiKeyPrefixLength),
    hash: createHash('sha256').update(secret).digest('hex'),
    last_used_at: null,
    revoked_at: null,
    created_at: at,
  };
}

function stepFor<Row extends Omit<ApiKeyRow, 'revision'>>(shown: ApiKey, row: Row, action: string) {
  const value = apiKeyOf(row);
  const detail = changeDetail(shown, value);
  if (Object.keys(detail).length === 0) return { value: shown, steps: [] };
  return { value, steps: [{ act: 'put', type: 'key', row, action, detail } as const] };
}

/** The row with the given fields changed; adds to `reading.errors` what is wrong with the routes. */
export async function changedKey<Row extends Omit<ApiKeyRow, 'revision'>>(
  tx: StoreReader,
  reading: InputReading<UpdateApiKey>,
  row: Row,
): Promise<Row> {
  const { values } = reading;
  return {
    ...row,
    ...(values.name === undefined ? {} : { name: values.name }),
    ...(values.routes === undefined ? {} : { routes: await routeIdsOf(tx, reading, values.routes ?? [], row.routes) }),
    ...(values.rate_limit_per_minute === undefined ? {} : { rate_limit_per_minute: values.rate_limit_per_minute }),
    ...(values.expires_at === undefined ? {} : { expires_at: values.expires_at === null ? null : Date.parse(values.expires_at) }),
  };
}

async function routeIdsOf(
  tx: StoreReader,
  reading: InputReading<UpdateApiKey>,
  wanted: readonly string[],
  before: readonly RouteId[],
): Promise<RouteId[]> {
  const ids = new Set<RouteId>();
  for (const [index, idOrName] of wanted.entries()) {
    const route = await lookUp(tx.routes, idOrName);
    // The id of a deleted route may be sent back as it was read; dropping it could empty the list, which opens all.
    const kept = before.find((id) => id === idOrName);
    if (route !== undefined) ids.add(route.id);
    else if (kept !== undefined) ids.add(kept);
    else reading.errors.push({ field: `routes.${index}`, message: 'is neither the id nor the name of a route' });
  }
  return [...ids];
}

function isoOf(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
