import { queryOptions, useQuery } from '@tanstack/react-query';
import type { Route, Traffic, Upstream } from '../../api/admin-schema.ts';
import { callApi, readApi } from '../../api/call-api.ts';
import { listKey } from '../../api/query-client.ts';
import { useLive } from '../../api/use-live.ts';
import { useOne } from '../../api/use-one.ts';

export type TrafficWindow = Traffic['window'];
export const trafficWindows = ['5m', '15m', '1h', '6h'] as const satisfies readonly TrafficWindow[];

/** The live stream tells of changes; this is for when it cannot be had. */
const slowPoll = 30_000;
/** The longest page that the API gives. */
const limit = '500';

interface AnyPage<One> {
  readonly data: readonly One[];
  readonly next_cursor: string | null;
}

/** Every upstream, in order of name: a list that is searched and sorted by health has to know them all. */
export const allUpstreamsQuery = queryOptions({
  queryKey: listKey('upstreams', { all: true }),
  queryFn: ({ signal }) => allPages<Upstream>((cursor) => readApi('/admin/upstreams', { query: { limit, cursor } }, signal)),
  refetchInterval: slowPoll,
});

/** Every route by the id of its upstream. */
export const routesByUpstreamQuery = queryOptions({
  queryKey: listKey('routes', { all: true }),
  queryFn: ({ signal }) => allPages<Route>((cursor) => readApi('/admin/routes', { query: { limit, cursor } }, signal)),
  select: byUpstream,
  refetchInterval: slowPoll,
});

/** All traffic of the last five minutes; `useTraffic` keeps it up to date. */
export const trafficQuery = queryOptions({
  queryKey: listKey('traffic', { window: '5m' }),
  queryFn: ({ signal }) => readApi('/admin/traffic', { query: { window: '5m' } }, signal),
});

export function useTraffic() {
  const { refetchInterval } = useLive();
  return useQuery({ ...trafficQuery, refetchInterval });
}

/** The traffic of one upstream; `useUpstreamTraffic` keeps it up to date. */
export function upstreamTrafficQuery(id: string, window: TrafficWindow) {
  return queryOptions({
    queryKey: ['traffic', 'one', id, window],
    queryFn: ({ signal }) => readApi('/admin/upstreams/:id/traffic', { param: { id }, query: { window } }, signal),
  });
}

export function useUpstreamTraffic(id: string, window: TrafficWindow) {
  const { refetchInterval } = useLive();
  return useQuery({ ...upstreamTrafficQuery(id, window), refetchInterval, placeholderData: (before) => before });
}

/** One upstream with its ETag. */
export function useUpstream(id: string) {
  return useOne('upstreams', id, (id, signal) => callApi('get', '/admin/upstreams/:id', { param: { id } }, { signal }));
}

async function allPages<One>(read: (cursor: string) => Promise<AnyPage<One>>): Promise<One[]> {
  const found: One[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: AnyPage<One> = await read(cursor);
    found.push(...page.data);
    cursor = page.next_cursor;
  }
  return found;
}

function byUpstream(routes: readonly Route[]): ReadonlyMap<string, readonly Route[]> {
  return Map.groupBy(routes, ({ upstream_id }) => upstream_id);
}
