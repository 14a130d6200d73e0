import { InvalidArgumentError, Option, type Command } from 'commander';
import { parseDuration } from '../settings/parse-value.ts';
import { usageError } from './cli-error.ts';

/** A flag that sets a field of a resource's JSON. */
export interface FieldFlag {
  /** As commander reads it: `--timeout <ms>`. */
  readonly flags: string;
  readonly help: string;
  /** The field that its value is for. */
  readonly field?: string;
  /** The field, or the part of one (`cors.max_age`), that the command fills by itself from what this flag points to. */
  readonly fills?: string;
  /** Turns the text into the field's value; throws InvalidArgumentError. `previous` is the value so far, for flags that repeat. */
  readonly value?: (text: string, previous: unknown) => unknown;
  /** The field's value when this switch is given. */
  readonly fixed?: boolean;
  readonly choices?: readonly string[];
  /** Attribute names of flags that exclude this one. */
  readonly conflicts?: readonly string[];
  readonly hidden?: true;
}

/** `--enabled` and `--disabled`. */
export const enabledFlags: readonly FieldFlag[] = [
  { flags: '--enabled', help: 'switch it on', field: 'enabled', fixed: true, conflicts: ['disabled'] },
  { flags: '--disabled', help: 'switch it off', field: 'enabled', fixed: false },
];

/** Declares the flags on a command; those in `required` (long names) are marked so, see `requireFlags`. */
export function addFieldFlags(command: Command, flags: readonly FieldFlag[], required: readonly string[] = []): void {
  for (const flag of flags) {
    const isRequired = required.some((name) => flag.flags.startsWith(`${name} `));
    const option = new Option(flag.flags, isRequired ? `${flag.help} (required)` : flag.help);
    if (flag.choices !== undefined) option.choices(flag.choices);
    const { value } = flag;
    if (value !== undefined)
      option.argParser((text, previous) => new Parsed(value(text, previous instanceof Parsed ? previous.value : undefined)));
    if (flag.conflicts !== undefined) option.conflicts([...flag.conflicts]);
    if (flag.hidden) option.hideHelp();
    command.addOption(option);
  }
}

/** Names every missing flag at once; commander's own check stops at the first, and comes before unknown flags. */
export function requireFlags(command: Command, required: readonly string[]): void {
  const missing = required.filter((name) => command.getOptionValueSource(new Option(name).attributeName()) !== 'cli');
  if (missing.length > 0)
    throw usageError(
      `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} required`,
      `see the help: apigate ${command.parent?.name()} ${command.name()} --help`,
    );
}

/** The JSON fields that the given flags ask for; flags that were not given leave theirs out. */
export function fieldsGiven(command: Command, flags: readonly FieldFlag[]): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const { flags: text, field, fixed } of flags) {
    const name = new Option(text).attributeName();
    if (field !== undefined && command.getOptionValueSource(name) === 'cli') fields[field] = fixed ?? parsedOption(command, name);
  }
  return fields;
}

/** The value of a flag declared here, by its attribute name; undefined when it was not given. */
export function parsedOption(command: Command, name: string): unknown {
  const value: unknown = command.getOptionValue(name);
  return value instanceof Parsed ? value.value : value;
}

/** Commander makes an empty text of null, so parsed values come in an envelope. */
class Parsed {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** The flag that sets a field (`timeout_ms`, `headers.0.name` and `cors.max_age` lead to theirs); undefined when none does. */
export function flagOfField(flags: readonly FieldFlag[], field: string): string | undefined {
  const top = /^[^.[]*/.exec(field)?.[0];
  const flag =
    flags.find(({ fills }) => fills?.includes('.') === true && (field === fills || field.startsWith(`${fills}.`))) ??
    flags.find((each) => each.field === top || each.fills?.split('.')[0] === top);
  return flag?.flags.match(/--[\w-]+/)?.[0];
}

export function wholeNumber(text: string): number {
  if (!/^[+-]?\d{1,15}$/.test(text)) throw new InvalidArgumentError('It is not a whole number.');
  return Number(text);
}

export function milliseconds(text: string): number {
  if (/^\d+(?:\.\d+)?(?:ms|s|m|h)$/.test(text)) {
    throw new InvalidArgumentError(`Give it in milliseconds: ${parsedDuration(text)}.`);
  }
  return wholeNumber(text);
}

function parsedDuration(text: string): string {
  try {
    return String(parseDuration(text));
  } catch {
    return 'a whole number';
  }
}

/** Empty means none. */
export function textOrNull(text: string): string | null {
  return text === '' ? null : text;
}

/** Separated by commas or given several times; empty means none. */
export function list(text: string, previous: unknown): readonly string[] {
  const items = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  return [...(Array.isArray(previous) ? (previous as string[]) : []), ...items];
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** The moment so far from now, as ISO 8601: `90d`, `12h`, `1w`. `never` is null. */
export function momentFromNow(text: string): string | null {
  if (text === 'never') return null;
  const [, amount, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined || Number(amount) === 0) {
    throw new InvalidArgumentError('Write it as in 12h, 90d or 52w, or never.');
  }
  return new Date(Date.now() + Number(amount) * (unitSeconds[unit] ?? 0) * 1000).toISOString();
}

/** ISO 8601 with a time zone, or a day (which ends it at 00:00 UTC). `never` is null. */
export function moment(text: string): string | null {
  if (text === 'never') return null;
  const complete = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text);
  const time = complete ? Date.parse(text) : Number.NaN;
  // A day that its month does not have would otherwise roll over into the next one.
  const realDay = complete && new Date(`${text.slice(0, 10)}T00:00:00Z`).toISOString().startsWith(text.slice(0, 10));
  if (Number.isNaN(time) || !realDay) throw new InvalidArgumentError('Write it as in 2027-01-31 or 2027-01-31T12:00:00Z, or never.');
  return new Date(time).toISOString();
}

export const expiryFlags: readonly FieldFlag[] = [
  {
    flags: '--expires-at <time>',
    help: 'when it stops working: 2027-01-31T12:00:00Z, 2027-01-31, or never',
    field: 'expires_at',
    value: moment,
    conflicts: ['expiresIn'],
  },
  { flags: '--expires-in <time>', help: 'how long it works: 12h, 90d, 52w, or never', field: 'expires_at', value: momentFromNow },
];
