import type { TransformCondition } from '../../model/transformation.ts';
import { compileRegex, type LinearRegex } from '../linear-regex.ts';

/** A condition, ready to be evaluated. What is not asked for is empty or null. */
export interface CompiledCondition {
  readonly methods: readonly string[];
  readonly path: LinearRegex | null;
  /** Lower-case names. */
  readonly present: readonly string[];
  readonly equal: readonly { readonly name: string; readonly value: string }[];
  /** First and last status of each range. */
  readonly statuses: readonly (readonly [number, number])[];
}

/** The message that conditions are evaluated on, as it came in. */
export interface ConditionSubject {
  readonly method: string;
  readonly path: string;
  /** 0 for a request. */
  readonly status: number;
  field(lowerCaseName: string): string | undefined;
}

/** Compiles a condition whose expression has been checked. */
export function compileCondition(when: TransformCondition): CompiledCondition {
  return {
    methods: listOf(when.method),
    path: when.path_matches === undefined ? null : compileRegex(when.path_matches),
    present: listOf(when.header_exists).map((name) => name.toLowerCase()),
    equal: Object.entries(when.header_equals ?? {}).map(([name, value]) => ({ name: name.toLowerCase(), value })),
    statuses: listOf(when.status).map((status) => {
      if (typeof status === 'number') return [status, status];
      const first = Number(status[0]) * 100;
      return [first, first + 99];
    }),
  };
}

export function holds(condition: CompiledCondition, subject: ConditionSubject): boolean {
  if (condition.methods.length > 0 && !condition.methods.includes(subject.method)) return false;
  if (condition.statuses.length > 0 && !condition.statuses.some(([first, last]) => subject.status >= first && subject.status <= last))
    return false;
  if (condition.path !== null && !condition.path.test(subject.path)) return false;
  return (
    condition.present.every((name) => subject.field(name) !== undefined) &&
    condition.equal.every(({ name, value }) => subject.field(name) === value)
  );
}

function listOf<T extends string | number>(given: T | readonly T[] | undefined): readonly T[] {
  if (given === undefined) return [];
  return Array.isArray(given) ? (given as readonly T[]) : [given as T];
}
