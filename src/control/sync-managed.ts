import { isIP } from 'node:net';
import { GatewayError } from '../errors/gateway-error.ts';
import { forbiddenAddress } from '../model/address-policy.ts';
import { parseBaseUrl } from '../model/base-url.ts';
import { managedRoutePriority, routeDefaults } from '../model/route.ts';
import { upstreamDefaults } from '../model/upstream.ts';
import type { RouteRow, StoreReader, UpstreamRow } from '../store/store.ts';
import { changeDetail, wholeDetail } from './change-detail.ts';
import { changeTime, type ChangeStep, commitChange, type PreparedChange } from './commit-change.ts';
import type { Actor, Committed, ControlContext } from './control-context.ts';
import { ownListenerProblem } from './own-listeners.ts';
import { newRouteId, routeOf } from './routes.ts';
import { newUpstreamId, upstreamOf, usedByRoutes } from './upstreams.ts';

/** The settings --upstream and --public. */
export interface ManagedSettings {
  readonly url: string;
  /** Whether the route needs no API key. */
  readonly public: boolean;
}

const managedName = 'default';
const startUp: Actor = { kind: 'system', id: '', label: 'settings' };

/**
 * Makes the managed upstream and route, both named `default`, what the settings say, or removes them for null.
 * Run at each start, before the first publish. Makes no revision when they are so already.
 * @throws GatewayError `validation_failed` for a bad URL; `conflict` when an upstream or route of that name is a
 *   user's own, or when routes still use the upstream that is to go
 */
export async function syncManaged(context: ControlContext, settings: ManagedSettings | null): Promise<Committed<null>> {
  if (settings !== null) checkUrl(context, settings.url);
  return await commitChange(context, startUp, async (tx) => {
    const upstream = await tx.upstreams.byName(managedName);
    const route = await tx.routes.byName(managedName);
    if (settings === null) return await removal(tx, upstream, route);
    refuseUsersOwn(upstream, 'upstream');
    refuseUsersOwn(route, 'route');
    return put(context, settings, upstream, route);
  });
}

function put(
  context: ControlContext,
  settings: ManagedSettings,
  upstream: UpstreamRow | undefined,
  route: RouteRow | undefined,
): PreparedChange<null> {
  const upstreamAt = changeTime(context, upstream?.updated_at ?? 0);
  const upstreamRow: Omit<UpstreamRow, 'revision'> = {
    ...upstreamDefaults,
    id: upstream?.id ?? newUpstreamId(),
    name: managedName,
    base_url: settings.url,
    auth_value_sealed: null,
    auth_value_reference: null,
    auth_value_updated_at: null,
    managed: true,
    created_at: upstream?.created_at ?? upstreamAt,
    updated_at: upstreamAt,
  };
  const routeAt = changeTime(context, route?.updated_at ?? 0);
  const routeRow: Omit<RouteRow, 'revision'> = {
    ...routeDefaults,
    id: route?.id ?? newRouteId(),
    name: managedName,
    path_pattern: '/',
    upstream_id: upstreamRow.id,
    // Takes whatever comes, upgrades too.
    protocol: 'websocket',
    auth_required: !settings.public,
    priority: managedRoutePriority,
    managed: true,
    created_at: route?.created_at ?? routeAt,
    updated_at: routeAt,
  };

  const steps: ChangeStep[] = [];
  const upstreamDetail =
    upstream === undefined ? wholeDetail(upstreamOf(upstreamRow)) : changeDetail(upstreamOf(upstream), upstreamOf(upstreamRow));
  if (Object.keys(upstreamDetail).length > 0) {
    steps.push({
      act: 'put',
      type: 'upstream',
      row: upstreamRow,
      action: upstream === undefined ? 'create' : 'update',
      detail: upstreamDetail,
    });
  }
  const routeDetail = route === undefined ? wholeDetail(routeOf(routeRow)) : changeDetail(routeOf(route), routeOf(routeRow));
  if (Object.keys(routeDetail).length > 0) {
    steps.push({ act: 'put', type: 'route', row: routeRow, action: route === undefined ? 'create' : 'update', detail: routeDetail });
  }
  return { value: null, steps };
}

async function removal(tx: StoreReader, upstream: UpstreamRow | undefined, route: RouteRow | undefined): Promise<PreparedChange<null>> {
  const steps: ChangeStep[] = [];
  if (route?.managed === true) steps.push({ act: 'remove', type: 'route', row: route, detail: wholeDetail(routeOf(route)) });
  if (upstream?.managed === true) {
    const others = (await tx.routes.usingUpstream(upstream.id)).filter(({ managed }) => !managed);
    if (others.length > 0) {
      throw usedByRoutes(upstream, others, 'Set --upstream (APIGATE_UPSTREAM_URL) again, or give these routes another upstream first.');
    }
    steps.push({ act: 'remove', type: 'upstream', row: upstream, detail: wholeDetail(upstreamOf(upstream)) });
  }
  return { value: null, steps };
}

function refuseUsersOwn(row: { readonly managed: boolean } | undefined, kind: string): void {
  if (row === undefined || row.managed) return;
  throw new GatewayError('conflict', {
    detail: `--upstream (APIGATE_UPSTREAM_URL) needs the name "${managedName}", but your own ${kind} has it. Rename that ${kind}, or leave --upstream out.`,
  });
}

function checkUrl(context: ControlContext, text: string): void {
  const url = parseBaseUrl(text);
  const problem = url.ok ? (literalProblem(url.value.host) ?? ownListenerProblem(url.value, context.ownListeners())) : url.message;
  if (problem === undefined) return;
  throw new GatewayError('validation_failed', {
    detail: `--upstream (APIGATE_UPSTREAM_URL) is not usable: ${problem}.`,
    errors: [{ field: 'upstream', message: problem }],
  });
}

function literalProblem(host: string): string | undefined {
  const reason = isIP(host) === 0 ? undefined : forbiddenAddress(host);
  return reason === undefined ? undefined : `must not lead to ${host}: that is ${reason}`;
}
