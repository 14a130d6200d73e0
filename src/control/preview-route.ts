import type { z } from 'zod';
import { GatewayError, type FieldError } from '../errors/gateway-error.ts';
import type { RoutePreview } from '../model/route-preview.ts';
import { previewRouteSchema } from '../model/route-preview-schema.ts';
import { createRouteSchema, updateRouteSchema } from '../model/route-schema.ts';
import { refuseErrors } from './commit-change.ts';
import type { ControlContext, RouteExpressions } from './control-context.ts';
import { upstreamConfigOf } from './credentials.ts';
import { WorkTurns } from './work-turns.ts';
import { findRow } from './find-resource.ts';
import { routeConfigOf } from './load-change.ts';
import { draftRoute } from './route-draft.ts';
import { Pace } from './pace.ts';
import { newRouteId, routeOf } from './routes.ts';
import { readInput, validateInput } from './validate-input.ts';

/**
 * Shows what a route, or a draft of one, makes of a sample request and response. Nothing is stored or sent, and no secret is opened.
 * @throws GatewayError `validation_failed`, `not_found`, `storage_unavailable`, `too_many_attempts`
 */
export async function previewRoute(context: ControlContext, input: unknown): Promise<RoutePreview> {
  const { route_id, route, request, response } = validateInput(previewRouteSchema, input);
  if ((route_id ?? null) === null && (route ?? null) === null)
    throw new GatewayError('validation_failed', { errors: [{ field: 'route', message: 'is required, or route_id' }] });
  return await drafts.take(async () => {
    // Before the store is asked, or others would wait for it as long.
    const pace = new Pace(longestWork, tooLong);
    await context.trialCompiler.expressions(readInput(updateRouteSchema, route ?? {}).values as RouteExpressions, pace);
    return await previewed(context, { route_id, route, request, response });
  });
}

const drafts = new WorkTurns(16);

/** Longest that the expressions of a draft are tried: whoever may read may ask for this. Milliseconds. */
const longestWork = 5_000;

function tooLong(): GatewayError {
  const message = `has expressions that take longer than ${longestWork / 1000} s to be tried`;
  return new GatewayError('validation_failed', { errors: [{ field: 'route', message }] });
}

async function previewed(
  context: ControlContext,
  { route_id, route, request, response }: z.output<typeof previewRouteSchema>,
): Promise<RoutePreview> {
  const { config, others, upstream } = await context.store.read(async (tx) => {
    const before = (route_id ?? null) === null ? undefined : await findRow(tx.routes, route_id!, 'route');
    const reading =
      before === undefined
        ? readInput(createRouteSchema, { name: 'draft', ...route })
        : readInput(updateRouteSchema, route ?? {}, routeOf(before));
    const { row } = await draftRoute(context, tx, reading, { id: before?.id ?? newRouteId(), before, at: context.clock() });
    refuseErrors(reading.errors.map(inDraft));
    const upstreamRow = await findRow(tx.upstreams, row.upstream_id, 'upstream');
    const others = await context.routeTable.all(tx);
    // What it would be; the credential itself is nobody's business here.
    const credential = upstreamRow.auth_type === 'none' ? ({ kind: 'none' } as const) : ({ kind: 'value', value: '***' } as const);
    return { config: routeConfigOf({ ...row, revision: 0 }), others, upstream: upstreamConfigOf(upstreamRow, credential) };
  });
  await context.explainer.prepare(others, new Pace());
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
