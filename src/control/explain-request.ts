import { GatewayError } from '../errors/gateway-error.ts';
import type { AskedRequest, Explanation, ExplainInput } from '../model/explanation.ts';
import { explainOutlineSchema, tieWords } from '../model/explanation.ts';
import type { Credential } from '../model/gateway-config.ts';
import type { UpstreamRow } from '../store/store.ts';
import type { ControlContext } from './control-context.ts';
import { upstreamConfigOf } from './credentials.ts';
import { WorkTurns } from './work-turns.ts';
import { heldState } from './held-state.ts';
import { apiKeyConfigOf, routeConfigOf } from './load-change.ts';
import { Pace } from './pace.ts';
import { planGatewayConfig } from './plan-gateway-config.ts';
import { readDeclared } from './read-declared.ts';
import { validateInput } from './validate-input.ts';

export interface ExplainOptions {
  /** `command`: no gateway runs that could be asked. */
  readonly by: Explanation['explained_by'];
  /** Why not, for the person. */
  readonly note?: string;
}

/**
 * What would become of a request, and why: with the gateway config as it is, or as it would be after applying a draft. Nothing is
 * sent or stored, and no secret is in the answer.
 * @throws GatewayError `validation_failed`, `conflict`, `storage_unavailable`
 */
export async function explainRequest(context: ControlContext, input: unknown, options: ExplainOptions): Promise<Explanation> {
  const values = validateInput(explainOutlineSchema, input);
  const request: AskedRequest = {
    method: values.method ?? 'GET',
    url: values.url,
    headers: values.headers ?? [],
    body: values.body ?? null,
    clientAddress: values.client_address ?? '127.0.0.1',
  };
  refuseOtherLength(request);
  const config = values.config ?? null;
  if (config === null && values.prune === true)
    throw new GatewayError('validation_failed', { errors: [{ field: 'prune', message: 'only goes with config' }] });
  if (config === null) return await explained(context, request, await storedState(context, request), options);
  return await drafts.take(async () => {
    const state = await draftState(context, request, config, values.prune === true).catch((error: unknown) => {
      throw error instanceof GatewayError && error.code === 'validation_failed' ? inConfig(error) : error;
    });
    return await explained(context, request, state, options);
  });
}

const drafts = new WorkTurns(16);

/** What is asked about: as it is, or as it would be. */
interface AskedState {
  readonly isDraft: boolean;
  readonly revision: number;
  readonly routes: ExplainInput['routes'];
  readonly keys: ExplainInput['keys'];
  /** The one that the request would go to. */
  readonly upstreamRow: UpstreamRow | undefined;
  /** Whether its credential is the stored one. */
  readonly isStored: boolean;
}

async function explained(
  context: ControlContext,
  request: AskedRequest,
  { isDraft, revision, routes, keys, upstreamRow, isStored }: AskedState,
  { by, note }: ExplainOptions,
): Promise<Explanation> {
  // Of a draft a credential is taken to be there: to look would tell its author which files and variables exist.
  const credential = upstreamRow === undefined ? undefined : isStored ? await maskedCredential(context, upstreamRow) : assumed(upstreamRow);
  const found = await context.explainer.explain({
    routes,
    keys,
    upstream: upstreamRow === undefined ? undefined : upstreamConfigOf(upstreamRow, credential!),
    request,
    usesEnvironment: !isDraft,
  });
  const notes = [...found.notes];
  // Ids of new routes are drawn when they are stored.
  if (isDraft && found.candidates.some(({ detail }) => detail.endsWith(tieWords)))
    notes.push('Routes that are equal in all else go by id, and a new one gets its id when it is stored: the other one may win then.');
  if (note !== undefined) notes.push(note);
  return { ...found, notes, draft: isDraft, revision, explained_by: by };
}

async function storedState(context: ControlContext, request: AskedRequest): Promise<AskedState> {
  // Mostly the very list that is found below.
  await context.explainer.prepare(await context.store.read((tx) => context.routeTable.all(tx)), new Pace());
  return await context.store.read(async (tx) => {
    const routes = await context.routeTable.all(tx);
    const id = await context.explainer.upstreamAsked(routes, request);
    return {
      isDraft: false,
      revision: await tx.revision(),
      routes,
      keys: (await tx.keys.changedSince(-1)).map(apiKeyConfigOf),
      upstreamRow: id === undefined ? undefined : await tx.upstreams.get(id),
      isStored: true,
    };
  });
}

/** Longest that a draft is worked on: whoever may read may ask for this. Milliseconds; 10,000 routes take one second. */
const longestWork = 10_000;

async function draftState(context: ControlContext, request: AskedRequest, config: object, prune: boolean): Promise<AskedState> {
  const pace = new Pace(longestWork, tooLong);
  const draft = await readDeclared(config, pace);
  // Planned outside of any transaction: others must not wait for it.
  const { revision, reader } = await context.store.readMany((tx) => heldState(tx));
  const { after } = await planGatewayConfig(context, reader, draft, prune, pace);
  const withRevision = <Row extends object>(row: Row): Row & { revision: number } => ({ ...row, revision: 0 });
  const routes = Array.from(after.routes.rows(), (row) => routeConfigOf(withRevision(row)));
  await context.explainer.prepare(routes, pace);
  const id = await context.explainer.upstreamAsked(routes, request);
  const row = id === undefined ? undefined : after.upstreams.ofId(id);
  const stored = id === undefined ? undefined : await reader.upstreams.get(id);
  return {
    isDraft: true,
    revision,
    routes,
    keys: Array.from(after.keys.rows(), (key) => apiKeyConfigOf(withRevision(key))),
    upstreamRow: row === undefined ? undefined : withRevision(row),
    isStored: row !== undefined && stored !== undefined && hasSameCredential(withRevision(row), stored),
  };
}

function tooLong(): GatewayError {
  const message = `takes longer than ${longestWork / 1000} s to look at: leave out what the request has nothing to do with`;
  return new GatewayError('validation_failed', { errors: [{ field: '', message }] });
}

function inConfig({ errors }: GatewayError): GatewayError {
  return new GatewayError('validation_failed', {
    errors: errors.map(({ field, message }) => ({ field: field === '' ? 'config' : `config.${field}`, message })),
  });
}

function hasSameCredential(row: UpstreamRow, stored: UpstreamRow): boolean {
  return (
    row.auth_type === stored.auth_type &&
    row.auth_value_reference === stored.auth_value_reference &&
    row.auth_value_sealed === stored.auth_value_sealed
  );
}

/** Whether there is one, and if not why; the secret itself goes no further than this. */
async function maskedCredential(context: ControlContext, row: UpstreamRow): Promise<Credential> {
  const { credential } = await context.credentials.resolve(row);
  return credential.kind === 'value' ? mask : credential;
}

function assumed(row: UpstreamRow): Credential {
  return row.auth_type === 'none' ? { kind: 'none' } : mask;
}

const mask: Credential = { kind: 'value', value: '***' };

/** A body that is not as long as its head says would be a request that never ends, or two of them. */
function refuseOtherLength({ headers, body }: AskedRequest): void {
  const given = headers.findIndex(({ name }) => name.toLowerCase() === 'content-length');
  const said = given < 0 ? '' : headers[given]!.value.trim();
  const length = Buffer.byteLength(body ?? '', 'utf8');
  if (!/^\d{1,15}$/.test(said) || Number(said) === length) return;
  throw new GatewayError('validation_failed', {
    errors: [{ field: `headers.${given}.value`, message: `says ${said}, but the body has ${length} bytes; leave the header out` }],
  });
}
