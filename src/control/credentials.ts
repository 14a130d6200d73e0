import type { Credential, UpstreamConfig } from '../model/gateway-config.ts';
import { authValueProblem } from '../model/auth-value.ts';
import type { UpstreamId } from '../model/ids.ts';
import { readReference, type ReferenceResolver, type SecretReference } from '../secrets/reference.ts';
import type { SealedPlace, Sealer } from '../secrets/sealer.ts';
import type { UpstreamRow } from '../store/store.ts';

/** The credential of an upstream, and how to notice that it changed outside of the store. */
export interface ResolvedCredential {
  readonly credential: Credential;
  /** Of the file that it came from; undefined when it did not come from a file. */
  readonly fileVersion?: string;
}

export interface Credentials {
  /** Never throws: what cannot be produced is `unavailable` with the reason, which holds no secret. */
  resolve(row: UpstreamRow): Promise<ResolvedCredential>;
  /** The present version of the file that the row's credential comes from; undefined when from none. */
  fileVersion(row: UpstreamRow): Promise<string | undefined>;
}

/** Produces the credentials of upstreams, opened in memory. */
export function createCredentials(sealer: Sealer, references: ReferenceResolver): Credentials {
  return {
    resolve: (row) => produce(sealer, references, row),
    async fileVersion(row) {
      const reference = fileReferenceOf(row);
      return reference === undefined ? undefined : await references.version(reference);
    },
  };
}

/** Where an upstream's credential lies sealed. */
export function authValuePlace(id: UpstreamId): SealedPlace {
  return { table: 'upstreams', id, field: 'auth_value' };
}

/** The file that a row's credential is read from, if it is. */
export function fileReferenceOf(row: UpstreamRow): SecretReference | undefined {
  if (row.auth_type === 'none' || row.auth_value_reference === null) return undefined;
  const reading = readReference(row.auth_value_reference);
  return reading.kind === 'reference' && reading.reference.kind === 'file' ? reading.reference : undefined;
}

/** What a worker needs of an upstream. */
export function upstreamConfigOf(row: UpstreamRow, credential: Credential): UpstreamConfig {
  return {
    id: row.id,
    name: row.name,
    base_url: row.base_url,
    timeout_ms: row.timeout_ms,
    max_idle_conns: row.max_idle_conns,
    idle_conn_timeout_ms: row.idle_conn_timeout_ms,
    max_conns: row.max_conns,
    auth_type: row.auth_type,
    auth_header: row.auth_header,
    credential,
    preserve_host: row.preserve_host,
    tls_ca: row.tls_ca,
    tls_server_name: row.tls_server_name,
    health_check_path: row.health_check_path,
    health_check_interval_ms: row.health_check_interval_ms,
    health_check_timeout_ms: row.health_check_timeout_ms,
    health_check_status: row.health_check_status,
    enabled: row.enabled,
  };
}

async function produce(sealer: Sealer, references: ReferenceResolver, row: UpstreamRow): Promise<ResolvedCredential> {
  if (row.auth_type === 'none') return { credential: { kind: 'none' } };
  if (row.auth_value_sealed !== null) {
    const opened = sealer.open(authValuePlace(row.id), row.auth_value_sealed);
    return { credential: opened.ok ? { kind: 'value', value: opened.value } : unavailable(opened.reason) };
  }
  if (row.auth_value_reference === null) return { credential: unavailable('no auth_value is set') };
  const reading = readReference(row.auth_value_reference);
  if (reading.kind !== 'reference') return { credential: unavailable('its reference is malformed') };
  const { reference } = reading;
  const resolved = await references.resolve(reference);
  const version = reference.kind === 'file' ? { fileVersion: resolved.version } : {};
  if (!resolved.ok) return { credential: unavailable(resolved.reason), ...version };
  const problem = authValueProblem(row.auth_type, resolved.value);
  if (problem === undefined) return { credential: { kind: 'value', value: resolved.value }, ...version };
  const source = reference.kind === 'file' ? `the content of the file ${reference.path}` : `the environment variable ${reference.name}`;
  return { credential: unavailable(`${source} ${problem}`), ...version };
}

function unavailable(reason: string): Credential {
  return { kind: 'unavailable', reason };
}
