import type { RouteConfig } from '../../model/gateway-config.ts';
import type { RouteId } from '../../model/ids.ts';
import { compareRoutes, compileRoute, type CompiledRoute } from './compile-route.ts';
import { covers, mostNamed, segmentsOf, warningsByItself } from './route-warnings.ts';

type Compiled = CompiledRoute<RouteConfig>;

/**
 * Pairs of routes that are looked at, at most. Comparing all with all is quadratic; the index below leaves few pairs unless
 * thousands of routes have the same path and host. What is not looked at is not warned of, nothing else.
 */
const mostPairs = 1_000_000;

/**
 * As routeWarnings, for many routes that change at once: what works but will surprise, by the id of a changed route. A pair of
 * changed routes is told once, to the one that is beaten. Every route must have passed checkRoute.
 */
export function routeSetWarnings(all: readonly RouteConfig[], changed: ReadonlySet<RouteId>): Map<RouteId, string[]> {
  const compiled = all.filter(({ id, enabled }) => enabled || changed.has(id)).map((route) => compileRoute(route));
  const warnings = new Map(compiled.filter(({ route }) => changed.has(route.id)).map((own) => [own.route.id, warningsByItself(own)]));
  const enabled = compiled.filter(({ route }) => route.enabled);
  const fresh = enabled.filter(({ route }) => changed.has(route.id));
  const budget = { pairs: mostPairs };

  const everyRoute = new CoverIndex(enabled);
  for (const beaten of fresh) {
    const winner = firstOf(everyRoute.winnersOver(beaten, budget));
    if (winner !== undefined) {
      warnings.get(beaten.route.id)?.push(`This route never gets a request: route "${winner.route.name}" always beats it.`);
    }
  }

  const freshRoutes = new CoverIndex(fresh);
  const newlyBeaten = new Map<RouteId, number>();
  for (const beaten of enabled) {
    if (changed.has(beaten.route.id)) continue;
    const winner = firstOf(freshRoutes.winnersOver(beaten, budget));
    if (winner === undefined) continue;
    const count = (newlyBeaten.get(winner.route.id) ?? 0) + 1;
    newlyBeaten.set(winner.route.id, count);
    if (count <= mostNamed) {
      warnings.get(winner.route.id)?.push(`Route "${beaten.route.name}" never gets a request any more: this one always beats it.`);
    }
  }
  for (const [id, count] of newlyBeaten) {
    if (count > mostNamed) warnings.get(id)?.push(`${count - mostNamed} more routes never get a request any more for the same reason.`);
  }
  return warnings;
}

interface Place {
  readonly literals: Map<string, Place>;
  parameter: Place | undefined;
  readonly prefixes: HostGroups;
  readonly exacts: HostGroups;
}

/** By host: `any`, `exact:HOST`, `wildcard:HOST`, `regex:SOURCE`; and all regexes again as `regex`. */
type HostGroups = Map<string, Compiled[]>;

/** Finds the routes whose path and host could cover another's without a look at all of them. */
class CoverIndex {
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

function firstOf<T>(items: Iterable<T>): T | undefined {
  for (const item of items) return item;
  return undefined;
}
