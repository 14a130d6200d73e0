import type { RouteConfig } from '../../model/gateway-config.ts';
import type { CompiledRoute } from './compile-route.ts';
import { RouteSearch } from './route-search.ts';

/** A search that looks for no winner: it gathers every route whose host and path match. */
export class RouteCollector<R extends RouteConfig> extends RouteSearch<R> {
  readonly found: CompiledRoute<R>[] = [];
  /** Expressions of paths that may still be tried. */
  #regexesLeft: number;

  constructor(mostRegexes = Number.POSITIVE_INFINITY) {
    super();
    this.#regexesLeft = mostRegexes;
  }

  override offer(route: CompiledRoute<R>): boolean {
    this.found.push(route);
    return false;
  }

  override offerRegexes(routes: readonly CompiledRoute<R>[], path: string): void {
    for (const route of routes) {
      if (this.#regexesLeft-- <= 0) return;
      if (route.pathRegex!.test(path)) this.found.push(route);
    }
  }
}
