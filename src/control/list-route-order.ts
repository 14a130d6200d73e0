import { GatewayError } from '../errors/gateway-error.ts';
import type { RouteConfig } from '../model/gateway-config.ts';
import type { PlacedRoute } from '../model/route-order.ts';
import type { StoreReader } from '../store/store.ts';
import type { ControlContext, OrderedRoute, Page } from './control-context.ts';
import { lookUp } from './find-resource.ts';
import { routeOf } from './routes.ts';

export interface RouteOrderQuery {
  /** 1 to 500; 100 when not given. */
  readonly limit?: number;
  readonly cursor?: string;
  /** Part of the name, the path pattern or the host pattern, in any case. */
  readonly q?: string;
  readonly enabled?: boolean;
  readonly auth_required?: boolean;
  readonly protocol?: RouteConfig['protocol'];
  /** Id or name. */
  readonly upstream?: string;
  /** Only routes with warnings, or only those without. */
  readonly warned?: boolean;
}

/** Routes that one always beats are named up to this many. */
const mostNamed = 5;

/**
 * Routes in the order in which the gateway prefers them, with what shadows what. Places count all enabled routes, whatever the
 * query leaves out.
 * @throws GatewayError `validation_failed` for the cursor or an unknown upstream, `storage_unavailable`
 */
export async function listRouteOrder(context: ControlContext, query: RouteOrderQuery): Promise<Page<PlacedRoute>> {
  return await context.store.read(async (tx) => {
    const order = context.trialCompiler.order(await context.routeTable.all(tx));
    const { places, beats } = relationsOf(order);
    const fits = await filterOf(tx, query);
    const fitting = order.filter(fits);
    const from = query.cursor === undefined ? 0 : placeAfter(fitting, query.cursor);
    const limit = query.limit ?? 100;
    const data: PlacedRoute[] = [];
    for (const { route, beatenBy, warnings } of fitting.slice(from, from + limit)) {
      const row = await tx.routes.get(route.id);
      // Routes and their order are of the same state: a read sees one.
      if (row === undefined) continue;
      const beaten = beats.get(route.id) ?? [];
      data.push({
        position: places.get(route.id) ?? null,
        route: routeOf(row),
        upstream: (await tx.upstreams.get(row.upstream_id))?.name ?? row.upstream_id,
        beaten_by: beatenBy === null ? null : { id: beatenBy.id, name: beatenBy.name },
        beats: beaten.slice(0, mostNamed).map(({ id, name }) => ({ id, name })),
        beats_count: beaten.length,
        warnings: [...warnings, ...(beatenBy === null ? [] : [`Never gets a request: route "${beatenBy.name}" always beats it.`])],
      });
    }
    const last = data.at(-1);
    const more = fitting.length > from + limit;
    return { data, total: fitting.length, next_cursor: more && last !== undefined ? cursorOf(from + limit, last.route.id) : null };
  });
}

interface Relations {
  readonly places: ReadonlyMap<string, number>;
  readonly beats: ReadonlyMap<string, readonly RouteConfig[]>;
}

const known = new WeakMap<readonly OrderedRoute[], Relations>();

function relationsOf(order: readonly OrderedRoute[]): Relations {
  let relations = known.get(order);
  if (relations === undefined) {
    const enabled = order.filter(({ route }) => route.enabled);
    const beats = Map.groupBy(
      order.filter(({ beatenBy }) => beatenBy !== null),
      ({ beatenBy }) => beatenBy!.id as string,
    );
    relations = {
      places: new Map(enabled.map(({ route }, index) => [route.id, index + 1])),
      beats: new Map([...beats].map(([id, beaten]) => [id, beaten.map(({ route }) => route)])),
    };
    known.set(order, relations);
  }
  return relations;
}

async function filterOf(tx: StoreReader, query: RouteOrderQuery): Promise<(ordered: OrderedRoute) => boolean> {
  const { q = '', enabled, auth_required, protocol, warned } = query;
  const text = q.toLowerCase();
  const upstream = query.upstream === undefined ? undefined : await lookUp(tx.upstreams, query.upstream);
  if (query.upstream !== undefined && upstream === undefined) {
    throw new GatewayError('validation_failed', {
      errors: [{ field: 'upstream', message: 'is neither the id nor the name of an upstream' }],
    });
  }
  return ({ route, beatenBy, warnings }) =>
    (enabled === undefined || route.enabled === enabled) &&
    (auth_required === undefined || route.auth_required === auth_required) &&
    (protocol === undefined || route.protocol === protocol) &&
    (upstream === undefined || route.upstream_id === upstream.id) &&
    (warned === undefined || (warnings.length > 0 || beatenBy !== null) === warned) &&
    (text === '' || [route.name, route.path_pattern, route.host_pattern].some((field) => field.toLowerCase().includes(text)));
}

/** Behind the last route shown; where that is gone by now, behind as many as were shown. */
function cursorOf(shown: number, id: string): string {
  return Buffer.from(`${shown} ${id}`).toString('base64url');
}

function placeAfter(fitting: readonly OrderedRoute[], cursor: string): number {
  const [, shown, id] = /^(\d{1,9}) (\S+)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (shown === undefined) {
    throw new GatewayError('validation_failed', { errors: [{ field: 'cursor', message: 'leads nowhere; begin again without it' }] });
  }
  const place = fitting.findIndex(({ route }) => route.id === id);
  return place < 0 ? Number(shown) : place + 1;
}
