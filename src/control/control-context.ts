import type { FieldError } from '../errors/gateway-error.ts';
import type { AskedRequest, Explained, ExplainInput, RecordedTakers } from '../model/explanation.ts';
import type { RecordedRequest } from '../model/finished-request.ts';
import type { GatewayConfigChange, RouteConfig, UpstreamConfig } from '../model/gateway-config.ts';
import type { RouteId, UpstreamId } from '../model/ids.ts';
import type { ProbeResult, UpstreamTestRequest } from '../model/upstream-test.ts';
import type { RoutePreview, SampleRequest, SampleResponse } from '../model/route-preview.ts';
import type { Sealer } from '../secrets/sealer.ts';
import type { Store } from '../store/store.ts';
import type { Credentials } from './credentials.ts';
import type { Rests } from './pace.ts';
import type { Publishing } from './publishing.ts';
import type { RouteTable } from './route-table.ts';

/** Who makes a change; goes into the audit row. */
export interface Actor {
  readonly kind: 'admin' | 'token' | 'cli' | 'system';
  /** Admin or token id; empty for the CLI and the system. */
  readonly id: string;
  /** E-mail, token name, or the system user's name: for people to read. */
  readonly label: string;
  readonly remoteAddress?: string;
  readonly requestId?: string;
}

/**
 * Port to the data plane, filled by main. Resolves when every worker serves the change.
 * In the CLI without a gateway in the same process there is none, and the running gateway follows the store.
 */
export interface Publisher {
  publish(change: GatewayConfigChange): Promise<void>;
}

/** Port to the data plane's own compiler, filled by main: what it cannot compile is never stored. */
export interface TrialCompiler {
  /**
   * Tries the expressions of a route, or of what is given of one, and rests in between: some take a tenth of a second, and a route may
   * have hundreds. What the others say of them is then at hand.
   */
  expressions(route: RouteExpressions, pace: Rests): Promise<void>;
  upstream(upstream: UpstreamConfig): readonly FieldError[];
  /** Also warns of what works but surprises: reserved paths, a route that another always beats. */
  route(route: RouteConfig, others: Iterable<RouteConfig>): RouteTrial;
  /**
   * The same for many at once: `all` is the whole set as it would be. Answers for those whose ids are in `changed`. Lets others run
   * meanwhile: some expressions take a while to be tried.
   */
  routes(all: readonly RouteConfig[], changed: ReadonlySet<RouteId>, pace?: Rests): Promise<ReadonlyMap<RouteId, RouteTrial>>;
  /** All routes in the order in which they are preferred, and what shadows what. The same list is looked at once. */
  order(all: readonly RouteConfig[]): readonly OrderedRoute[];
  /**
   * What is wrong with a route's transformations. `credentialName` is the header that its upstream's credential goes in, where
   * it is not Authorization.
   */
  transformation(route: RouteConfig, credentialName: string | null): readonly FieldError[];
}

/** The fields that may hold expressions. */
export type RouteExpressions = Partial<
  Pick<
    RouteConfig,
    'host_pattern' | 'host_match_type' | 'path_pattern' | 'match_type' | 'headers' | 'request_transform' | 'response_transform'
  >
>;

export interface PreviewInput {
  readonly route: RouteConfig;
  /** All routes; an older version of that one is passed over. The same list the next time saves compiling them. */
  readonly others: readonly RouteConfig[];
  /** With a mask in the place of its credential. */
  readonly upstream: UpstreamConfig;
  readonly request: SampleRequest;
  readonly response: SampleResponse | null;
}

/** Port to the data plane's own functions, filled by main: what they would make of a message, without sending any. */
export interface Previewer {
  preview(input: PreviewInput): Promise<RoutePreview>;
}

/** Port to the data plane's own functions, filled by main: what becomes of a request, and why. Nothing is sent. */
export interface Explainer {
  /** Compiles routes ahead, resting in between; the others then find the same list compiled. */
  prepare(routes: readonly RouteConfig[], pace: Rests): Promise<void>;
  /** The upstream that a request would go to, as far as matching decides it. */
  upstreamAsked(routes: readonly RouteConfig[], request: AskedRequest): Promise<UpstreamId | undefined>;
  explain(input: ExplainInput): Promise<Explained>;
  /** Which routes may take a recorded request; null where its path is refused before that. */
  takersOf(routes: readonly RouteConfig[], request: Pick<RecordedRequest, 'method' | 'host' | 'path'>): RecordedTakers | null;
}

/** A route in its place among all. */
export interface OrderedRoute {
  readonly route: RouteConfig;
  /** The most preferred route that covers this one's every request; null where there is none, and for a disabled route. */
  readonly beatenBy: RouteConfig | null;
  /** What works but will surprise, whatever other routes there are. */
  readonly warnings: readonly string[];
}

export interface RouteTrial {
  readonly errors: readonly FieldError[];
  readonly warnings: readonly string[];
}

/** Port to the data plane's way of reaching upstreams, filled by main: tests one, with its credential opened. Changes nothing. */
export type UpstreamProbe = (config: UpstreamConfig, request: UpstreamTestRequest) => Promise<ProbeResult>;

/** An address that this gateway listens on; `host` may be a wildcard such as 0.0.0.0. */
export interface OwnListener {
  readonly host: string;
  readonly port: number;
}

/** Port to the log, in pino's shape. Fields never hold a secret. */
export interface ControlLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What the use cases of the gateway config work with. One for each process; see create-control-context.ts. */
export interface ControlContext {
  readonly store: Store;
  readonly sealer: Sealer;
  /** Opens sealed secrets and resolves references. */
  readonly credentials: Credentials;
  /** Brings committed revisions to the workers, in order; does nothing without a publisher. */
  readonly publishing: Publishing;
  readonly trialCompiler: TrialCompiler;
  readonly probeUpstream: UpstreamProbe;
  readonly previewer: Previewer;
  readonly explainer: Explainer;
  /** All routes, kept in memory for the trial compiler to compare with. */
  readonly routeTable: RouteTable;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly ownListeners: () => readonly OwnListener[];
  readonly logger: ControlLogger;
}

/** What every committed change answers with. */
export interface Committed<T> {
  readonly value: T;
  readonly revision: number;
  readonly warnings: readonly string[];
}

export interface ListQuery {
  /** 1 to 500; 100 when not given. */
  readonly limit?: number;
  readonly cursor?: string;
  /** Case-insensitive part of the name (or of the e-mail address, for admins). */
  readonly q?: string;
  readonly enabled?: boolean;
}

export interface Page<T> {
  readonly data: readonly T[];
  readonly total: number;
  readonly next_cursor: string | null;
}
