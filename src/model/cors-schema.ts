import { z } from 'zod';
import { integerSchema, tokenPattern } from './field-schemas.ts';
import { corsDefaults, type RouteCors } from './route.ts';

/** `cors` as the admin API answers it. */
export const corsShape = z.strictObject({
  allow_origins: z.array(z.string()),
  allow_methods: z.array(z.string()),
  allow_headers: z.array(z.string()),
  expose_headers: z.array(z.string()),
  allow_credentials: z.boolean(),
  max_age: z.int(),
}) satisfies z.ZodType<RouteCors>;

const maxEntries = 100;
const tooMany = `must have at most ${maxEntries} entries`;
/** Longer times are cut by browsers anyway: Chromium's limit is two hours, Firefox's a day. */
const maxAgeLimit = 86_400;

const names = (what: string): z.ZodArray<z.ZodString> =>
  z
    .array(z.string().max(256, 'must have at most 256 characters').regex(tokenPattern, `is not ${what}`))
    .max(maxEntries, tooMany)
    .refine((list) => new Set(list).size === list.length, 'must not name anything twice');

const originSchema = z.string().superRefine((origin, context) => {
  const problem = originProblem(origin);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

/** `cors` as it is given: `null` in a field means its default. */
export const corsSchema = z
  .strictObject({
    allow_origins: z
      .array(originSchema)
      .min(1, 'must not be empty; leave cors out (null) to allow no other origin')
      .max(maxEntries, tooMany)
      .refine((list) => new Set(list).size === list.length, 'must not name anything twice')
      .refine((list) => !list.includes('*') || list.length === 1, 'must be * alone, or a list of origins')
      .meta({ description: 'As browsers send them, or * alone.', example: ['https://app.example.com'] }),
    allow_methods: names('an HTTP method')
      .refine((list) => list.every((method) => method !== 'CONNECT' && method !== 'TRACE'), 'must not name CONNECT or TRACE')
      .nullish()
      .transform((value) => value ?? corsDefaults.allow_methods)
      .meta({ description: "Empty means the route's own methods." }),
    allow_headers: names('a header name')
      .nullish()
      .transform((value) => value ?? corsDefaults.allow_headers)
      .meta({ description: `Request headers that pages may set (${corsDefaults.allow_headers.join(', ')}); * means all.` }),
    expose_headers: names('a header name')
      .nullish()
      .transform((value) => value ?? corsDefaults.expose_headers)
      .meta({ description: 'Response headers that pages may read besides the usual ones; * means all.' }),
    allow_credentials: z
      .boolean()
      .nullish()
      .transform((value) => value ?? corsDefaults.allow_credentials)
      .meta({ description: 'Whether cookies may go along; not with * in any list (false).' }),
    max_age: integerSchema(0, maxAgeLimit)
      .nullish()
      .transform((value) => value ?? corsDefaults.max_age)
      .meta({ description: `Seconds that browsers may remember a preflight (${corsDefaults.max_age}).` }),
  })
  .superRefine((cors, context) => {
    if (!cors.allow_credentials) return;
    // With credentials browsers take * for a name like any other: such a policy never works as it reads.
    for (const field of ['allow_origins', 'allow_methods', 'allow_headers', 'expose_headers'] as const) {
      if (cors[field].some((entry) => entry === '*'))
        context.addIssue({ code: 'custom', path: [field], message: 'must not be * with allow_credentials: name each one' });
    }
  });

/** Why a text is not an origin as browsers send it (RFC 6454 section 6.2), or undefined. */
function originProblem(origin: string): string | undefined {
  if (origin === '*') return undefined;
  if (origin === 'null') return 'must not be null: any sandboxed page can have that origin';
  if (origin.length > 1024) return 'must have at most 1024 characters';
  const [, scheme, authority] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#@\\\s]+)$/.exec(origin) ?? [];
  if (scheme === undefined || authority === undefined) {
    const without = /^([a-z][a-z0-9+.-]*:\/\/[^/?#@\\\s]+)[/?#]/i.exec(origin)?.[1];
    return without === undefined
      ? 'is not an origin: write scheme, host and port, as https://app.example.com'
      : `must be an origin alone, without a path: ${without}`;
  }
  if (authority.includes('*')) return 'must be * alone, or an origin without a *';
  if (scheme !== 'http' && scheme !== 'https' && scheme.toLowerCase() === scheme) {
    // Apps have schemes of their own, as capacitor://localhost: what stands there is compared as it is.
    return /^[a-z0-9._:-]+$/.test(authority) ? undefined : 'is not an origin: write scheme and host in lower case';
  }
  const url = URL.parse(origin);
  if (url === null) return 'is not an origin: its host is not valid';
  if (url.origin === 'null') return 'is not an origin: write scheme and host in lower case';
  return url.origin === origin ? undefined : `must be written as browsers send it: ${url.origin}`;
}
