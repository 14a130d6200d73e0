import type { GatewayConfigChange } from '../model/gateway-config.ts';

type Row = { readonly id: string };

/**
 * The gateway config that was published last, in main's memory, so that a worker can be replaced even while the
 * store cannot be read.
 */
export class ConfigMirror {
  revision = 0;
  private readonly upstreamsById = new Map<string, GatewayConfigChange['upstreams'][number]>();
  private readonly routes = new Map<string, GatewayConfigChange['routes'][number]>();
  private readonly keys = new Map<string, GatewayConfigChange['keys'][number]>();

  apply(change: GatewayConfigChange): void {
    this.revision = change.revision;
    const tables = [this.upstreamsById, this.routes, this.keys] as const;
    if (change.full) for (const table of tables) table.clear();
    for (const id of change.removed) for (const table of tables) table.delete(id);
    putAll(this.upstreamsById, change.upstreams);
    putAll(this.routes, change.routes);
    putAll(this.keys, change.keys);
  }

  upstreams(): GatewayConfigChange['upstreams'][number][] {
    return [...this.upstreamsById.values()];
  }

  /** Everything, as a worker's first change. */
  full(): GatewayConfigChange {
    return {
      revision: this.revision,
      full: true,
      upstreams: this.upstreams(),
      routes: [...this.routes.values()],
      keys: [...this.keys.values()],
      removed: [],
    };
  }
}

function putAll<T extends Row>(table: Map<string, T>, rows: readonly T[]): void {
  for (const row of rows) table.set(row.id, row);
}
