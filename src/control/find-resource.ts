import { GatewayError } from '../errors/gateway-error.ts';
import { looksLikeId } from '../model/ids.ts';
import type { ResourceReader } from '../store/store.ts';

/**
 * The row that an id or a name stands for. Names never look like ids, so there is no doubt which is meant.
 * @throws GatewayError `not_found`
 */
export async function findRow<Row, Id extends string>(table: ResourceReader<Row, Id>, idOrName: string, kind: string): Promise<Row> {
  const row = await lookUp(table, idOrName);
  if (row === undefined) throw new GatewayError('not_found', { detail: `There is no ${kind} of this id or name.` });
  return row;
}

/** As findRow, but undefined when there is none. */
export async function lookUp<Row, Id extends string>(table: ResourceReader<Row, Id>, idOrName: string): Promise<Row | undefined> {
  return looksLikeId(idOrName) ? await table.get(idOrName as Id) : await table.byName(idOrName);
}

/**
 * Keeps names unique, with an answer that says which one has it.
 * @throws GatewayError `conflict`
 */
export async function refuseTakenName<Row extends { readonly id: string }, Id>(
  table: ResourceReader<Row, Id>,
  row: { readonly id: string; readonly name: string },
  kind: string,
): Promise<void> {
  const holder = await table.byName(row.name);
  if (holder === undefined || holder.id === row.id) return;
  throw new GatewayError('conflict', {
    detail: `There is another ${kind} named "${row.name}".`,
    errors: [{ field: 'name', message: `is already the name of ${holder.id}` }],
  });
}

/** @throws GatewayError `conflict` for what comes from the --upstream setting */
export function refuseManaged(row: { readonly managed: boolean; readonly name: string }, kind: string): void {
  if (!row.managed) return;
  throw new GatewayError('conflict', {
    detail: `The ${kind} "${row.name}" is managed: it comes from the --upstream setting (APIGATE_UPSTREAM_URL). Change that setting and restart the gateway, or create one of your own.`,
  });
}
