import type tls from 'node:tls';
import { type BaseUrl, originOf } from '../../model/base-url.ts';
import type { UpstreamConfig } from '../../model/gateway-config.ts';
import type { UpstreamId } from '../../model/ids.ts';
import type { PoolLimits } from '../forward/pool-limits.ts';
import { type PoolServices, type PoolSettings, UpstreamPool } from '../forward/upstream-pool.ts';

interface Entry {
  readonly key: string;
  readonly pool: UpstreamPool;
}

/**
 * The pools of one worker, kept over config changes: an upstream keeps its pool as long as the fields that its
 * connections depend on stay the same. Pools are never shared between upstreams, nor are TLS sessions.
 */
export class PoolRegistry {
  private readonly services: PoolServices;
  private readonly limits: PoolLimits;
  private readonly secureContextFor: (tlsCa: string | null) => tls.SecureContext;
  private readonly loadTrust: () => void;
  private readonly entries = new Map<UpstreamId, Entry>();

  constructor(
    services: PoolServices,
    limits: PoolLimits,
    secureContextFor: (tlsCa: string | null) => tls.SecureContext,
    loadTrust: () => void,
  ) {
    this.services = services;
    this.limits = limits;
    this.secureContextFor = secureContextFor;
    this.loadTrust = loadTrust;
  }

  poolFor(config: UpstreamConfig, base: BaseUrl, settings: PoolSettings): UpstreamPool {
    const key = JSON.stringify([originOf(base), config.tls_ca, config.tls_server_name]);
    const known = this.entries.get(config.id);
    if (known !== undefined && known.key === key) {
      known.pool.follow(settings);
      if (!config.enabled) known.pool.closeAllIdle();
      return known.pool;
    }
    known?.pool.retire();
    // Reading the system's certificates takes a moment: at the change that needs them, not at the first request.
    if (base.protocol === 'https' && config.tls_ca === null) this.loadTrust();
    const secureContext = base.protocol === 'https' ? (): tls.SecureContext => this.secureContextFor(config.tls_ca) : undefined;
    const target = { kind: 'tcp', base, serverName: config.tls_server_name ?? base.host, secureContext } as const;
    const pool = new UpstreamPool(this.services, target, this.limits, this.limits.directory.slotOf(config.id), settings);
    this.entries.set(config.id, { key, pool });
    return pool;
  }

  retire(id: UpstreamId): void {
    this.entries.get(id)?.pool.retire();
    this.entries.delete(id);
  }

  retireAllBut(kept: ReadonlyMap<UpstreamId, unknown>): void {
    for (const id of this.entries.keys()) if (!kept.has(id)) this.retire(id);
  }
}
