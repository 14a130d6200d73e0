import type { JsonSteps } from '../../model/transformation.ts';
import { maskScalar } from './mask-value.ts';
import { compileTemplate, plainText, type Template, type TemplateScope } from './template.ts';
import type { TransformFacts } from './transform-facts.ts';

/** Names from the root; each leads through every element of a list. */
type FieldPath = readonly string[];

type Injected = { readonly template: Template } | { readonly constant: unknown } | readonly Injected[] | ReadonlyMap<string, Injected>;

/** Steps on a JSON body, ready to be done. */
export interface CompiledJson {
  readonly inject: ReadonlyMap<string, Injected> | null;
  readonly remove: readonly FieldPath[];
  readonly rename: readonly { readonly path: FieldPath; readonly name: string }[];
  readonly mask: readonly FieldPath[];
}

/** Compiles steps; null when there are none. `note` hears of each fault, with its path below `at`. */
export function compileJson(
  steps: JsonSteps | undefined,
  scope: TemplateScope,
  at: string,
  note: (field: string, message: string) => void,
): CompiledJson | null {
  if (steps === undefined) return null;
  const paths = (texts: readonly string[] | undefined, field: string): FieldPath[] =>
    (texts ?? []).map((text, index) => readPath(text, (message) => note(`${at}.${field}.${index}`, message)));
  const inject =
    steps.inject === undefined || Object.keys(steps.inject).length === 0 ? null : compileInject(steps.inject, scope, `${at}.inject`, note);
  const compiled: CompiledJson = {
    inject: inject as ReadonlyMap<string, Injected> | null,
    remove: paths(steps.remove, 'remove'),
    rename: compileRename(steps.rename ?? {}, `${at}.rename`, note),
    mask: paths(steps.mask, 'mask'),
  };
  const nothing = compiled.inject === null && compiled.remove.length + compiled.rename.length + compiled.mask.length === 0;
  return nothing ? null : compiled;
}

/**
 * Does all steps on a parsed body, in place, and answers it. Masks go first, by the names that came in, and again at the end, by
 * those that go out: a mask must not be lost to a rename, in whichever list of steps either stands.
 */
export function applyJson(body: unknown, all: readonly CompiledJson[], facts: TransformFacts): unknown {
  let result = body;
  let renamed = false;
  for (const { mask } of all) for (const path of mask) result = maskAt(result, path, 0);
  for (const steps of all) {
    if (steps.inject !== null && isObject(result)) merge(result, steps.inject, facts);
    for (const path of steps.remove) eachParent(result, path, (parent, name) => void delete parent[name]);
    for (const { path, name } of steps.rename) eachParent(result, path, (parent, old) => renameIn(parent, old, name));
    renamed ||= steps.inject !== null || steps.rename.length > 0;
  }
  if (renamed) for (const { mask } of all) for (const path of mask) result = maskAt(result, path, 0);
  return result;
}

function isContainer(value: unknown): value is Record<string, unknown> | unknown[] {
  return typeof value === 'object' && value !== null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return isContainer(value) && !Array.isArray(value);
}

/** Calls `visit` with each object that has the path's last name as a field of its own. */
function eachParent(value: unknown, path: FieldPath, visit: (parent: Record<string, unknown>, name: string) => void, depth = 0): void {
  if (!isContainer(value)) return;
  if (Array.isArray(value)) {
    for (const element of value) eachParent(element, path, visit, depth);
    return;
  }
  const name = path[depth]!;
  if (!Object.hasOwn(value, name)) return;
  if (depth === path.length - 1) visit(value, name);
  else eachParent(value[name], path, visit, depth + 1);
}

/** The value with what lies at the path masked; whatever lies below it is masked too. */
function maskAt(value: unknown, path: FieldPath, depth: number): unknown {
  if (!isContainer(value)) return depth < path.length ? value : maskScalar(value);
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) value[index] = maskAt(value[index], path, depth);
    return value;
  }
  if (depth < path.length) {
    const name = path[depth]!;
    if (Object.hasOwn(value, name)) put(value, name, maskAt(value[name], path, depth + 1));
    return value;
  }
  for (const name of Object.keys(value)) put(value, name, maskAt(value[name], path, depth));
  return value;
}

function renameIn(parent: Record<string, unknown>, old: string, name: string): void {
  const value = parent[old];
  delete parent[old];
  put(parent, name, value);
}

// A plain assignment to `__proto__` would change what the object inherits.
function put(parent: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(parent, name, { value, writable: true, enumerable: true, configurable: true });
  else parent[name] = value;
}

// Everything is made anew for each message: other steps may change it in place.
function merge(target: Record<string, unknown>, injected: ReadonlyMap<string, Injected>, facts: TransformFacts): void {
  for (const [name, value] of injected) {
    const present = Object.hasOwn(target, name) ? target[name] : undefined;
    if (value instanceof Map && isObject(present)) merge(present, value, facts);
    else put(target, name, made(value, facts));
  }
}

function made(injected: Injected, facts: TransformFacts): unknown {
  if (injected instanceof Map) {
    const object: Record<string, unknown> = {};
    for (const [name, value] of injected as ReadonlyMap<string, Injected>) put(object, name, made(value, facts));
    return object;
  }
  if (Array.isArray(injected)) return (injected as readonly Injected[]).map((element) => made(element, facts));
  const single = injected as { readonly template: Template } | { readonly constant: unknown };
  return 'template' in single ? plainText(single.template, facts) : single.constant;
}

function compileInject(value: unknown, scope: TemplateScope, at: string, note: (field: string, message: string) => void): Injected {
  if (typeof value === 'string') {
    const template = compileTemplate(value, scope);
    if (typeof template !== 'string') return { template };
    note(at, template);
    return { constant: '' };
  }
  if (Array.isArray(value)) return value.map((element, index) => compileInject(element, scope, `${at}.${index}`, note));
  if (typeof value !== 'object' || value === null) return { constant: value };
  return new Map(Object.entries(value).map(([name, inner]) => [name, compileInject(inner, scope, `${at}.${name}`, note)]));
}

function compileRename(
  rename: Readonly<Record<string, string>>,
  at: string,
  note: (field: string, message: string) => void,
): CompiledJson['rename'] {
  const steps = Object.entries(rename).map(([from, to]) => {
    const tell = (message: string): void => note(`${at}.${from}`, message);
    const path = readPath(from, tell);
    const target = readPath(to, tell);
    const inPlace =
      target.length === 1 || (target.length === path.length && target.slice(0, -1).every((name, index) => name === path[index]));
    if (!inPlace) tell(`can only be renamed within its object: write ${JSON.stringify(target.at(-1))}`);
    if (target.at(-1) === '__proto__') tell('cannot be renamed to __proto__');
    return { path, name: target.at(-1) ?? '', tell };
  });
  for (const step of steps) {
    const chained = steps.some(
      (other) =>
        other !== step && other.path.at(-1) === step.name && other.path.slice(0, -1).join('\0') === step.path.slice(0, -1).join('\0'),
    );
    if (chained) step.tell(`cannot become ${step.name}, which is itself renamed`);
  }
  return steps.map(({ path, name }) => ({ path, name }));
}

/** `a.b`; a dot within a name is written `\.`. */
function readPath(text: string, tell: (message: string) => void): FieldPath {
  if (/^\$(?:\.|$)/.test(text)) tell('must be a path such as user.email, without $');
  if (/\[(?:\d+|\*)?\]/.test(text)) tell('must be a path such as items.email: lists on the way need no [ ]');
  const names = text
    .replaceAll('\\.', '\0')
    .split('.')
    .map((name) => name.replaceAll('\0', '.'));
  if (names.includes('')) tell('has an empty name: write it as in user.email, and a dot within a name as \\.');
  return names;
}
