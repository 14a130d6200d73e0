import { useQuery } from '@tanstack/react-query';
import type { Listener } from '../api/admin-schema.ts';
import { settingsQuery } from '../api/settings-query.ts';

/** What to put before a path so that a client's request comes to the proxied APIs: `http://localhost:8080`. */
export function useClientOrigin(): string {
  const { data } = useQuery(settingsQuery);
  return data === undefined ? location.origin : clientOriginOf(data.listeners, location);
}

/**
 * Where the page itself was had clients are served too, unless the admin API has a listener of its own. Its origin is then known to
 * work from here, whatever proxy or port mapping lies before the gateway.
 */
export function clientOriginOf(listeners: readonly Listener[], page: Pick<Location, 'origin' | 'hostname'>): string {
  const traffic = listeners.find(({ planes }) => planes.includes('traffic'));
  if (traffic === undefined || traffic.planes.includes('admin')) return page.origin;
  const { scheme, host, port } = traffic;
  const isEverywhere = host === '0.0.0.0' || host === '::' || host === '';
  const name = isEverywhere ? page.hostname : host.includes(':') ? `[${host}]` : host;
  // The URL parser leaves out the port that goes without saying.
  return new URL(`${scheme}://${name}:${port}`).origin;
}
