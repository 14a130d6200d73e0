import { z } from 'zod';
import { GatewayError, type FieldError } from '../errors/gateway-error.ts';
import { integerSchema } from '../model/field-schemas.ts';
import type { UpstreamConfig } from '../model/gateway-config.ts';
import { createUpstreamSchema, updateUpstreamSchema } from '../model/upstream-schema.ts';
import { maxTestWait, testMethods, testPathProblem, type UpstreamTest, type UpstreamTestRequest } from '../model/upstream-test.ts';
import type { UpstreamRow } from '../store/store.ts';
import { refuseErrors } from './commit-change.ts';
import type { ControlContext } from './control-context.ts';
import { upstreamConfigOf } from './credentials.ts';
import { findRow } from './find-resource.ts';
import { draftUpstream, sealUpstream, trialCompileUpstream } from './upstream-draft.ts';
import { newUpstreamId, upstreamOf } from './upstreams.ts';
import { readInput } from './validate-input.ts';

const requestFields = {
  method: z.enum(testMethods).nullish().meta({ description: 'GET when not given; only methods that change nothing.' }),
  path: z
    .string()
    .superRefine((path, context) => {
      const problem = testPathProblem(path);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    })
    .nullish()
    .meta({ description: "Goes behind base_url's path; base_url itself when not given.", example: '/health' }),
  wait_ms: integerSchema(1, maxTestWait)
    .nullish()
    .meta({ description: `Longest wait for the answer, in milliseconds; never more than timeout_ms, and ${maxTestWait} at most.` }),
};

/** A test of an upstream that is not saved: as for a new one, but a name is not needed. */
export const testDraftSchema = z
  .strictObject({ upstream: createUpstreamSchema.partial({ name: true }).meta({ id: 'UpstreamDraft' }), ...requestFields })
  .meta({ id: 'UpstreamTestOfDraft' });

/** A test of a saved upstream, as it is or with changes that are not saved. */
export const testSavedSchema = z
  .strictObject({ upstream: updateUpstreamSchema.nullish(), ...requestFields })
  .meta({ id: 'UpstreamTestOfSaved' });

/** The fields of the upstream are read by themselves, so that everything wrong is told at once. */
const outerSchema = z.strictObject({ upstream: z.unknown().optional(), ...requestFields });

/** Tests at once in one process; each holds a connection and some memory. */
const maxTestsAtOnce = 16;
let running = 0;

/**
 * Tests an upstream that is not saved. Nothing is stored.
 * @throws GatewayError `validation_failed`, `too_many_attempts`
 */
export async function testUpstreamDraft(context: ControlContext, input: unknown): Promise<UpstreamTest> {
  const outer = readInput(outerSchema, input);
  const given = outer.values.upstream;
  const errors = [...outer.errors];
  if (given === undefined) errors.push({ field: 'upstream', message: 'is required' });
  return await testDraft(context, outer.values, given ?? {}, errors, undefined);
}

/**
 * Tests a saved upstream, with changes over it when the input has some. The stored credential is used for them only where saving
 * them would keep it: not for another origin and not under another auth_type. Nothing is stored.
 * @throws GatewayError `not_found`, `validation_failed`, `too_many_attempts`, `storage_unavailable`
 */
export async function testSavedUpstream(context: ControlContext, idOrName: string, input: unknown): Promise<UpstreamTest> {
  const before = await context.store.read((tx) => findRow(tx.upstreams, idOrName, 'upstream'));
  const outer = readInput(outerSchema, input);
  return await testDraft(context, outer.values, outer.values.upstream ?? {}, [...outer.errors], before);
}

interface GivenRequest {
  readonly method?: UpstreamTestRequest['method'] | null | undefined;
  readonly path?: string | null | undefined;
  readonly wait_ms?: number | null | undefined;
}

async function testDraft(
  context: ControlContext,
  given: GivenRequest,
  fields: unknown,
  errors: FieldError[],
  before: UpstreamRow | undefined,
): Promise<UpstreamTest> {
  const reading =
    before === undefined ? readInput(testDraftSchema.shape.upstream, fields) : readInput(updateUpstreamSchema, fields, upstreamOf(before));
  const draft = draftUpstream(context, reading, { id: before?.id ?? newUpstreamId(), before, at: context.clock() });
  if (reading.errors.length === 0) trialCompileUpstream(context, draft, reading.errors);
  errors.push(...reading.errors.map(({ field, message }) => ({ field: field === '' ? 'upstream' : `upstream.${field}`, message })));
  const { timeout_ms: timeout } = draft.row;
  if (typeof given.wait_ms === 'number' && reading.errors.length === 0 && given.wait_ms > timeout)
    errors.push({ field: 'wait_ms', message: `must not be more than the upstream's timeout_ms, ${timeout}` });
  refuseErrors(errors);

  const sealed = await context.store.read((tx) => sealUpstream(context, tx, draft));
  const row = { ...sealed, revision: before?.revision ?? 0 };
  const { credential } = await context.credentials.resolve(row);
  const result = await probe(context, upstreamConfigOf(row, credential), {
    method: given.method ?? 'GET',
    path: given.path ?? '',
    waitMs: given.wait_ms ?? Math.min(timeout, maxTestWait),
  });
  return {
    ...result,
    upstream: { id: before?.id ?? null, name: row.name === '' ? null : row.name, base_url: row.base_url, enabled: row.enabled },
    tested_by: context.publishing.serves ? 'gateway' : 'command',
    notes: [...draft.warnings, ...result.notes],
  };
}

async function probe(
  context: ControlContext,
  config: UpstreamConfig,
  request: UpstreamTestRequest,
): ReturnType<ControlContext['probeUpstream']> {
  if (running >= maxTestsAtOnce) {
    throw new GatewayError('too_many_attempts', {
      detail: `${maxTestsAtOnce} tests of upstreams are running; wait for one to end.`,
      retryAfter: 1,
    });
  }
  running++;
  try {
    return await context.probeUpstream(config, request);
  } finally {
    running--;
  }
}
