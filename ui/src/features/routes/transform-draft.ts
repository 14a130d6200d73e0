import type { Route } from '../../api/admin-schema.ts';
import type { FieldError } from '../../api/api-problem.ts';

type RequestTransform = NonNullable<Route['request_transform']>;

/** A step on named things, headers or parameters, as a row of the form. */
export interface NamedStep {
  /** For React: names change while they are typed. */
  readonly key: string;
  readonly act: 'remove' | 'set' | 'add';
  readonly name: string;
  readonly value: string;
}

/** A step on fields of a JSON body; `value` is the new name of a rename. */
export interface FieldStep {
  readonly key: string;
  readonly act: 'remove' | 'rename' | 'mask';
  readonly name: string;
  readonly value: string;
}

export interface StepsDraft {
  readonly headers: readonly NamedStep[];
  readonly query: readonly NamedStep[];
  readonly fields: readonly FieldStep[];
  /** JSON as typed; '' means nothing. */
  readonly inject: string;
  readonly path_rewrite: string;
}

export interface ConditionDraft extends StepsDraft {
  readonly key: string;
  /** Comma lists: what may be one name or several. */
  readonly method: string;
  readonly path_matches: string;
  readonly header_exists: string;
  readonly header_equals: readonly NamedStep[];
  readonly status: string;
}

/** A request_transform or response_transform as the form holds it. */
export interface TransformDraft extends StepsDraft {
  readonly conditions: readonly ConditionDraft[];
}

export function newNamedStep(act: NamedStep['act'] = 'set'): NamedStep {
  return { key: crypto.randomUUID(), act, name: '', value: '' };
}

export function newFieldStep(): FieldStep {
  return { key: crypto.randomUUID(), act: 'remove', name: '', value: '' };
}

export function newCondition(): ConditionDraft {
  return { key: crypto.randomUUID(), ...stepsOf({}), method: '', path_matches: '', header_exists: '', header_equals: [], status: '' };
}

type Json = Readonly<Record<string, unknown>>;

/** What may stand in a transformation, whatever it came from. Shapes that are not known here are left out: see `isHeldWhole`. */
export function draftOfTransform(transform: unknown): TransformDraft {
  const given = objectOf(transform);
  return {
    ...stepsOf(given),
    conditions: listOf(given['conditions']).map((condition): ConditionDraft => {
      const steps = objectOf(condition);
      const when = objectOf(steps['when']);
      return {
        key: crypto.randomUUID(),
        ...stepsOf(steps),
        method: commaList(when['method']),
        path_matches: textOf(when['path_matches']),
        header_exists: commaList(when['header_exists']),
        header_equals: namedOf('set', when['header_equals']),
        status: commaList(when['status']),
      };
    }),
  };
}

/** As the API takes it; null where nothing is changed. Rows without a name are left out: somebody is about to type them. */
export function transformOfDraft(draft: TransformDraft, message: 'request' | 'response'): RequestTransform | null {
  const conditions = draft.conditions.map((condition) => ({ when: whenOf(condition, message), ...stepsJson(condition, message) }));
  const transform = { ...stepsJson(draft, message), ...(conditions.length === 0 ? {} : { conditions }) };
  return Object.keys(transform).length === 0 ? null : transform;
}

/** Whether the form can show all of a transformation: what it makes of it says the same. */
export function isHeldWhole(transform: unknown, message: 'request' | 'response'): boolean {
  const held = transformOfDraft(draftOfTransform(transform), message);
  return JSON.stringify(plain(held ?? {})) === JSON.stringify(plain(transform ?? {}));
}

/** What only the form can tell, since JSON could not even say it. `field` is the transformation's. */
export function draftProblems(draft: TransformDraft, field: string): FieldError[] {
  return [
    ...stepProblems(draft, field),
    ...draft.conditions.flatMap((steps, index) => stepProblems(steps, `${field}.conditions.${index}`)),
  ];
}

function stepProblems({ headers, query, fields, inject }: StepsDraft, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [part, rows] of [
    ['headers', headers],
    ['query', query],
    ['body.json', fields],
  ] as const) {
    const seen = new Set<string>();
    for (const { act, name } of rows) {
      if (name === '' || act === 'remove' || act === 'mask') continue;
      if (seen.has(`${act} ${name}`))
        errors.push({ field: `${field}.${part}.${act}.${name}`, message: `is there twice: put both values into one row` });
      seen.add(`${act} ${name}`);
    }
  }
  if (inject.trim() !== '') {
    try {
      JSON.parse(inject);
    } catch (error) {
      errors.push({ field: `${field}.body.json.inject`, message: `is not JSON: ${(error as Error).message}` });
    }
  }
  return errors;
}

function stepsOf(given: Json): StepsDraft {
  const json = objectOf(objectOf(given['body'])['json']);
  return {
    headers: namedSteps(given['headers']),
    query: namedSteps(given['query']),
    fields: [
      ...listOf(json['remove']).map((name): FieldStep => ({ key: crypto.randomUUID(), act: 'remove', name: textOf(name), value: '' })),
      ...Object.entries(objectOf(json['rename'])).map(([name, value]): FieldStep => ({
        key: crypto.randomUUID(),
        act: 'rename',
        name,
        value: textOf(value),
      })),
      ...listOf(json['mask']).map((name): FieldStep => ({ key: crypto.randomUUID(), act: 'mask', name: textOf(name), value: '' })),
    ],
    inject: Object.keys(objectOf(json['inject'])).length === 0 ? '' : JSON.stringify(json['inject'], null, 2),
    path_rewrite: textOf(given['path_rewrite']),
  };
}

/** In the order in which they are done. */
function namedSteps(given: unknown): NamedStep[] {
  const steps = objectOf(given);
  return [
    ...listOf(steps['remove']).map((name): NamedStep => ({ ...newNamedStep('remove'), name: textOf(name) })),
    ...namedOf('set', steps['set']),
    ...namedOf('add', steps['add']),
  ];
}

function namedOf(act: 'set' | 'add', given: unknown): NamedStep[] {
  return Object.entries(objectOf(given)).map(([name, value]) => ({ ...newNamedStep(act), name, value: textOf(value) }));
}

function stepsJson(steps: StepsDraft, message: 'request' | 'response'): Json {
  const headers = namedJson(steps.headers);
  const query = message === 'request' ? namedJson(steps.query) : {};
  const json = bodyJson(steps);
  const rewrite = message === 'request' ? steps.path_rewrite.trim() : '';
  return {
    ...(isEmpty(headers) ? {} : { headers }),
    ...(isEmpty(query) ? {} : { query }),
    ...(isEmpty(json) ? {} : { body: { json } }),
    ...(rewrite === '' ? {} : { path_rewrite: rewrite }),
  };
}

function namedJson(rows: readonly NamedStep[]): Json {
  const named = rows.filter(({ name }) => name !== '');
  const of = (act: NamedStep['act']): NamedStep[] => named.filter((row) => row.act === act);
  const values = (act: 'set' | 'add'): Json => Object.fromEntries(of(act).map(({ name, value }) => [name, value]));
  return withoutEmpty({ add: values('add'), set: values('set'), remove: of('remove').map(({ name }) => name) });
}

function bodyJson({ fields, inject }: StepsDraft): Json {
  const named = fields.filter(({ name }) => name !== '');
  const names = (act: FieldStep['act']): string[] => named.filter((row) => row.act === act).map(({ name }) => name);
  const rename = Object.fromEntries(named.filter(({ act }) => act === 'rename').map(({ name, value }) => [name, value]));
  return withoutEmpty({ inject: injectOf(inject), remove: names('remove'), rename, mask: names('mask') });
}

/** What is no JSON yet goes as the text that it is: the gateway refuses it, should it ever get there. */
function injectOf(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function whenOf({ method, path_matches, header_exists, header_equals, status }: ConditionDraft, message: 'request' | 'response'): Json {
  const equals = Object.fromEntries(header_equals.filter(({ name }) => name !== '').map(({ name, value }) => [name, value]));
  return {
    ...oneOrList('method', namesIn(method)),
    ...(path_matches === '' ? {} : { path_matches }),
    ...oneOrList('header_exists', namesIn(header_exists)),
    ...(isEmpty(equals) ? {} : { header_equals: equals }),
    ...(message === 'response'
      ? oneOrList(
          'status',
          namesIn(status).map((each) => (/^\d+$/.test(each) ? Number(each) : each)),
        )
      : {}),
  };
}

function oneOrList(name: string, values: readonly unknown[]): Json {
  return values.length === 0 ? {} : { [name]: values.length === 1 ? values[0] : values };
}

function namesIn(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function commaList(value: unknown): string {
  return (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(textOf).join(', ');
}

function withoutEmpty(given: Json): Json {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => typeof value !== 'object' || value === null || !isEmpty(value)));
}

/** For comparing: without what says nothing, a list of one as that one, names of objects in order. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 1 ? plain(value[0]) : value.map(plain);
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? value.trim() : value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, inner]) => [name, plain(inner)] as const)
      .filter(([, inner]) => typeof inner !== 'object' || inner === null || !isEmpty(inner))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}
