import type { RouteConfig } from '../../model/gateway-config.ts';
import { emptyRouteTable } from '../match/route-table.ts';
import type { SurveyedTables } from './survey-routes.ts';

const known = new WeakMap<readonly RouteConfig[], SurveyedTables>();

/** The routes of a gateway config, ready to be asked; those of the same list are compiled once. */
export function compiledTables(routes: readonly RouteConfig[]): SurveyedTables {
  let tables = known.get(routes);
  if (tables === undefined) {
    const disabled = routes.filter(({ enabled }) => !enabled).map((route) => ({ ...route, enabled: true }));
    const table = emptyRouteTable<RouteConfig>();
    tables = { enabled: table.with(routes), disabled: table.with(disabled) };
    known.set(routes, tables);
  }
  return tables;
}
