import { GatewayError, type FieldError } from '../errors/gateway-error.ts';
import type { ListFilter, RowPage } from '../store/store.ts';
import type { ListQuery, Page } from './control-context.ts';

const defaultLimit = 100;
const maxLimit = 500;
const maxSearchLength = 200;

/**
 * What the store is asked for. The cursor is the last name of the page before, encoded, so that rows made or
 * removed meanwhile neither repeat nor hide others.
 * @throws GatewayError `validation_failed` with every part of the query that is at fault
 */
export function listFilterOf(query: ListQuery): ListFilter {
  const errors: FieldError[] = [];
  const limit = query.limit ?? defaultLimit;
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit) {
    errors.push({ field: 'limit', message: `must be a whole number from 1 to ${maxLimit}` });
  }
  const after = query.cursor === undefined ? undefined : nameOfCursor(query.cursor);
  if (after === null) errors.push({ field: 'cursor', message: 'leads nowhere; begin again without it' });
  if (query.q !== undefined && query.q.length > maxSearchLength) {
    errors.push({ field: 'q', message: `must have at most ${maxSearchLength} characters` });
  }
  if (errors.length > 0) throw new GatewayError('validation_failed', { errors });
  return {
    limit,
    ...(after === undefined || after === null ? {} : { after }),
    ...(query.q === undefined || query.q === '' ? {} : { nameContains: query.q }),
    ...(query.enabled === undefined ? {} : { enabled: query.enabled }),
  };
}

/** The page as the API shows it; `nameOf` gives what the rows are ordered by. */
export function pageOfRows<Row, T>(page: RowPage<Row>, nameOf: (row: Row) => string, shown: (row: Row) => T): Page<T> {
  const last = page.rows.at(-1);
  return {
    data: page.rows.map(shown),
    total: page.total,
    next_cursor: page.more && last !== undefined ? cursorOfName(nameOf(last)) : null,
  };
}

function cursorOfName(name: string): string {
  return Buffer.from(name, 'utf8').toString('base64url');
}

function nameOfCursor(cursor: string): string | null {
  const name = Buffer.from(cursor, 'base64url').toString('utf8');
  return name !== '' && cursorOfName(name) === cursor ? name : null;
}
