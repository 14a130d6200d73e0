import type { Program } from '../measure/programs.ts';

/** What a gateway is asked to be. All of them do equal work: keep connections, add the same fields, log each request. */
export interface GatewaySetup {
  readonly port: number;
  /** Free too, for a gateway with an interface for its administration. */
  readonly adminPort: number;
  readonly upstreamPort: number;
  /** Its own, for its files. */
  readonly directory: string;
  readonly cores: string;
  readonly workers: number;
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** 0: everything goes to the upstream. Else as many routes, of the prefixes /r/0, /r/1 and so on. */
  readonly routes: number;
  /** What is done to each request beyond that; gateways that are there to compare with do none of it. */
  readonly policy: Policy;
  /** Where /ws leads with policy `websocket`. */
  readonly websocketPort: number;
}

/**
 * `headers`: one header set in the request, one in the response. `mask`: a field of each object in a JSON response. `everything`:
 * an API key with a rate limit and both headers, on each of the routes. `websocket`: upgrades on /ws.
 */
export type Policy = 'none' | 'headers' | 'mask' | 'everything' | 'websocket';

export interface Gateway {
  /** As in --peers. */
  readonly name: string;
  /** What must be installed, with the way to it; null when all is there. */
  missing(): string | null;
  version(): string;
  /** Whether it can be set up so. */
  supports(setup: Pick<GatewaySetup, 'routes' | 'workers' | 'policy'>): boolean;
  /** Answers when the process is under way; it may not listen yet. */
  start(setup: GatewaySetup): Promise<Program>;
  /** What is left to be made over its own interface, once it listens: it may answer 404 before. Answers what clients must send. */
  fill?(setup: GatewaySetup): Promise<Readonly<Record<string, string>>>;
  /** What whoever follows its requests as they end must send to `adminPort`; left out where that cannot be. */
  tail?(setup: GatewaySetup): Promise<Readonly<Record<string, string>>>;
}
