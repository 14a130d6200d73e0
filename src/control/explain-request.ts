import { GatewayError } from '../errors/gateway-error.ts';
import type { AskedRequest, Explanation, ExplainInput } from '../model/explanation.ts';
import { explainOutlineSchema, tieWords } from '../model/explanation.ts';
import type { Credential } from '../model/gateway-config.ts';
import type { StoreReader, UpstreamRow } from '../store/store.ts';
import type { ControlContext } from './control-context.ts';
import { upstreamConfigOf } from './credentials.ts';
import { apiKeyConfigOf, routeConfigOf } from './load-change.ts';
import { planGatewayConfig } from './plan-gateway-config.ts';
import { type DeclaredConfig, readDeclared } from './read-declared.ts';
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
export async function explainRequest(context: ControlContext, input: unknown, { by, note }: ExplainOptions): Promise<Explanation> {
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
  const draft = config === null ? undefined : await readDeclared(config);
  const { revision, asked, upstreamRow, isStored } = await context.store.read(async (tx) => {
    const rows = draft === undefined ? await storedRows(context, tx) : await draftRows(context, tx, draft, values.prune === true);
    const id = await context.explainer.upstreamAsked(rows.routes, request);
    const row = id === undefined ? undefined : await rows.upstream(id);
    const stored = draft === undefined || id === undefined ? row : await tx.upstreams.get(id);
    return {
      revision: await tx.revision(),
      asked: { routes: rows.routes, keys: await rows.keys() },
      upstreamRow: row,
      isStored: row !== undefined && stored !== undefined && hasSameCredential(row, stored),
    };
  });
  // Of a draft a credential is taken to be there: to look would tell its author which files and variables exist.
  const credential = upstreamRow === undefined ? undefined : isStored ? await maskedCredential(context, upstreamRow) : assumed(upstreamRow);
  const explained = await context.explainer.explain({
    ...asked,
    upstream: upstreamRow === undefined ? undefined : upstreamConfigOf(upstreamRow, credential!),
    request,
    usesEnvironment: draft === undefined,
  });
  const notes = [...explained.notes];
  // Ids of new routes are drawn when they are stored.
  if (draft !== undefined && explained.candidates.some(({ detail }) => detail.endsWith(tieWords)))
    notes.push('Routes that are equal in all else go by id, and a new one gets its id when it is stored: the other one may win then.');
  if (note !== undefined) notes.push(note);
  return { ...explained, notes, draft: draft !== undefined, revision, explained_by: by };
}

/** The gateway config that is asked about. */
interface AskedRows extends Pick<ExplainInput, 'routes'> {
  upstream(id: string): Promise<UpstreamRow | undefined>;
  keys(): Promise<ExplainInput['keys']>;
}

async function storedRows(context: ControlContext, tx: StoreReader): Promise<AskedRows> {
  return {
    routes: await context.routeTable.all(tx),
    upstream: (id) => tx.upstreams.get(id as UpstreamRow['id']),
    keys: async () => (await tx.keys.changedSince(-1)).map(apiKeyConfigOf),
  };
}

async function draftRows(context: ControlContext, tx: StoreReader, draft: DeclaredConfig, prune: boolean): Promise<AskedRows> {
  const { after } = await planGatewayConfig(context, tx, draft, prune).catch((error: unknown) => {
    throw error instanceof GatewayError && error.code === 'validation_failed' ? inConfig(error) : error;
  });
  const withRevision = <Row extends object>(row: Row): Row & { revision: number } => ({ ...row, revision: 0 });
  return {
    routes: Array.from(after.routes.rows(), (row) => routeConfigOf(withRevision(row))),
    upstream: async (id) => {
      const row = after.upstreams.ofId(id);
      return row === undefined ? undefined : withRevision(row);
    },
    keys: async () => Array.from(after.keys.rows(), (row) => apiKeyConfigOf(withRevision(row))),
  };
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
