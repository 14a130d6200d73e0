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
}

export interface Gateway {
  /** As in --peers. */
  readonly name: string;
  /** What must be installed, with the way to it; null when all is there. */
  missing(): string | null;
  version(): string;
  /** Whether it can be set up so. */
  supports(setup: Pick<GatewaySetup, 'routes' | 'workers'>): boolean;
  /** Answers when the process is under way; it may not listen yet. */
  start(setup: GatewaySetup): Promise<Program>;
  /** What is left to be made over its own interface, once it listens: it may answer 404 before. */
  fill?(setup: GatewaySetup): Promise<void>;
}
