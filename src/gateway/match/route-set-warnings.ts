import type { RouteConfig } from '../../model/gateway-config.ts';
import type { RouteId } from '../../model/ids.ts';
import { compileRoute, type CompiledRoute } from './compile-route.ts';
import { CoverIndex } from './cover-index.ts';
import { mostNamed, warningsByItself } from './route-warnings.ts';

/**
 * Pairs of routes that are looked at, at most. Comparing all with all is quadratic; the index below leaves few pairs unless
 * thousands of routes have the same path and host. What is not looked at is not warned of, nothing else.
 */
const mostPairs = 1_000_000;

/**
 * As routeWarnings, for many routes that change at once: what works but will surprise, by the id of a changed route. A pair of
 * changed routes is told once, to the one that is beaten. Every route must have passed checkRoute. Rests in between.
 */
export async function routeSetWarnings(
  all: readonly RouteConfig[],
  changed: ReadonlySet<RouteId>,
  pace: { rest(): Promise<void> },
): Promise<Map<RouteId, string[]>> {
  const compiled: CompiledRoute<RouteConfig>[] = [];
  for (const route of all) {
    if (route.enabled || changed.has(route.id)) compiled.push(compileRoute(route));
    await pace.rest();
  }
  const warnings = new Map(compiled.filter(({ route }) => changed.has(route.id)).map((own) => [own.route.id, warningsByItself(own)]));
  const enabled = compiled.filter(({ route }) => route.enabled);
  const fresh = enabled.filter(({ route }) => changed.has(route.id));
  const budget = { pairs: mostPairs };

  const everyRoute = new CoverIndex(enabled);
  for (const beaten of fresh) {
    await pace.rest();
    const winner = firstOf(everyRoute.winnersOver(beaten, budget));
    if (winner !== undefined) {
      warnings.get(beaten.route.id)?.push(`This route never gets a request: route "${winner.route.name}" always beats it.`);
    }
  }

  const freshRoutes = new CoverIndex(fresh);
  const newlyBeaten = new Map<RouteId, number>();
  for (const beaten of enabled) {
    await pace.rest();
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

function firstOf<T>(items: Iterable<T>): T | undefined {
  for (const item of items) return item;
  return undefined;
}
