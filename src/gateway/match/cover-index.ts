import type { RouteConfig } from '../../model/gateway-config.ts';
import { compareRoutes, type CompiledRoute } from './compile-route.ts';
import { covers, segmentsOf } from './route-warnings.ts';

type Compiled = CompiledRoute<RouteConfig>;

/** Finds the routes whose path and host could cover another's without a look at all of them. */
export class CoverIndex {
  readonly #root = newPlace();
  readonly #regexPaths: Compiled[] = [];

  constructor(routes: readonly Compiled[]) {
    for (const route of routes) {
      if (route.pathKind === 'regex') {
        this.#regexPaths.push(route);
        continue;
      }
      let at = this.#root;
      for (const segment of segmentsOf(route)) at = childFor(at, segment);
      addTo(route.pathKind === 'exact' ? at.exacts : at.prefixes, route);
    }
  }

  *winnersOver(beaten: Compiled, budget: { pairs: number }): Generator<Compiled> {
    for (const candidate of this.#candidates(beaten)) {
      if ((budget.pairs -= 1) < 0) return;
      if (candidate.route.id !== beaten.route.id && compareRoutes(candidate, beaten) < 0 && covers(candidate, beaten)) yield candidate;
    }
  }

  *#candidates(beaten: Compiled): Generator<Compiled> {
    if (beaten.pathKind === 'regex') {
      yield* routesOfHost(this.#root.prefixes, beaten);
    } else {
      const segments = segmentsOf(beaten);
      let places = [this.#root];
      for (const segment of segments) {
        for (const { prefixes } of places) yield* routesOfHost(prefixes, beaten);
        places = places.flatMap((place) =>
          [segment === null ? undefined : place.literals.get(segment), place.parameter].filter((next) => next !== undefined),
        );
      }
      for (const { prefixes, exacts } of places) {
        yield* routesOfHost(prefixes, beaten);
        if (beaten.pathKind === 'exact') yield* routesOfHost(exacts, beaten);
      }
    }
    if (beaten.pathKind !== 'prefix') yield* this.#regexPaths;
  }
}

interface Place {
  readonly literals: Map<string, Place>;
  parameter: Place | undefined;
  readonly prefixes: HostGroups;
  readonly exacts: HostGroups;
}

/** By host: `any`, `exact:HOST`, `wildcard:HOST`, `regex:SOURCE`; and all regexes again as `regex`. */
type HostGroups = Map<string, Compiled[]>;

function* routesOfHost(groups: HostGroups, { hostKind, host }: Compiled): Generator<Compiled> {
  yield* groups.get('any') ?? [];
  if (hostKind === 'any') return;
  yield* groups.get(`${hostKind}:${host}`) ?? [];
  if (hostKind !== 'exact') return;
  yield* groups.get(`wildcard:${host.slice(host.indexOf('.') + 1)}`) ?? [];
  yield* groups.get('regex') ?? [];
}

function addTo(groups: HostGroups, route: Compiled): void {
  const keys = route.hostKind === 'any' ? ['any'] : [`${route.hostKind}:${route.host}`];
  if (route.hostKind === 'regex') keys.push('regex');
  for (const key of keys) {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [route]);
    else group.push(route);
  }
}

function childFor(place: Place, segment: string | null): Place {
  if (segment === null) return (place.parameter ??= newPlace());
  let next = place.literals.get(segment);
  if (next === undefined) place.literals.set(segment, (next = newPlace()));
  return next;
}

function newPlace(): Place {
  return { literals: new Map(), parameter: undefined, prefixes: new Map(), exacts: new Map() };
}
