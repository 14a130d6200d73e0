import { peer } from './peers.ts';

/** What is used here of the package `undici`. */
interface UndiciPackage {
  readonly Agent: new () => Dispatcher;
  readonly Client: new (origin: string, options: { readonly pipelining: number }) => UndiciClient;
  readonly fetch: (input: unknown, init?: object) => Promise<Response>;
}

interface Dispatcher {
  destroy(): Promise<void>;
}

/** One connection at a time; `connect` and `disconnect` are its events. */
export interface UndiciClient extends Dispatcher, NodeJS.EventEmitter {
  request(options: {
    readonly method: string;
    readonly path: string;
  }): Promise<{ readonly statusCode: number; readonly body: { text(): Promise<string> } }>;
}

/** A client that sends up to `pipelining` requests ahead of the answers. */
export function undiciClient(origin: string, pipelining: number): UndiciClient {
  return new (peer('undici') as UndiciPackage).Client(origin, { pipelining });
}

export interface ScopedFetch extends AsyncDisposable {
  readonly fetch: typeof fetch;
}

/** `fetch` with connections of its own, which are closed when it is disposed of: the global one keeps its own for seconds. */
export function scopedFetch(headers: Readonly<Record<string, string>> = {}): ScopedFetch {
  const undici = peer('undici') as UndiciPackage;
  const dispatcher = new undici.Agent();
  return {
    fetch: (input, init) => {
      const all = new Headers(init?.headers);
      for (const [name, value] of Object.entries(headers)) all.set(name, value);
      return undici.fetch(input, { ...init, headers: [...all], dispatcher });
    },
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  };
}
