import type { RouteConfig } from '../../model/gateway-config.ts';
import { compareRoutes, type CompiledHeader, type CompiledRoute } from './compile-route.ts';
import { methodBit } from './method-bits.ts';

/** What matching asks of a request. */
export interface MatchRequest {
  readonly method: string;
  /** In lower case, without port, brackets and trailing dot; '' when the request has none. */
  readonly host: string;
  /** The view that normalisePath makes of the raw path. */
  readonly path: string;
  /** Value of a header by its lower-case name. */
  header(lowerCaseName: string): string | undefined;
}

/** The best route so far for one request. One object per thread, reused: matching makes no garbage. */
export class RouteSearch<R extends RouteConfig> {
  best: CompiledRoute<R> | null = null;
  /** When not null, methods of the routes that match but for the method are gathered instead of a winner. */
  allowed: { bits: number; others: Set<string> } | null = null;
  /** When not null, the headers that are only announced by a preflight: conditions on them hold. */
  announced: ReadonlySet<string> | null = null;
  #request: MatchRequest | null = null;
  #methodBit = 0;

  begin(request: MatchRequest): void {
    this.#request = request;
    this.#methodBit = methodBit(request.method);
    this.best = null;
    this.allowed = null;
    this.announced = null;
  }

  /** Keeps no reference to the request. */
  end(): void {
    this.#request = null;
    this.best = null;
    this.allowed = null;
    this.announced = null;
  }

  /** A route whose host and path match. True when routes that come behind it in the order cannot win any more. */
  offer(route: CompiledRoute<R>): boolean {
    return (this.best !== null && compareRoutes(this.best, route) < 0) || this.#take(route);
  }

  /** Routes whose host and path match, best first. */
  offerAll(routes: readonly CompiledRoute<R>[]): void {
    for (let i = 0; i < routes.length; i++) if (this.offer(routes[i]!)) return;
  }

  /** Routes whose host matches, best first; their expressions are evaluated only where they could win. */
  offerRegexes(routes: readonly CompiledRoute<R>[], path: string): void {
    for (let i = 0; i < routes.length; i++) {
      const route = routes[i]!;
      if (this.best !== null && compareRoutes(this.best, route) < 0) return;
      if (this.allowed === null && !this.#hasMethod(route)) continue;
      if (route.pathRegex!.test(path) && this.#take(route)) return;
    }
  }

  #take(route: CompiledRoute<R>): boolean {
    if (this.allowed !== null) {
      if (this.#hasHeaders(route.headers)) {
        this.allowed.bits |= route.methodBits;
        for (const method of route.otherMethods) this.allowed.others.add(method);
      }
      return false;
    }
    if (!this.#hasMethod(route) || !this.#hasHeaders(route.headers)) return false;
    this.best = route;
    return true;
  }

  #hasMethod(route: CompiledRoute<R>): boolean {
    return route.methodBits === -1 || takesMethod(route, this.#request!.method, this.#methodBit);
  }

  #hasHeaders(conditions: readonly CompiledHeader[]): boolean {
    for (let i = 0; i < conditions.length; i++) {
      const condition = conditions[i]!;
      if (this.announced?.has(condition.name) === true) continue;
      if (!conditionHolds(condition, this.#request!.header(condition.name))) return false;
    }
    return true;
  }
}

/** Whether a route takes requests of that method; `bit` is its methodBit. */
export function takesMethod(route: CompiledRoute<RouteConfig>, method: string, bit: number): boolean {
  if (route.methodBits === -1) return true;
  return bit === 0 ? route.otherMethods.includes(method) : (route.methodBits & bit) !== 0;
}

/** Whether a condition holds for a request whose header has that value; undefined where it has none of that name. */
export function conditionHolds(condition: CompiledHeader, value: string | undefined): boolean {
  if (value === undefined) return !condition.required;
  return condition.regex === null ? value === condition.value : condition.regex.test(value);
}
