import { GatewayError, type FieldError } from '../errors/gateway-error.ts';
import type { RouteConfig } from '../model/gateway-config.ts';
import type { RoutePreview } from '../model/route-preview.ts';
import { previewRouteSchema } from '../model/route-preview-schema.ts';
import { createRouteSchema, updateRouteSchema } from '../model/route-schema.ts';
import { refuseErrors } from './commit-change.ts';
import type { ControlContext } from './control-context.ts';
import { upstreamConfigOf } from './credentials.ts';
import { findRow } from './find-resource.ts';
import { routeConfigOf } from './load-change.ts';
import { draftRoute } from './route-draft.ts';
import { newRouteId, routeOf } from './routes.ts';
import { readInput, validateInput } from './validate-input.ts';

/**
 * Shows what a route, or a draft of one, makes of a sample request and response. Nothing is stored or sent, and no secret is opened.
 * @throws GatewayError `validation_failed`, `not_found`, `storage_unavailable`
 */
export async function previewRoute(context: ControlContext, input: unknown): Promise<RoutePreview> {
  const { route_id, route, request, response } = validateInput(previewRouteSchema, input);
  if ((route_id ?? null) === null && (route ?? null) === null)
    throw new GatewayError('validation_failed', { errors: [{ field: 'route', message: 'is required, or route_id' }] });
  const { config, others, upstream } = await context.store.read(async (tx) => {
    const before = (route_id ?? null) === null ? undefined : await findRow(tx.routes, route_id!, 'route');
    const reading =
      before === undefined
        ? readInput(createRouteSchema, { name: 'draft', ...route })
        : readInput(updateRouteSchema, route ?? {}, routeOf(before));
    const { row } = await draftRoute(context, tx, reading, { id: before?.id ?? newRouteId(), before, at: context.clock() });
    refuseErrors(reading.errors.map(inDraft));
    const upstreamRow = await findRow(tx.upstreams, row.upstream_id, 'upstream');
    const others: RouteConfig[] = [...(await context.routeTable.othersThan(tx, row.id))];
    // What it would be; the credential itself is nobody's business here.
    const credential = upstreamRow.auth_type === 'none' ? ({ kind: 'none' } as const) : ({ kind: 'value', value: '***' } as const);
    return { config: routeConfigOf({ ...row, revision: 0 }), others, upstream: upstreamConfigOf(upstreamRow, credential) };
  });
  return await context.previewer.preview({
    route: config,
    others,
    upstream,
    request: { method: request.method ?? 'GET', url: request.url, headers: request.headers ?? {}, body: request.body ?? null },
    response:
      (response ?? null) === null
        ? null
        : { status: response?.status ?? 200, headers: response?.headers ?? {}, body: response?.body ?? null },
  });
}

function inDraft({ field, message }: FieldError): FieldError {
  return { field: field === '' ? 'route' : `route.${field}`, message };
}
