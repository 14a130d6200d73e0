import { z } from 'zod';
import { errorCatalogue, type ErrorCode } from '../errors/catalogue.ts';
import { type UpstreamProblemKind, upstreamProblems } from './upstream-problems.ts';

export const testSteps = ['dns', 'tcp', 'tls', 'credential', 'answer', 'first_byte'] as const;
export type TestStepName = (typeof testSteps)[number];

/** Methods that change nothing at the upstream (RFC 9110 section 9.2.1). */
export const testMethods = ['GET', 'HEAD', 'OPTIONS'] as const;

/** The longest that a test waits for an answer, in milliseconds. */
export const maxTestWait = 30_000;

/** What to send, in a test of an upstream. */
export interface UpstreamTestRequest {
  readonly method: (typeof testMethods)[number];
  /** Goes behind base_url's path; '' for base_url itself. */
  readonly path: string;
  /** Longest wait for the next progress, in milliseconds; never more than the upstream's timeout_ms. */
  readonly waitMs: number;
  /** What its User-Agent says that it is for; a test when not given. */
  readonly purpose?: 'health check';
}

const codes = Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]];
const milliseconds = z.number().nonnegative().nullable();

/** What a test of an upstream found. */
export const upstreamTestSchema = z
  .strictObject({
    answers: z.boolean().meta({ description: 'Whether an HTTP answer came, of whatever status.' }),
    upstream: z.strictObject({
      id: z.string().nullable().meta({ description: 'null for an unsaved one.' }),
      name: z.string().nullable(),
      base_url: z.string(),
      enabled: z.boolean(),
    }),
    request: z.strictObject({ method: z.enum(testMethods), url: z.string() }),
    address: z.string().nullable().meta({ description: 'Address and port that were connected to last.' }),
    steps: z
      .array(
        z.strictObject({
          step: z.enum(testSteps),
          result: z.enum(['ok', 'failed', 'skipped']),
          ms: milliseconds.meta({ description: 'null for a step that takes no time or was not reached.' }),
          detail: z.string(),
        }),
      )
      .meta({ description: 'What was done, in order. Empty for a forbidden target.' }),
    certificate: z
      .strictObject({
        subject: z.string(),
        issuer: z.string(),
        names: z.array(z.string()),
        valid_from: z.string().meta({ format: 'date-time' }),
        valid_to: z.string().meta({ format: 'date-time' }),
        days_left: z.int(),
        chain: z.array(z.string()).meta({ description: 'Subjects of the certificates that the upstream sent, its own first.' }),
        protocol: z.string().nullable(),
        cipher: z.string().nullable(),
      })
      .nullable(),
    answer: z
      .strictObject({
        status: z.int(),
        reason: z.string(),
        server: z.string().nullable(),
        content_type: z.string().nullable(),
        location: z.string().nullable(),
        body_start: z.string().nullable().meta({ description: 'First characters of the body, where it is text; credentials are masked.' }),
      })
      .nullable(),
    problem: z
      .strictObject({
        kind: z.enum(Object.keys(upstreamProblems) as [UpstreamProblemKind, ...UpstreamProblemKind[]]),
        code: z
          .enum(codes)
          .nullable()
          .meta({ description: 'Error code that clients get; null where they get the answer of the upstream.' }),
        title: z.string(),
        cause: z.string(),
        next: z.array(z.string()).meta({ description: 'What to do, the likeliest first.' }),
      })
      .nullable(),
    notes: z.array(z.string()),
    total_ms: milliseconds,
    tested_by: z.enum(['gateway', 'command']).meta({ description: 'Whose environment, files and trust store counted.' }),
    curl: z.string().nullable().meta({ description: 'Much the same request for a shell; the credential is $CREDENTIAL.' }),
  })
  .meta({ id: 'UpstreamTest', description: 'What a test of an upstream found.' });

export type UpstreamTest = z.output<typeof upstreamTestSchema>;

/** What the data plane found out; the use case adds which upstream it was. */
export type ProbeResult = Omit<UpstreamTest, 'upstream' | 'tested_by'>;

/** Why a path cannot be tested, in words that complete "path …"; undefined when it can. */
export function testPathProblem(path: string): string | undefined {
  if (path === '') return undefined;
  if (path.length > 2048) return 'must have at most 2048 characters';
  if (!path.startsWith('/')) return 'must begin with /';
  if (/[^\x21-\x7e]/.test(path)) return 'has characters that must be percent-encoded';
  if (path.includes('#')) return 'must not have a fragment (#…)';
  const [segments = ''] = path.split('?', 1);
  if (/\\|%5c|%(?:[01][0-9a-f]|7f)/i.test(segments)) return 'must not hold a backslash or control character, encoded or not';
  if (segments.split('/').some((segment) => /^(?:\.|%2e){1,2}(?:;.*)?$/i.test(segment))) return 'must not have . or .. segments';
  return undefined;
}
