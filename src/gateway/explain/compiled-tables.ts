import type { RouteConfig } from '../../model/gateway-config.ts';
import { emptyRouteTable } from '../match/route-table.ts';
import type { SurveyedTables } from './survey-routes.ts';

const known = new WeakMap<readonly RouteConfig[], SurveyedTables>();

/** At once: a few milliseconds. */
const slice = 200;

/** Compiles routes ahead, for the next calls with the same list; lets others run in between. */
export async function compileTables(routes: readonly RouteConfig[], pace: { rest(): Promise<void> }): Promise<void> {
  if (known.has(routes)) return;
  let enabled = emptyRouteTable<RouteConfig>();
  let disabled = enabled;
  for (let at = 0; at < routes.length; at += slice) {
    const some = routes.slice(at, at + slice);
    enabled = enabled.with(some);
    disabled = disabled.with(asEnabled(some));
    await pace.rest();
  }
  known.set(routes, { enabled, disabled });
}

/** The routes of a gateway config, ready to be asked; those of the same list are compiled once. */
export function compiledTables(routes: readonly RouteConfig[]): SurveyedTables {
  let tables = known.get(routes);
  if (tables === undefined) {
    const table = emptyRouteTable<RouteConfig>();
    tables = { enabled: table.with(routes), disabled: table.with(asEnabled(routes)) };
    known.set(routes, tables);
  }
  return tables;
}

function asEnabled(routes: readonly RouteConfig[]): RouteConfig[] {
  return routes.filter(({ enabled }) => !enabled).map((route) => ({ ...route, enabled: true }));
}
