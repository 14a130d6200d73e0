import { tieWords } from '../../model/explanation.ts';
import type { RouteConfig } from '../../model/gateway-config.ts';
import type { CompiledRoute, HostKind } from './compile-route.ts';

/**
 * Why compareRoutes puts `first` before `second`, in words about the second one: the criterion that decides, and how the two
 * stand by it. Of two routes that are not in this order it says nothing sensible.
 */
export function preferenceInWords(first: CompiledRoute<RouteConfig>, second: CompiledRoute<RouteConfig>): string {
  const [a, b] = [first.route, second.route];
  if (a.managed !== b.managed) return 'the route of --upstream is always the last choice';
  if (a.priority !== b.priority) return `its priority is lower (${b.priority}, not ${a.priority})`;
  if (first.hostKind !== second.hostKind)
    return `its host is less specific (${hostWords[second.hostKind]}, not ${hostWords[first.hostKind]})`;
  if (first.pathKind !== second.pathKind) return `its path is less specific (${b.match_type}, not ${a.match_type})`;
  if (first.depth !== second.depth) return `its path has fewer segments (${second.depth}, not ${first.depth})`;
  if (first.weight !== second.weight) return `its path is shorter (${second.weight} characters, not ${first.weight})`;
  return tieWords;
}

const hostWords: Readonly<Record<HostKind, string>> = {
  exact: 'one host',
  wildcard: 'a wildcard',
  regex: 'an expression',
  any: 'any host',
};
