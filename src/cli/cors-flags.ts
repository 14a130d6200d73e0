import { usageError } from './cli-error.ts';
import type { CommandCall } from './command-call.ts';
import { list, parsedOption, wholeNumber, type FieldFlag } from './field-flags.ts';

/** The flags that fill a route's `cors`. */
export const corsFlags: readonly FieldFlag[] = [
  {
    flags: '--cors-origins <list>',
    help: 'pages of these origins may read the responses: https://app.example.com,… or *',
    fills: 'cors.allow_origins',
    value: list,
  },
  {
    flags: '--cors-methods <list>',
    help: 'methods for them; "" for the route\'s own (the default)',
    fills: 'cors.allow_methods',
    value: list,
  },
  {
    flags: '--cors-headers <list>',
    help: 'request headers they may set (default: Authorization, Content-Type, X-API-Key)',
    fills: 'cors.allow_headers',
    value: list,
  },
  {
    flags: '--cors-expose <list>',
    help: 'response headers they may read besides the usual ones',
    fills: 'cors.expose_headers',
    value: list,
  },
  { flags: '--cors-credentials', help: 'cookies may go along', fills: 'cors.allow_credentials' },
  { flags: '--no-cors-credentials', help: 'without cookies (the default)' },
  {
    flags: '--cors-max-age <s>',
    help: 'seconds that browsers may remember what they were told (default: 600)',
    fills: 'cors.max_age',
    value: wholeNumber,
  },
  { flags: '--no-cors', help: 'no CORS headers at all (the default)' },
];

const fieldOfOption: Readonly<Record<string, string>> = {
  corsOrigins: 'allow_origins',
  corsMethods: 'allow_methods',
  corsHeaders: 'allow_headers',
  corsExpose: 'expose_headers',
  corsCredentials: 'allow_credentials',
  corsMaxAge: 'max_age',
};

/** Whether the flags given change a part of `cors`, so that the rest must come from what is stored. */
export function corsNeedsStored(call: CommandCall): boolean {
  return given(call).length > 0 && !isOff(call);
}

/** Puts `cors` among the fields of the request; what no flag says stays as `stored` has it. */
export function addCors(call: CommandCall, fields: Record<string, unknown>, stored: unknown): void {
  const options = given(call);
  if (isOff(call)) {
    if (options.length > 0) throw usageError('--no-cors excludes the other --cors flags');
    fields['cors'] = null;
    return;
  }
  if (options.length === 0) return;
  const changes = Object.fromEntries(options.map((option) => [fieldOfOption[option]!, parsedOption(call.command, option)]));
  if ((stored ?? null) === null && !options.includes('corsOrigins'))
    throw usageError('--cors-origins is required with the other --cors flags', 'say whose pages may read the responses');
  fields['cors'] = { ...(stored as object | null | undefined), ...changes };
}

function given(call: CommandCall): string[] {
  return Object.keys(fieldOfOption).filter((option) => call.command.getOptionValueSource(option) === 'cli');
}

function isOff(call: CommandCall): boolean {
  return call.command.getOptionValueSource('cors') === 'cli';
}
