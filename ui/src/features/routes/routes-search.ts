import { readListSearch, type ListSearch } from '../../components/use-list-search.ts';
import type { Route } from '../../api/admin-schema.ts';

export const protocols = ['http', 'http_stream', 'sse', 'websocket'] as const satisfies readonly Route['protocol'][];

export const protocolNames: Readonly<Record<Route['protocol'], string>> = {
  http: 'HTTP',
  http_stream: 'HTTP stream',
  sse: 'Server-sent events',
  websocket: 'WebSocket',
};

/** For a badge. */
export const shortProtocolNames: Readonly<Record<Route['protocol'], string>> = {
  http: 'HTTP',
  http_stream: 'Stream',
  sse: 'SSE',
  websocket: 'WebSocket',
};

/** Filters of the list, as they stand in its URL. */
export interface RoutesSearch extends ListSearch {
  /** Id or name of an upstream. */
  readonly upstream?: string;
  readonly protocol?: Route['protocol'];
  readonly access?: 'key' | 'open';
  readonly state?: 'enabled' | 'disabled' | 'warned';
}

export function readRoutesSearch(search: Record<string, unknown>): RoutesSearch {
  const { upstream, protocol, access, state } = search;
  return {
    ...readListSearch(search),
    ...(typeof upstream === 'string' && upstream !== '' ? { upstream } : {}),
    ...(protocols.some((known) => known === protocol) ? { protocol: protocol as Route['protocol'] } : {}),
    ...(access === 'key' || access === 'open' ? { access } : {}),
    ...(state === 'enabled' || state === 'disabled' || state === 'warned' ? { state } : {}),
  };
}

/** The same as the API has it. */
export function orderQueryOf({ q = '', upstream, protocol, access, state }: RoutesSearch) {
  return {
    q,
    ...(upstream === undefined ? {} : { upstream }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(access === undefined ? {} : { auth_required: access === 'key' ? ('true' as const) : ('false' as const) }),
    ...(state === undefined
      ? {}
      : state === 'warned'
        ? { warned: 'true' as const }
        : { enabled: state === 'enabled' ? ('true' as const) : ('false' as const) }),
  };
}
