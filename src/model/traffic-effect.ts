import { z } from 'zod';
import { timestampSchema } from './field-schemas.ts';

/** What would become of requests, worst first. */
export const trafficEffects = [
  'not_found',
  'method_not_allowed',
  'disabled',
  'upgrade_refused',
  'key_needed',
  'key_refused',
  'public',
  'moved',
  'altered',
  'served',
] as const;
export type TrafficEffectName = (typeof trafficEffects)[number];

const name = (description: string) => z.string().nullable().meta({ description });

/** What requests that ended lately would do differently under a draft. */
export const trafficEffectSchema = z
  .strictObject({
    requests: z
      .int()
      .meta({ description: 'How many of the last requests were looked at: at most 1,000, without those to the gateway itself.' }),
    since: timestampSchema.nullable().meta({ description: 'When the oldest of them came; null without any.' }),
    unchanged: z.int(),
    changed: z.int(),
    not_judged: z.int().meta({
      description:
        'Those that a route could take which looks at headers, or a CORS preflight, and those with a path too long to be recorded whole: what they would do cannot be told from what is recorded.',
    }),
    groups: z
      .array(
        z.strictObject({
          effect: z.enum(trafficEffects).meta({
            description:
              '`not_found` (404), `method_not_allowed` (405), `disabled` (503, the upstream is), `upgrade_refused` (400), `key_needed` (401 without an API key), `key_refused` (401, the key does not open the route), `public` (no key is needed any more), `moved` to another route or upstream, `altered` on the way, `served` (was refused).',
          }),
          from_route: name('Route that takes them now; null where none does.'),
          from_upstream: name('Its upstream.'),
          to_route: name('Route that would take them.'),
          to_upstream: name('Its upstream.'),
          requests: z.int(),
          examples: z
            .array(z.strictObject({ id: z.string(), method: z.string(), host: z.string(), path: z.string() }))
            .meta({ description: 'The newest of them, at most 3.' }),
        }),
      )
      .meta({ description: 'The changed ones, the worst first; at most 20 groups.' }),
    left_out: z.int().meta({ description: 'Changed requests in further groups.' }),
  })
  .meta({ id: 'TrafficEffect' });

export type TrafficEffect = z.output<typeof trafficEffectSchema>;
