import type { FinishedRequest, RecordedRequest } from '../model/finished-request.ts';
import type { ApiKeyId, RouteId, UpstreamId } from '../model/ids.ts';
import type { StoreReader } from '../store/store.ts';
import type { ControlContext } from './control-context.ts';
import { finishedRequestTexts } from './recorded-request.ts';

/** The names of routes, upstreams and keys that finished requests hold the ids of; looked up once for each revision. */
export class ResourceNames {
  readonly #context: ControlContext;
  #names = new Map<string, string | null>();
  #revision = -1;

  constructor(context: ControlContext) {
    this.#context = context;
  }

  /** Puts the names to the ids; null where the resource is gone, or the store cannot be asked just now. */
  async addTo(requests: readonly RecordedRequest[]): Promise<FinishedRequest[]> {
    const names = this.#known();
    const unknown = new Set<string>();
    for (const { route_id, upstream_id, key_id } of requests) {
      for (const id of [route_id, upstream_id, key_id]) if (id !== null && !names.has(id)) unknown.add(id);
    }
    if (unknown.size > 0) await this.#lookUp(unknown, names);
    const nameOf = (id: string | null): string | null => (id === null ? null : (names.get(id) ?? null));
    return requests.map((request) => ({
      ...request,
      route: nameOf(request.route_id),
      upstream: nameOf(request.upstream_id),
      key: nameOf(request.key_id),
    }));
  }

  /** The same for what workers wrote, each as JSON: see finishedRequestTexts. */
  async textsOf(lines: readonly string[]): Promise<string[]> {
    const names = this.#known();
    const unknown = new Set<string>();
    const texts = new Map<string, string>();
    const textOf = (id: string): string => {
      const known = texts.get(id);
      if (known !== undefined) return known;
      const name = names.get(id);
      if (name === undefined) unknown.add(id);
      const text = JSON.stringify(name ?? null);
      texts.set(id, text);
      return text;
    };
    const told = finishedRequestTexts(lines, textOf);
    if (unknown.size === 0) return told;
    await this.#lookUp(unknown, names);
    texts.clear();
    return finishedRequestTexts(lines, textOf);
  }

  #known(): Map<string, string | null> {
    const { servedRevision } = this.#context.publishing;
    if (servedRevision !== this.#revision || this.#names.size > maxNames) this.#names = new Map();
    this.#revision = servedRevision;
    return this.#names;
  }

  async #lookUp(ids: ReadonlySet<string>, names: Map<string, string | null>): Promise<void> {
    try {
      await this.#context.store.read(async (tx) => {
        for (const id of ids) names.set(id, (await rowOf(tx, id))?.name ?? null);
      });
    } catch (error) {
      // What happened to requests is wanted most when something else is broken, too.
      this.#context.logger.warn({ err: error }, 'the names of routes, upstreams and keys could not be read');
    }
  }
}

const maxNames = 20_000;

function rowOf(tx: StoreReader, id: string): Promise<{ readonly name: string } | undefined> {
  if (id.startsWith('rt_')) return tx.routes.get(id as RouteId);
  return id.startsWith('up_') ? tx.upstreams.get(id as UpstreamId) : tx.keys.get(id as ApiKeyId);
}
