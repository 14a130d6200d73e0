import type { RouteConfig } from '../../model/gateway-config.ts';
import type { CompiledRoute } from './compile-route.ts';

/** Whether a route takes requests for that host (as in MatchRequest), as the table's lookup by host has it. */
export function takesHost({ hostKind, host: key, hostRegex }: CompiledRoute<RouteConfig>, host: string): boolean {
  switch (hostKind) {
    case 'any':
      return true;
    case 'exact':
      return host === key;
    case 'wildcard': {
      const dot = host.indexOf('.');
      return dot > 0 && host.slice(dot + 1) === key;
    }
    case 'regex':
      return hostRegex!.testExact(host);
  }
}
