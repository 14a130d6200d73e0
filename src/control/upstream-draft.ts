import { originOf, parseBaseUrl } from '../model/base-url.ts';
import { authValueProblem } from '../model/auth-value.ts';
import type { UpstreamId } from '../model/ids.ts';
import { type AuthType, upstreamDefaults } from '../model/upstream.ts';
import type { UpdateUpstream } from '../model/upstream-schema.ts';
import { readReference } from '../secrets/reference.ts';
import type { StoreReader, UpstreamRow } from '../store/store.ts';
import type { ControlContext } from './control-context.ts';
import { authValuePlace, upstreamConfigOf } from './credentials.ts';
import { ownListenerProblem } from './own-listeners.ts';
import { followKey } from './secret-key.ts';
import type { InputReading } from './validate-input.ts';

/** An upstream as an input would make it, its credential not yet sealed. */
export interface UpstreamDraft {
  readonly row: Omit<UpstreamRow, 'revision'>;
  readonly authValue: AuthValueChange;
  readonly warnings: readonly string[];
}

type AuthValueChange =
  | { readonly kind: 'keep' }
  | { readonly kind: 'clear' }
  | { readonly kind: 'seal'; readonly value: string }
  | { readonly kind: 'refer'; readonly reference: string };

export interface DraftTarget {
  readonly id: UpstreamId;
  /** The row that is changed; undefined for a new one. */
  readonly before: UpstreamRow | undefined;
  /** When the change is made. */
  readonly at: number;
}

/**
 * Makes the row that an input leads to and adds to `reading.errors` what only shows when fields are seen
 * together. With errors the draft is of no use.
 */
export function draftUpstream(context: ControlContext, reading: InputReading<UpdateUpstream>, target: DraftTarget): UpstreamDraft {
  const { values, errors } = reading;
  const { before } = target;
  const given = <Field extends keyof typeof upstreamDefaults>(field: Field): UpstreamRow[Field] => {
    const value = values[field] === undefined ? before?.[field] : values[field];
    return (value ?? upstreamDefaults[field]) as UpstreamRow[Field];
  };
  const authType = given('auth_type');
  const authTypeKnown = !errors.some(({ field }) => field === 'auth_type');
  const authValue: AuthValueChange = authTypeKnown ? authValueChange(reading, before, authType) : { kind: 'keep' };
  const authHeader = authTypeKnown ? authHeaderOf(reading, before, authType) : null;
  checkOwnListeners(context, reading);

  const base_url = values.base_url ?? before?.base_url ?? '';
  const row: UpstreamDraft['row'] = {
    id: target.id,
    name: values.name ?? before?.name ?? '',
    description: given('description'),
    base_url,
    timeout_ms: given('timeout_ms'),
    max_idle_conns: given('max_idle_conns'),
    idle_conn_timeout_ms: given('idle_conn_timeout_ms'),
    max_conns: given('max_conns'),
    auth_type: authType,
    auth_header: authHeader,
    auth_value_sealed: before?.auth_value_sealed ?? null,
    auth_value_reference: before?.auth_value_reference ?? null,
    auth_value_updated_at: before?.auth_value_updated_at ?? null,
    preserve_host: given('preserve_host'),
    tls_ca: given('tls_ca'),
    tls_server_name: given('tls_server_name'),
    health_check_path: given('health_check_path'),
    health_check_interval_ms: given('health_check_interval_ms'),
    health_check_timeout_ms: given('health_check_timeout_ms'),
    health_check_status: given('health_check_status'),
    enabled: given('enabled'),
    managed: before?.managed ?? false,
    created_at: before?.created_at ?? target.at,
    updated_at: target.at,
  };

  const warnings: string[] = [];
  if (authType !== 'none' && authValue.kind === 'clear') {
    warnings.push(`auth_type is ${authType} but auth_value is not set: requests to this upstream answer 503 until it is`);
  }
  if ((row.tls_ca !== null || row.tls_server_name !== null) && /^http:/i.test(base_url)) {
    warnings.push('tls_ca and tls_server_name have no effect, because base_url is http');
  }
  return { row, authValue, warnings };
}

/** Adds what the gateway's own compiler finds wrong. For drafts without errors. */
export function trialCompileUpstream(context: ControlContext, draft: UpstreamDraft, errors: InputReading<unknown>['errors']): void {
  const credential = draft.row.auth_type === 'none' ? ({ kind: 'none' } as const) : ({ kind: 'unavailable', reason: 'trial' } as const);
  errors.push(...context.trialCompiler.upstream(upstreamConfigOf({ ...draft.row, revision: 0 }, credential)));
}

/**
 * The row with its credential as it is stored: sealed for this row alone, or as the reference that was given. Inside the
 * transaction that stores it, so that no rotation of the key can come between.
 */
export async function sealUpstream(
  context: ControlContext,
  tx: StoreReader,
  { row, authValue }: UpstreamDraft,
): Promise<Omit<UpstreamRow, 'revision'>> {
  switch (authValue.kind) {
    case 'keep':
      return row;
    case 'clear':
      return { ...row, auth_value_sealed: null, auth_value_reference: null, auth_value_updated_at: null };
    case 'seal': {
      await followKey(context.sealer, tx);
      const sealed = context.sealer.seal(authValuePlace(row.id), authValue.value);
      return { ...row, auth_value_sealed: sealed, auth_value_reference: null, auth_value_updated_at: row.updated_at };
    }
    case 'refer':
      return { ...row, auth_value_sealed: null, auth_value_reference: authValue.reference, auth_value_updated_at: row.updated_at };
  }
}

function authValueChange(reading: InputReading<UpdateUpstream>, before: UpstreamRow | undefined, type: AuthType): AuthValueChange {
  const { values, errors } = reading;
  const value = values.auth_value;
  const problem = (message: string): AuthValueChange => {
    // What is wrong with the value itself comes first, and one finding is enough.
    if (!errors.some(({ field }) => field === 'auth_value')) errors.push({ field: 'auth_value', message });
    return { kind: 'keep' };
  };
  if (type === 'none') {
    return typeof value === 'string'
      ? problem('is not used with auth_type none; set auth_type to bearer, header or basic')
      : { kind: 'clear' };
  }
  if (typeof value === 'string') {
    const reference = readReference(value);
    if (reference.kind === 'malformed') return problem(reference.message);
    if (reference.kind === 'reference') return { kind: 'refer', reference: value };
    const unfit = authValueProblem(type, value);
    return unfit === undefined ? { kind: 'seal', value } : problem(unfit);
  }
  if (before === undefined || before.auth_type === 'none') return problem(`is required with auth_type ${type}`);
  if (value === null) return { kind: 'clear' };
  // Whoever may change an upstream but not read its credential must not be able to have it sent elsewhere.
  if (before.auth_type !== type) return problem('must be given again when auth_type changes');
  const hasValue = before.auth_value_sealed !== null || before.auth_value_reference !== null;
  if (hasValue && values.base_url !== undefined && originOfText(values.base_url) !== originOfText(before.base_url)) {
    return problem('must be given again when the scheme, host or port of base_url changes');
  }
  return { kind: 'keep' };
}

function authHeaderOf(reading: InputReading<UpdateUpstream>, before: UpstreamRow | undefined, type: AuthType): string | null {
  const { values, errors } = reading;
  if (type !== 'header') {
    if (typeof values.auth_header === 'string') errors.push({ field: 'auth_header', message: 'is used with auth_type header only' });
    return null;
  }
  const name = values.auth_header === undefined ? (before?.auth_header ?? null) : values.auth_header;
  if (name === null && !errors.some(({ field }) => field === 'auth_header')) {
    errors.push({ field: 'auth_header', message: 'is required with auth_type header' });
  }
  return name;
}

function checkOwnListeners(context: ControlContext, { values, errors }: InputReading<UpdateUpstream>): void {
  if (values.base_url === undefined) return;
  const url = parseBaseUrl(values.base_url);
  const problem = url.ok ? ownListenerProblem(url.value, context.ownListeners()) : undefined;
  if (problem !== undefined) errors.push({ field: 'base_url', message: problem });
}

function originOfText(text: string): string {
  const url = parseBaseUrl(text);
  return url.ok ? originOf(url.value) : text;
}
