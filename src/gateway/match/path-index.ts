import type { RouteConfig } from '../../model/gateway-config.ts';
import { PersistentMap } from '../persistent-map.ts';
import { compareRoutes, type CompiledRoute } from './compile-route.ts';
import type { PathCursor } from './path-cursor.ts';
import type { RouteSearch } from './route-search.ts';

/** All routes of one host by path; immutable, changed by copying the few nodes on the way. */
export class PathIndex<R extends RouteConfig> {
  static readonly #empty = new PathIndex<never>(PersistentMap.empty(), 0, null, []);

  readonly #literals: PersistentMap<PathNode<R>>;
  /** Bit n: some literal path has n slashes (the last bit: or more); others need no lookup. A removal may leave a bit behind. */
  readonly #depths: number;
  readonly #withParameters: SegmentNode<R> | null;
  readonly #regexes: readonly CompiledRoute<R>[];

  private constructor(
    literals: PersistentMap<PathNode<R>>,
    depths: number,
    withParameters: SegmentNode<R> | null,
    regexes: readonly CompiledRoute<R>[],
  ) {
    this.#literals = literals;
    this.#depths = depths;
    this.#withParameters = withParameters;
    this.#regexes = regexes;
  }

  static empty<R extends RouteConfig>(): PathIndex<R> {
    return PathIndex.#empty;
  }

  get isEmpty(): boolean {
    return this.#literals.size === 0 && this.#withParameters === null && this.#regexes.length === 0;
  }

  with(route: CompiledRoute<R>): PathIndex<R> {
    if (route.pathRegex !== null) return new PathIndex(this.#literals, this.#depths, this.#withParameters, listWith(this.#regexes, route));
    if (route.segments !== null) {
      return new PathIndex(this.#literals, this.#depths, segmentWith(this.#withParameters ?? emptySegment, route, 0), this.#regexes);
    }
    const node = nodeWith(this.#literals.get(route.path) ?? emptyNode, route);
    return new PathIndex(this.#literals.set(route.path, node), this.#depths | depthBit(route.depth), this.#withParameters, this.#regexes);
  }

  without(route: CompiledRoute<R>): PathIndex<R> {
    if (route.pathRegex !== null)
      return new PathIndex(this.#literals, this.#depths, this.#withParameters, listWithout(this.#regexes, route));
    if (route.segments !== null) {
      const rest = this.#withParameters === null ? null : segmentWithout(this.#withParameters, route, 0);
      return new PathIndex(this.#literals, this.#depths, rest, this.#regexes);
    }
    const node = nodeWithout(this.#literals.get(route.path) ?? emptyNode, route);
    const literals = isEmptyNode(node) ? this.#literals.delete(route.path) : this.#literals.set(route.path, node);
    return new PathIndex(literals, literals.size === 0 ? 0 : this.#depths, this.#withParameters, this.#regexes);
  }

  /** Offers the search every route whose path matches; the likely winners first, so that the others are soon passed over. */
  search(search: RouteSearch<R>, cursor: PathCursor): void {
    if (this.#literals.size > 0) this.#searchLiterals(search, cursor);
    if (this.#withParameters !== null) searchSegments(this.#withParameters, search, cursor, 0);
    if (this.#regexes.length > 0) search.offerRegexes(this.#regexes, cursor.path);
  }

  #searchLiterals(search: RouteSearch<R>, cursor: PathCursor): void {
    const path = cursor.path;
    if (cursor.complete && (this.#depths & depthBit(cursor.slashes)) !== 0) {
      const node = this.#literals.getHashed(cursor.hash, path, 0, path.length);
      if (node !== undefined) {
        search.offer(node.exact);
        search.offer(node.prefix);
      }
    }
    for (let i = cursor.slashes - 1; i >= 0; i--) {
      if ((this.#depths & depthBit(i)) === 0) continue;
      const node = this.#literals.getHashed(cursor.hashes[i]!, path, 0, cursor.positions[i]!);
      if (node !== undefined) search.offer(node.prefix);
    }
  }
}

function depthBit(slashes: number): number {
  return slashes > 30 ? 1 << 31 : 1 << slashes;
}

/** Routes at one path, each list best first. */
interface PathNode<R extends RouteConfig> {
  readonly exact: readonly CompiledRoute<R>[];
  readonly prefix: readonly CompiledRoute<R>[];
}

/** Routes with parameters, by segment. */
interface SegmentNode<R extends RouteConfig> extends PathNode<R> {
  readonly literals: PersistentMap<SegmentNode<R>>;
  readonly parameter: SegmentNode<R> | null;
}

const emptyNode: PathNode<never> = { exact: [], prefix: [] };
const emptySegment: SegmentNode<never> = { exact: [], prefix: [], literals: PersistentMap.empty(), parameter: null };

/** Visits no node of the trie twice, so that its size bounds the work whatever the path is. */
function searchSegments<R extends RouteConfig>(node: SegmentNode<R>, search: RouteSearch<R>, cursor: PathCursor, segment: number): void {
  const start = cursor.segmentStart(segment);
  if (start < 0) {
    search.offer(node.exact);
    search.offer(node.prefix);
    return;
  }
  const end = cursor.segmentEnd(segment);
  if (node.literals.size > 0) {
    const child = node.literals.getPart(cursor.path, start, end);
    if (child !== undefined) searchSegments(child, search, cursor, segment + 1);
  }
  if (node.parameter !== null && end > start) searchSegments(node.parameter, search, cursor, segment + 1);
  search.offer(node.prefix);
}

function segmentWith<R extends RouteConfig>(node: SegmentNode<R>, route: CompiledRoute<R>, depth: number): SegmentNode<R> {
  const segment = route.segments![depth];
  if (segment === undefined) return { ...node, ...nodeWith(node, route) };
  if (segment === null) return { ...node, parameter: segmentWith(node.parameter ?? emptySegment, route, depth + 1) };
  const child = segmentWith(node.literals.get(segment) ?? emptySegment, route, depth + 1);
  return { ...node, literals: node.literals.set(segment, child) };
}

function segmentWithout<R extends RouteConfig>(node: SegmentNode<R>, route: CompiledRoute<R>, depth: number): SegmentNode<R> | null {
  const segment = route.segments![depth];
  let rest: SegmentNode<R>;
  if (segment === undefined) {
    rest = { ...node, ...nodeWithout(node, route) };
  } else if (segment === null) {
    rest = { ...node, parameter: node.parameter === null ? null : segmentWithout(node.parameter, route, depth + 1) };
  } else {
    const child = node.literals.get(segment);
    const left = child === undefined ? null : segmentWithout(child, route, depth + 1);
    rest = { ...node, literals: left === null ? node.literals.delete(segment) : node.literals.set(segment, left) };
  }
  return isEmptyNode(rest) && rest.literals.size === 0 && rest.parameter === null ? null : rest;
}

function nodeWith<R extends RouteConfig>(node: PathNode<R>, route: CompiledRoute<R>): PathNode<R> {
  return route.pathKind === 'exact'
    ? { exact: listWith(node.exact, route), prefix: node.prefix }
    : { exact: node.exact, prefix: listWith(node.prefix, route) };
}

function nodeWithout<R extends RouteConfig>(node: PathNode<R>, route: CompiledRoute<R>): PathNode<R> {
  return { exact: listWithout(node.exact, route), prefix: listWithout(node.prefix, route) };
}

function isEmptyNode(node: PathNode<RouteConfig>): boolean {
  return node.exact.length === 0 && node.prefix.length === 0;
}

function listWith<R extends RouteConfig>(list: readonly CompiledRoute<R>[], route: CompiledRoute<R>): CompiledRoute<R>[] {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareRoutes(list[middle]!, route) < 0) low = middle + 1;
    else high = middle;
  }
  return list.toSpliced(low, 0, route);
}

function listWithout<R extends RouteConfig>(list: readonly CompiledRoute<R>[], route: CompiledRoute<R>): readonly CompiledRoute<R>[] {
  const index = list.indexOf(route);
  return index < 0 ? list : list.toSpliced(index, 1);
}
