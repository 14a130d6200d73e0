import { GatewayError } from '../errors/gateway-error.ts';
import type { ListQuery, Page } from './control-context.ts';

/**
 * A page of a short list that is at hand whole, in descending order of `keyOf`. The cursor is the key of the last item
 * shown, so that items made or removed meanwhile neither repeat nor hide others.
 * @throws GatewayError `validation_failed` for a cursor that leads nowhere
 */
export function pageOfArray<T>(all: readonly T[], query: ListQuery, keyOf: (item: T) => string): Page<T> {
  const limit = query.limit ?? 100;
  const sorted = all.toSorted((a, b) => (keyOf(a) < keyOf(b) ? 1 : -1));
  const before = query.cursor === undefined ? undefined : keyOfCursor(query.cursor);
  const rest = before === undefined ? sorted : sorted.filter((item) => keyOf(item) < before);
  const data = rest.slice(0, limit);
  const last = data.at(-1);
  return { data, total: all.length, next_cursor: last !== undefined && rest.length > limit ? cursorOfKey(keyOf(last)) : null };
}

function cursorOfKey(key: string): string {
  return Buffer.from(key).toString('base64url');
}

function keyOfCursor(cursor: string): string {
  const key = Buffer.from(cursor, 'base64url').toString();
  if (key !== '' && cursorOfKey(key) === cursor) return key;
  throw new GatewayError('validation_failed', { errors: [{ field: 'cursor', message: 'leads nowhere; begin again without it' }] });
}
