import { GatewayError } from '../errors/gateway-error.ts';
import type { StoreReader } from '../store/store.ts';

/**
 * The number of a revision that the history can tell, or throws.
 * @param text as it came in a path, a query or on a command line
 * @throws GatewayError `not_found` for what never was one, `revision_pruned` for what is not kept any more
 */
export async function knownRevision(tx: StoreReader, text: string): Promise<number> {
  const present = await tx.revision();
  const revision = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(revision)) throw new GatewayError('not_found', { detail: 'A revision is a whole number, as the history lists it.' });
  if (revision > present) throw new GatewayError('not_found', { detail: `There is no revision ${revision}; the latest is ${present}.` });
  const from = await tx.history.from();
  if (revision >= from) return revision;
  throw new GatewayError('revision_pruned', { detail: `Revision ${revision} is not kept any more; the oldest one kept is ${from}.` });
}
