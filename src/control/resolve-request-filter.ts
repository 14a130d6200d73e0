import { GatewayError, type FieldError } from '../errors/gateway-error.ts';
import { looksLikeId } from '../model/ids.ts';
import type { ResourceReader } from '../store/store.ts';
import type { ControlContext } from './control-context.ts';
import type { RequestFilter } from './request-filter.ts';

/** A filter with names or ids. */
export interface RequestFilterInput extends Omit<RequestFilter, 'routeId' | 'upstreamId' | 'keyId'> {
  readonly route?: string;
  readonly upstream?: string;
  readonly key?: string;
}

/**
 * Finds the ids that names stand for. An id is taken as it is: what it stood for may be gone, its requests are not.
 * @throws GatewayError `validation_failed` for names that nothing has
 */
export async function resolveRequestFilter(context: ControlContext, input: RequestFilterInput): Promise<RequestFilter> {
  const { route, upstream, key, ...rest } = input;
  if (route === undefined && upstream === undefined && key === undefined) return rest;
  const errors: FieldError[] = [];
  const filter = await context.store.read(async (tx) => {
    const idOf = async (
      field: string,
      kind: string,
      table: Pick<ResourceReader<{ readonly id: string }, never>, 'byName'>,
      given: string | undefined,
    ) => {
      if (given === undefined || looksLikeId(given)) return given;
      const row = await table.byName(given);
      if (row === undefined) errors.push({ field, message: `is no ${kind} of this id or name` });
      return row?.id;
    };
    const routeId = await idOf('route', 'route', tx.routes, route);
    const upstreamId = await idOf('upstream', 'upstream', tx.upstreams, upstream);
    const keyId = key === 'anonymous' ? key : await idOf('key', 'API key', tx.keys, key);
    return {
      ...rest,
      ...(routeId === undefined ? {} : { routeId }),
      ...(upstreamId === undefined ? {} : { upstreamId }),
      ...(keyId === undefined ? {} : { keyId }),
    };
  });
  if (errors.length > 0) throw new GatewayError('validation_failed', { errors });
  return filter;
}
