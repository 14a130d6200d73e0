import type { RouteConfig } from '../../model/gateway-config.ts';
import type { RecordedTakers } from '../../model/explanation.ts';
import type { RecordedRequest } from '../../model/finished-request.ts';
import { compareRoutes } from '../match/compile-route.ts';
import { methodBit } from '../match/method-bits.ts';
import { takesMethod } from '../match/route-search.ts';
import { normalisePath } from '../normalise-path.ts';
import { compiledTables } from './compiled-tables.ts';

/** Which of these routes may take a recorded request, by the data plane's own matchers; null where its path is refused before that. */
export function recordedTakers(
  routes: readonly RouteConfig[],
  { method, host, path: rawPath }: Pick<RecordedRequest, 'method' | 'host' | 'path'>,
): RecordedTakers | null {
  const path = normalisePath(rawPath === '' ? '/' : rawPath);
  if (path === null) return null;
  const fitting = compiledTables(routes)
    .enabled.fitting({ method, host, path, header: () => undefined })
    .toSorted(compareRoutes);
  const bit = methodBit(method);
  const taking = fitting.filter((compiled) => takesMethod(compiled, method, bit));
  const sure = taking.findIndex(({ headers }) => headers.length === 0);
  return {
    routes: (sure < 0 ? taking : taking.slice(0, sure + 1)).map(({ route }) => route),
    takesOtherMethods: fitting.length > taking.length,
    preflighted: method === 'OPTIONS' ? fitting.flatMap(({ route }) => (route.cors === null ? [] : [route])) : [],
  };
}
