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
        offerExact(search, node);
        offerPrefix(search, node);
      }
    }
    for (let i = cursor.slashes - 1; i >= 0; i--) {
      if ((this.#depths & depthBit(i)) === 0) continue;
      const node = this.#literals.getHashed(cursor.hashes[i]!, path, 0, cursor.positions[i]!);
      if (node !== undefined) offerPrefix(search, node);
    }
  }
}

function depthBit(slashes: number): number {
  return slashes > 30 ? 1 << 31 : 1 << slashes;
}

/**
 * Routes at one path: the best exact and prefix route, and the others of the kind, best first. Nearly always there are none, and
 * among thousands of routes each object less on the way is a wait for memory less.
 */
interface PathNode<R extends RouteConfig> {
  readonly exact: CompiledRoute<R> | null;
  readonly prefix: CompiledRoute<R> | null;
  readonly otherExact: readonly CompiledRoute<R>[];
  readonly otherPrefix: readonly CompiledRoute<R>[];
}

/** Routes with parameters, by segment. */
interface SegmentNode<R extends RouteConfig> extends PathNode<R> {
  readonly literals: PersistentMap<SegmentNode<R>>;
  readonly parameter: SegmentNode<R> | null;
}

const none: readonly never[] = [];
const emptyNode: PathNode<never> = { exact: null, prefix: null, otherExact: none, otherPrefix: none };
const emptySegment: SegmentNode<never> = { ...emptyNode, literals: PersistentMap.empty(), parameter: null };

function offerExact<R extends RouteConfig>(search: RouteSearch<R>, node: PathNode<R>): void {
  if (node.exact !== null && !search.offer(node.exact) && node.otherExact !== none) search.offerAll(node.otherExact);
}

function offerPrefix<R extends RouteConfig>(search: RouteSearch<R>, node: PathNode<R>): void {
  if (node.prefix !== null && !search.offer(node.prefix) && node.otherPrefix !== none) search.offerAll(node.otherPrefix);
}

/** Visits no node of the trie twice, so that its size bounds the work whatever the path is. */
function searchSegments<R extends RouteConfig>(node: SegmentNode<R>, search: RouteSearch<R>, cursor: PathCursor, segment: number): void {
  const start = cursor.segmentStart(segment);
  if (start < 0) {
    offerExact(search, node);
    offerPrefix(search, node);
    return;
  }
  const end = cursor.segmentEnd(segment);
  if (node.literals.size > 0) {
    const child = node.literals.getPart(cursor.path, start, end);
    if (child !== undefined) searchSegments(child, search, cursor, segment + 1);
  }
  if (node.parameter !== null && end > start) searchSegments(node.parameter, search, cursor, segment + 1);
  offerPrefix(search, node);
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
    ? nodeOf(listWith(listOf(node.exact, node.otherExact), route), listOf(node.prefix, node.otherPrefix))
    : nodeOf(listOf(node.exact, node.otherExact), listWith(listOf(node.prefix, node.otherPrefix), route));
}

function nodeWithout<R extends RouteConfig>(node: PathNode<R>, route: CompiledRoute<R>): PathNode<R> {
  return nodeOf(listWithout(listOf(node.exact, node.otherExact), route), listWithout(listOf(node.prefix, node.otherPrefix), route));
}

function isEmptyNode(node: PathNode<RouteConfig>): boolean {
  return node.exact === null && node.prefix === null;
}

function nodeOf<R extends RouteConfig>(exact: readonly CompiledRoute<R>[], prefix: readonly CompiledRoute<R>[]): PathNode<R> {
  return { exact: exact[0] ?? null, prefix: prefix[0] ?? null, otherExact: othersOf(exact), otherPrefix: othersOf(prefix) };
}

function listOf<R extends RouteConfig>(first: CompiledRoute<R> | null, others: readonly CompiledRoute<R>[]): readonly CompiledRoute<R>[] {
  return first === null ? none : [first, ...others];
}

function othersOf<R extends RouteConfig>(list: readonly CompiledRoute<R>[]): readonly CompiledRoute<R>[] {
  return list.length > 1 ? list.slice(1) : none;
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
