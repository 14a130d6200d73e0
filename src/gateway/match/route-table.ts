import type { RouteConfig } from '../../model/gateway-config.ts';
import type { RouteId } from '../../model/ids.ts';
import { PersistentMap } from '../persistent-map.ts';
import { compareRoutes, compileRoute, type CompiledRoute } from './compile-route.ts';
import type { LinearRegex } from '../linear-regex.ts';
import { methodsOfBits } from './method-bits.ts';
import { PathCursor } from './path-cursor.ts';
import { PathIndex } from './path-index.ts';
import { RouteCollector } from './route-collector.ts';
import { RouteSearch, type MatchRequest } from './route-search.ts';

/** A table without routes. */
export function emptyRouteTable<R extends RouteConfig>(): RouteTable<R> {
  return RouteTable.empty<R>();
}

/**
 * All enabled routes of a snapshot; immutable. Finding the winner for a request takes one pass over its path and a lookup for
 * each of its segments, however many exact and prefix routes there are; only routes and hosts by regular expression are tried
 * one after the other, and only while they could still win.
 */
export class RouteTable<R extends RouteConfig> {
  readonly #byId: PersistentMap<CompiledRoute<R>>;
  readonly #hosts: HostIndexes<R>;
  /** Most slashes of any pattern; may be too high after a removal, which costs a little and changes nothing. */
  readonly #maxDepth: number;

  private constructor(byId: PersistentMap<CompiledRoute<R>>, hosts: HostIndexes<R>, maxDepth: number) {
    this.#byId = byId;
    this.#hosts = hosts;
    this.#maxDepth = maxDepth;
  }

  static empty<R extends RouteConfig>(): RouteTable<R> {
    const hosts = {
      exact: PersistentMap.empty<PathIndex<R>>(),
      wildcard: PersistentMap.empty<PathIndex<R>>(),
      regex: [],
      any: PathIndex.empty<R>(),
    };
    return new RouteTable<R>(PersistentMap.empty(), hosts, 0);
  }

  /**
   * The table after a change: `put` are new or replaced whole, by id. Disabled routes are left out. The work is in proportion
   * to the change. Throws on a route that `checkRoute` refuses.
   */
  with(put: readonly R[], removed: readonly RouteId[] = []): RouteTable<R> {
    let byId = this.#byId;
    let hosts = this.#hosts;
    let maxDepth = this.#maxDepth;
    const remove = (id: RouteId): void => {
      const known = byId.get(id);
      if (known === undefined) return;
      byId = byId.delete(id);
      hosts = changeHost(hosts, known, (paths) => paths.without(known));
    };
    for (const id of removed) remove(id);
    for (const route of put) {
      remove(route.id);
      if (!route.enabled) continue;
      const compiled = compileRoute(route);
      byId = byId.set(route.id, compiled);
      hosts = changeHost(hosts, compiled, (paths) => paths.with(compiled));
      maxDepth = Math.max(maxDepth, compiled.depth);
    }
    return new RouteTable(byId, hosts, maxDepth);
  }

  /** Enabled routes. */
  get size(): number {
    return this.#byId.size;
  }

  get(id: RouteId): R | undefined {
    return this.#byId.get(id)?.route;
  }

  /** The winner among the routes whose host, method, path and headers match; null when there is none. */
  match(request: MatchRequest): R | null {
    const search = sharedSearch as RouteSearch<R>;
    search.begin(request);
    this.#search(search, request);
    const winner = search.best;
    search.end();
    return winner === null ? null : winner.route;
  }

  /**
   * As `match`, for a preflight: `request` is the one that it asks for, as far as that is known. Of the headers that it will have
   * only the names are told (`announced`, in lower case); a condition on one of them is taken to hold.
   */
  matchPreflight(request: MatchRequest, announced: ReadonlySet<string>): R | null {
    const search = sharedSearch as RouteSearch<R>;
    search.begin(request);
    search.announced = announced;
    this.#search(search, request);
    const winner = search.best;
    search.end();
    return winner === null ? null : winner.route;
  }

  /** For a request without a match: the methods it could have come with, for `Allow`. Empty means there is no route at all. */
  allowedMethods(request: MatchRequest): readonly string[] {
    const search = sharedSearch as RouteSearch<R>;
    const allowed = { bits: 0, others: new Set<string>() };
    search.begin(request);
    search.allowed = allowed;
    this.#search(search, request);
    search.end();
    return [...methodsOfBits(allowed.bits), ...[...allowed.others].toSorted()];
  }

  /** Every route whose host and path match, as `match` finds them, in no order. Passes none over: for people, not for requests. */
  fitting(request: MatchRequest): readonly CompiledRoute<R>[] {
    const collector = new RouteCollector<R>();
    this.#search(collector, request);
    return collector.found;
  }

  /**
   * Every route whose path matches, whatever its host, in no order. Of the expressions among them only some thousand are tried.
   * For people, not for requests.
   */
  fittingPath(path: string): readonly CompiledRoute<R>[] {
    const collector = new RouteCollector<R>(2_000);
    const cursor = new PathCursor();
    cursor.read(path, this.#maxDepth);
    const { exact, wildcard, regex, any } = this.#hosts;
    for (const [, paths] of exact.entries()) paths.search(collector, cursor);
    for (const [, paths] of wildcard.entries()) paths.search(collector, cursor);
    for (const { paths } of regex) paths.search(collector, cursor);
    any.search(collector, cursor);
    return collector.found;
  }

  /** All enabled routes, ready to be matched, in no order. */
  *compiled(): Generator<CompiledRoute<R>> {
    for (const [, compiled] of this.#byId.entries()) yield compiled;
  }

  /** All enabled routes, in the order in which they are preferred. Costs a sort: for people, not for requests. */
  inOrder(): R[] {
    return [...this.#byId.entries()]
      .map(([, compiled]) => compiled)
      .toSorted(compareRoutes)
      .map((compiled) => compiled.route);
  }

  #search(search: RouteSearch<R>, request: MatchRequest): void {
    const cursor = sharedCursor;
    cursor.read(request.path, this.#maxDepth);
    const hosts = this.#hosts;
    const host = request.host;
    if (hosts.exact.size > 0) hosts.exact.get(host)?.search(search, cursor);
    if (hosts.wildcard.size > 0) {
      const dot = host.indexOf('.');
      if (dot > 0) hosts.wildcard.getPart(host, dot + 1, host.length)?.search(search, cursor);
    }
    for (let i = 0; i < hosts.regex.length; i++) {
      const { regex, paths } = hosts.regex[i]!;
      // A host is compared whole: an expression that forgets its anchors must not let evil-example.com.attacker.net in.
      if (regex.testExact(host)) paths.search(search, cursor);
    }
    hosts.any.search(search, cursor);
  }
}

// Matching is synchronous and never re-entered, so that one of each does for all tables of a thread.
const sharedCursor = new PathCursor();
const sharedSearch: RouteSearch<RouteConfig> = new RouteSearch<RouteConfig>();

interface HostIndexes<R extends RouteConfig> {
  readonly exact: PersistentMap<PathIndex<R>>;
  /** By what follows the first label. */
  readonly wildcard: PersistentMap<PathIndex<R>>;
  readonly regex: readonly { readonly source: string; readonly regex: LinearRegex; readonly paths: PathIndex<R> }[];
  readonly any: PathIndex<R>;
}

function changeHost<R extends RouteConfig>(
  hosts: HostIndexes<R>,
  route: CompiledRoute<R>,
  change: (paths: PathIndex<R>) => PathIndex<R>,
): HostIndexes<R> {
  switch (route.hostKind) {
    case 'any':
      return { ...hosts, any: change(hosts.any) };
    case 'exact':
      return { ...hosts, exact: changeIndex(hosts.exact, route.host, change) };
    case 'wildcard':
      return { ...hosts, wildcard: changeIndex(hosts.wildcard, route.host, change) };
    case 'regex': {
      const index = hosts.regex.findIndex(({ source }) => source === route.host);
      const before = index < 0 ? PathIndex.empty<R>() : hosts.regex[index]!.paths;
      const paths = change(before);
      const rest = index < 0 ? [...hosts.regex] : hosts.regex.toSpliced(index, 1);
      return { ...hosts, regex: paths.isEmpty ? rest : [...rest, { source: route.host, regex: route.hostRegex!, paths }] };
    }
  }
}

function changeIndex<R extends RouteConfig>(
  indexes: PersistentMap<PathIndex<R>>,
  key: string,
  change: (paths: PathIndex<R>) => PathIndex<R>,
): PersistentMap<PathIndex<R>> {
  const paths = change(indexes.get(key) ?? PathIndex.empty<R>());
  return paths.isEmpty ? indexes.delete(key) : indexes.set(key, paths);
}
