import type { z } from 'zod';
import type { FieldError } from '../errors/gateway-error.ts';
import { apiKeySchema, type UpdateApiKey } from '../model/api-key-schema.ts';
import {
  declaredKeySchema,
  declaredLists,
  type DeclaredList,
  declaredOutlineSchema,
  declaredRouteSchema,
  declaredUpstreamSchema,
} from '../model/declared-config.ts';
import { routeSchema, type UpdateRoute } from '../model/route-schema.ts';
import { upstreamSchema, type UpdateUpstream } from '../model/upstream-schema.ts';
import { Pace, type Rests } from './pace.ts';
import { type InputReading, readInput } from './validate-input.ts';

/** One declared object, read by itself: what only shows against others is added to `errors` later. */
export interface DeclaredEntry<T> extends InputReading<T> {
  /** Its place in the input: `routes.2`. */
  readonly place: string;
  /** Undefined where it is wrong. */
  readonly name: string | undefined;
  /** Names that fields were given under, where it is not their own: `upstream` for `upstream_id`. */
  readonly givenAs: ReadonlyMap<string, string>;
}

export interface DeclaredConfig {
  /** Undefined for a list that is not there: it says nothing of its kind. */
  readonly upstreams: readonly DeclaredEntry<UpdateUpstream>[] | undefined;
  readonly routes: readonly DeclaredEntry<UpdateRoute>[] | undefined;
  readonly keys: readonly DeclaredEntry<UpdateApiKey>[] | undefined;
  /** What is wrong with the outline. */
  readonly errors: readonly FieldError[];
}

/** With so many errors the rest is not read: each costs a look for what was meant. */
const mostErrors = 1_000;

/**
 * Reads a declared gateway config without throwing: what is wrong with one object hides nothing of the others. A field that is
 * left out is read as its default, but `auth_value`. Lets others run while it reads thousands.
 */
export async function readDeclared(input: unknown, pace: Rests = new Pace()): Promise<DeclaredConfig> {
  const outline = readInput(declaredOutlineSchema, input);
  let errors = outline.errors.length;
  const read = async <T>(kind: DeclaredKind): Promise<DeclaredEntry<T>[] | undefined> => {
    const list = outline.values[kind.list];
    if (list === undefined) return undefined;
    const entries: DeclaredEntry<T>[] = [];
    for (const [index, entry] of list.entries()) {
      if (errors > mostErrors) break;
      const found = readEntry<T>(kind, `${kind.list}.${index}`, entry);
      errors += found.errors.length;
      entries.push(found);
      await pace.rest();
    }
    refuseSameNames(kind.noun, entries);
    return entries;
  };
  const upstreams = await read<UpdateUpstream>(kinds.upstreams);
  const routes = await read<UpdateRoute>(kinds.routes);
  const keys = await read<UpdateApiKey>(kinds.keys);
  return { upstreams, routes, keys, errors: outline.errors };
}

/** Every error found so far, at its place in the input. */
export function errorsOf(declared: DeclaredConfig): FieldError[] {
  const errors = [...declared.errors];
  for (const list of declaredLists) for (const entry of declared[list] ?? []) errors.push(...placedErrors(entry));
  if (errors.length <= mostErrors) return errors;
  return [...errors.slice(0, mostErrors), { field: '', message: `has more errors than these ${mostErrors}` }];
}

interface DeclaredKind {
  readonly list: DeclaredList;
  readonly noun: string;
  readonly schema: z.ZodObject;
  /** Fields that the resource is shown with: those that cannot be declared are set by the gateway. */
  readonly shown: z.ZodObject;
  /** Other names of fields. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Read as null when they are left out. */
  readonly optional: readonly string[];
  /** Asked for under this name when neither the field nor its other name is given. */
  readonly required?: { readonly field: string; readonly as: string };
}

const kinds: Readonly<Record<DeclaredList, DeclaredKind>> = {
  upstreams: {
    list: 'upstreams',
    noun: 'upstreams',
    schema: declaredUpstreamSchema,
    shown: upstreamSchema,
    aliases: { auth_value_encrypted: 'auth_value' },
    optional: optionalFields(declaredUpstreamSchema).filter((field) => !field.startsWith('auth_value')),
  },
  routes: {
    list: 'routes',
    noun: 'routes',
    schema: declaredRouteSchema,
    shown: routeSchema,
    aliases: { upstream: 'upstream_id' },
    optional: optionalFields(declaredRouteSchema),
    required: { field: 'upstream_id', as: 'upstream' },
  },
  keys: {
    list: 'keys',
    noun: 'API keys',
    schema: declaredKeySchema,
    shown: apiKeySchema,
    aliases: {},
    optional: optionalFields(declaredKeySchema),
  },
};

/** Fields for which null means the default. */
function optionalFields(schema: z.ZodObject): string[] {
  return Object.entries(schema.shape)
    .filter(([, field]) => (field as z.ZodType).safeParse(null).success)
    .map(([name]) => name);
}

function readEntry<T>(kind: DeclaredKind, place: string, entry: unknown): DeclaredEntry<T> {
  const errors: FieldError[] = [];
  const givenAs = new Map<string, string>();
  const reading = readInput(kind.schema, withoutShown(kind, entry, errors));
  const values = reading.values as Record<string, unknown>;
  errors.push(...reading.errors);
  const given = typeof entry === 'object' && entry !== null ? entry : {};
  for (const [alias, field] of Object.entries(kind.aliases)) {
    if (!Object.hasOwn(given, alias)) continue;
    if (Object.hasOwn(given, field)) errors.push({ field: alias, message: `is another name of ${field}: give one of the two` });
    else givenAs.set(field, alias);
    if (Object.hasOwn(values, alias)) values[field] = values[alias];
    delete values[alias];
  }
  if (Array.isArray(given) || given !== entry) return { place, name: undefined, values: {}, errors, givenAs };
  for (const field of kind.optional) if (!Object.hasOwn(given, field) && !givenAs.has(field)) values[field] = null;
  const { required } = kind;
  if (required !== undefined && !Object.hasOwn(given, required.field) && !givenAs.has(required.field)) {
    errors.push({ field: required.as, message: 'is required' });
  }
  return { place, name: typeof values['name'] === 'string' ? values['name'] : undefined, values: values as Partial<T>, errors, givenAs };
}

/** Says of what was copied from a list or a get that it has no place here. */
function withoutShown(kind: DeclaredKind, entry: unknown, errors: FieldError[]): unknown {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return entry;
  const isShownOnly = (field: string): boolean => Object.hasOwn(kind.shown.shape, field) && !Object.hasOwn(kind.schema.shape, field);
  return Object.fromEntries(
    Object.entries(entry).filter(([field]) => {
      if (!isShownOnly(field)) return true;
      errors.push({ field, message: 'is set by the gateway: leave it out' });
      return false;
    }),
  );
}

function refuseSameNames(noun: string, entries: readonly DeclaredEntry<unknown>[]): void {
  const byName = new Map<string, DeclaredEntry<unknown>[]>();
  for (const entry of entries) {
    if (entry.name === undefined) continue;
    const same = byName.get(entry.name);
    if (same === undefined) byName.set(entry.name, [entry]);
    else same.push(entry);
  }
  for (const same of byName.values()) {
    if (same.length > 1)
      for (const { errors } of same) errors.push({ field: 'name', message: `is the name of ${same.length} ${noun} here` });
  }
}

function placedErrors({ place, errors, givenAs }: DeclaredEntry<unknown>): FieldError[] {
  return errors.map(({ field, message }) => {
    const [top = '', ...rest] = field.split('.');
    return { field: [place, givenAs.get(top) ?? top, ...rest].filter((part) => part !== '').join('.'), message };
  });
}
