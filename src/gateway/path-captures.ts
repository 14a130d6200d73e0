import type { RouteConfig } from '../model/gateway-config.ts';
import { compileRegex, type LinearRegex } from './linear-regex.ts';
import { parsePathPattern } from './match/path-pattern.ts';

/**
 * What a route's path pattern captures of a path, as the values of numbered slots. `$1` of a prefix is what follows it,
 * without the slash between; `{id}` and the named groups of an expression have names. Values are as the path is matched:
 * percent-encoded but for unreserved characters.
 */
export class PathCaptures {
  /** `$1` to `$n` are there, in the slots from 0. */
  readonly numbered: number;
  /** Names with their slots. */
  readonly named: ReadonlyMap<string, number>;
  readonly #regex: LinearRegex | null;
  /** For each segment of a pattern, the slot that it fills, or -1. */
  readonly #slots: readonly number[];

  private constructor(numbered: number, named: ReadonlyMap<string, number>, regex: LinearRegex | null, slots: readonly number[]) {
    this.numbered = numbered;
    this.named = named;
    this.#regex = regex;
    this.#slots = slots;
  }

  /** Throws where the pattern itself is wrong. */
  static of(route: Pick<RouteConfig, 'path_pattern' | 'match_type'>): PathCaptures {
    if (route.match_type === 'regex') {
      const regex = compileRegex(route.path_pattern);
      const named = new Map(Object.entries(regex.namedGroups()).map(([name, group]) => [name, group - 1]));
      return new PathCaptures(regex.groupCount(), named, regex, []);
    }
    const pattern = parsePathPattern(route.path_pattern, route.match_type);
    if (typeof pattern === 'string') throw new Error(`path_pattern ${pattern}`);
    const numbered = pattern.type === 'prefix' ? 1 : 0;
    const named = new Map(pattern.parameters.map((name, index) => [name, numbered + index]));
    let next = numbered;
    return new PathCaptures(
      numbered,
      named,
      null,
      pattern.segments.map((segment) => (segment === null ? next++ : -1)),
    );
  }

  /** The value of each slot, for a path that the route has matched. */
  read(path: string): readonly string[] {
    if (this.#regex !== null) return this.#groups(this.#regex, path);
    const values: string[] = Array.from<string>({ length: this.numbered + this.named.size }).fill('');
    let at = 1;
    for (const slot of this.#slots) {
      const slash = path.indexOf('/', at);
      const end = slash < 0 ? path.length : slash;
      if (slot >= 0) values[slot] = path.slice(at, end);
      at = end + 1;
    }
    if (this.numbered === 1) values[0] = path.slice(at);
    return values;
  }

  #groups(regex: LinearRegex, path: string): readonly string[] {
    const matcher = regex.matcher(path);
    const values: string[] = [];
    const found = matcher.find();
    for (let group = 1; group <= this.numbered; group++) values.push(found ? (matcher.group(group) ?? '') : '');
    return values;
  }
}
