import type { ErrorCode } from '../../errors/catalogue.ts';
import { kindOfName } from '../../http/known-fields.ts';
import { type BaseUrl, parseBaseUrl } from '../../model/base-url.ts';
import type { UpstreamConfig } from '../../model/gateway-config.ts';
import type { UpstreamId } from '../../model/ids.ts';
import { upstreamPartOf } from '../record/exchange-line.ts';
import type { PoolSettings, UpstreamPool } from '../forward/upstream-pool.ts';

/** An upstream with everything that can be prepared before a request comes. */
export interface CompiledUpstream {
  readonly id: UpstreamId | '';
  readonly name: string;
  readonly pool: UpstreamPool;
  readonly timeoutMs: number;
  /** Why no request goes there at all, or null. */
  readonly refusal: ErrorCode | null;
  readonly refusalReason: string;
  /** Goes in front of every path: '' or '/x'. */
  readonly pathPrefix: string;
  /** Whether the client's own Host goes on. */
  readonly preservesHost: boolean;
  /** What Host says where the client, which may be one of HTTP/1.0, sent none. */
  readonly authority: string;
  /** Behind the target: the version, and `Host: …` unless the client's own goes on, each with its line end. */
  readonly afterTarget: Uint8Array;
  /** The credential's field with its line end; empty when there is none. */
  readonly credentialField: Uint8Array;
  /** The same and the empty line. */
  readonly headEnd: Uint8Array;
  /** Lower-case name of the credential's field, or ''. */
  readonly credentialName: string;
  /** Number of that name among the known ones, or 0. */
  readonly credentialKind: number;
  /** For the access log. */
  readonly logPart: Uint8Array;
  /** The control plane: requests carry who the client is and the proof that we are a worker. */
  readonly isAdmin: boolean;
}

/** Thrown where an upstream cannot be compiled; validation should have refused it. */
export class UncompilableUpstream extends Error {}

/** Compiles one upstream. `poolFor` gives the pool that fits its connections' fields, kept from before where it can be. */
export function compileUpstream(
  config: UpstreamConfig,
  poolFor: (config: UpstreamConfig, base: BaseUrl, settings: PoolSettings) => UpstreamPool,
): CompiledUpstream {
  const parsed = parseBaseUrl(config.base_url);
  if (!parsed.ok) throw new UncompilableUpstream(`base_url ${parsed.message}`);
  const base = parsed.value;
  const settings: PoolSettings = {
    timeoutMs: config.timeout_ms,
    maxIdle: config.max_idle_conns,
    idleTimeoutMs: config.idle_conn_timeout_ms,
    maxActive: config.max_conns,
  };
  const credential = credentialOf(config);
  const refusal = !config.enabled ? 'upstream_disabled' : credential === null ? 'upstream_credential_unavailable' : null;
  return {
    id: config.id,
    name: config.name,
    pool: poolFor(config, base, settings),
    timeoutMs: config.timeout_ms,
    refusal,
    refusalReason:
      refusal === 'upstream_credential_unavailable' && config.credential.kind === 'unavailable' ? config.credential.reason : '',
    pathPrefix: base.path,
    preservesHost: config.preserve_host,
    authority: base.authority,
    afterTarget: afterTarget(config.preserve_host ? '' : base.authority),
    ...credentialBytes(credential === null || credential.name === '' ? '' : `${credential.name}: ${credential.value}\r\n`),
    credentialName: credential?.name.toLowerCase() ?? '',
    credentialKind: credential === null ? 0 : kindOfName(credential.name.toLowerCase().replaceAll('_', '-')),
    logPart: upstreamPartOf(config.id),
    isAdmin: false,
  };
}

// null: there should be a credential but it cannot be produced, so no request may go out.
function credentialOf(config: UpstreamConfig): { name: string; value: string } | null {
  if (config.auth_type === 'none') return { name: '', value: '' };
  if (config.credential.kind !== 'value') return null;
  const value = config.credential.value;
  switch (config.auth_type) {
    case 'bearer':
      return { name: 'Authorization', value: `Bearer ${value}` };
    case 'basic':
      return { name: 'Authorization', value: `Basic ${Buffer.from(value, 'latin1').toString('base64')}` };
    case 'header':
      return config.auth_header === null ? null : { name: config.auth_header, value };
  }
}

/** CompiledUpstream.afterTarget; '' where the client's own Host goes on. */
export function afterTarget(authority: string): Uint8Array {
  return Buffer.from(` HTTP/1.1\r\n${authority === '' ? '' : `Host: ${authority}\r\n`}`, 'latin1');
}

/** The credential's field, with its line end or '', in the two forms in which it is written. */
export function credentialBytes(field: string): Pick<CompiledUpstream, 'credentialField' | 'headEnd'> {
  return { credentialField: Buffer.from(field, 'latin1'), headEnd: Buffer.from(`${field}\r\n`, 'latin1') };
}
