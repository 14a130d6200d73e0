import { GatewayError } from '../errors/gateway-error.ts';
import type { GatewayConfigChange, UpstreamConfig } from '../model/gateway-config.ts';
import type { UpstreamId } from '../model/ids.ts';
import type { Store, UpstreamRow } from '../store/store.ts';
import type { ControlLogger, Publisher } from './control-context.ts';
import { type Credentials, fileReferenceOf, upstreamConfigOf } from './credentials.ts';
import { loadChange } from './load-change.ts';

/**
 * Brings committed revisions to the workers: one publish at a time, in order of revision, each carrying only
 * what changed since the last. Writes that are committed while one is on its way share the next.
 */
export interface Publishing {
  /** False in a process without workers: then the running gateway follows the store by itself. */
  readonly serves: boolean;
  /** The revision that every worker serves; -1 before the first publish. */
  readonly servedRevision: number;
  /**
   * Resolves when every worker serves this revision or a later one.
   * @throws GatewayError `publish_failed`; the change is stored, and the next publish brings it along
   */
  reach(revision: number): Promise<void>;
  /** Makes the next publish a full one: the store went back to an earlier state, as when a backup is restored. */
  startAnew(): void;
  /** Publishes again the upstreams whose credential files have changed; answers how many. */
  refreshFiles(): Promise<number>;
}

export interface PublishingOptions {
  readonly store: Store;
  readonly credentials: Credentials;
  readonly publisher: Publisher | null;
  readonly logger: ControlLogger;
}

export function createPublishing(options: PublishingOptions): Publishing {
  return options.publisher === null ? noPublishing : new PublishQueue(options, options.publisher);
}

const noPublishing: Publishing = {
  serves: false,
  servedRevision: -1,
  reach: async () => undefined,
  startAnew: () => undefined,
  refreshFiles: async () => 0,
};

interface FileBacked {
  readonly row: UpstreamRow;
  readonly version: string;
}

class PublishQueue implements Publishing {
  readonly serves = true;
  readonly #options: PublishingOptions;
  readonly #publisher: Publisher;
  #served = -1;
  #wanted = -1;
  /** The publishes under way; undefined when none are. */
  #running: Promise<void> | undefined;
  /** Upstreams whose credential comes from a file, as last published. */
  readonly #fileBacked = new Map<UpstreamId, FileBacked>();
  readonly #stale = new Set<UpstreamId>();

  constructor(options: PublishingOptions, publisher: Publisher) {
    this.#options = options;
    this.#publisher = publisher;
  }

  get servedRevision(): number {
    return this.#served;
  }

  async reach(revision: number): Promise<void> {
    this.#wanted = Math.max(this.#wanted, revision);
    // A round that began before this revision was wanted may end without it.
    while (this.#served < revision) await this.#round();
  }

  startAnew(): void {
    this.#served = -1;
    this.#wanted = -1;
  }

  async refreshFiles(): Promise<number> {
    let found = 0;
    for (const [id, { row, version }] of this.#fileBacked) {
      if ((await this.#options.credentials.fileVersion(row)) === version || this.#fileBacked.get(id)?.row !== row) continue;
      this.#stale.add(id);
      found += 1;
    }
    if (this.#stale.size > 0) await this.#round();
    return found;
  }

  /** Joins the publishes under way, or starts them. */
  async #round(): Promise<void> {
    this.#running ??= this.#publishAll().finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  async #publishAll(): Promise<void> {
    while (this.#served < this.#wanted || this.#stale.size > 0) {
      const stale = [...this.#stale];
      try {
        const change = await this.#nextChange(stale);
        this.#reportCredentials(change);
        await this.#publisher.publish(change);
        this.#served = change.revision;
      } catch (error) {
        for (const id of stale) this.#stale.add(id);
        this.#options.logger.error({ err: error, revision: this.#wanted }, 'a change is stored but could not be brought to every worker');
        throw error instanceof GatewayError && error.code === 'publish_failed'
          ? error
          : new GatewayError('publish_failed', { cause: error, retryAfter: 1 });
      }
    }
  }

  async #nextChange(stale: readonly UpstreamId[]): Promise<GatewayConfigChange> {
    // From the store only when it has something new: refreshed files must reach the workers without it, too.
    const step = this.#served < this.#wanted ? await this.#loadStep() : emptyStep(this.#served);
    const refreshed: UpstreamConfig[] = [];
    for (const id of stale) {
      this.#stale.delete(id);
      const backed = this.#fileBacked.get(id);
      if (backed === undefined || step.upstreams.some((upstream) => upstream.id === id)) continue;
      const { credential, fileVersion } = await this.#options.credentials.resolve(backed.row);
      refreshed.push(upstreamConfigOf(backed.row, credential));
      this.#fileBacked.set(id, { row: backed.row, version: fileVersion ?? '' });
    }
    return refreshed.length === 0 ? step : { ...step, upstreams: [...step.upstreams, ...refreshed] };
  }

  async #loadStep(): Promise<GatewayConfigChange> {
    const since = this.#served === -1 ? null : this.#served;
    const wanted = this.#wanted;
    const { change, upstreamRows, fileVersions } = await loadChange(this.#options, since);
    if (change.revision < wanted) {
      throw new GatewayError('publish_failed', { cause: new Error(`the store is at revision ${change.revision}, before ${wanted}`) });
    }
    for (const row of upstreamRows) {
      if (fileReferenceOf(row) === undefined) this.#fileBacked.delete(row.id);
      else this.#fileBacked.set(row.id, { row, version: fileVersions.get(row.id) ?? '' });
    }
    for (const id of change.removed) this.#fileBacked.delete(id as UpstreamId);
    return change;
  }

  #reportCredentials(change: GatewayConfigChange): void {
    for (const { id, name, enabled, credential } of change.upstreams) {
      if (credential.kind !== 'unavailable' || !enabled) continue;
      const message = `upstream "${name}" answers 503 until its credential is available: ${credential.reason}`;
      this.#options.logger.warn({ upstream: name, upstream_id: id, code: 'upstream_credential_unavailable' }, message);
    }
  }
}

function emptyStep(revision: number): GatewayConfigChange {
  return { revision, full: false, upstreams: [], routes: [], keys: [], removed: [] };
}
