import { GatewayError } from '../errors/gateway-error.ts';
import type { ListQuery, Page } from './control-context.ts';

/**
 * A page of a short list that is at hand whole. The cursor is the id of the last item shown.
 * @throws GatewayError `validation_failed` for a cursor that leads nowhere
 */
export function pageOfArray<T extends { readonly id: string }>(all: readonly T[], query: ListQuery): Page<T> {
  const limit = query.limit ?? 100;
  let start = 0;
  if (query.cursor !== undefined) {
    start = all.findIndex((item) => item.id === query.cursor) + 1;
    if (start === 0) {
      throw new GatewayError('validation_failed', { errors: [{ field: 'cursor', message: 'leads nowhere; begin again without it' }] });
    }
  }
  const data = all.slice(start, start + limit);
  const last = data.at(-1);
  return { data, total: all.length, next_cursor: last !== undefined && start + limit < all.length ? last.id : null };
}
