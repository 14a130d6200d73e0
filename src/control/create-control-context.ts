import { createReferenceResolver } from '../secrets/reference.ts';
import type { Sealer } from '../secrets/sealer.ts';
import type { Store } from '../store/store.ts';
import type {
  ControlContext,
  ControlLogger,
  Explainer,
  OwnListener,
  Previewer,
  Publisher,
  TrialCompiler,
  UpstreamProbe,
} from './control-context.ts';
import { createCredentials } from './credentials.ts';
import { createPublishing } from './publishing.ts';
import { createRouteTable } from './route-table.ts';

export interface ControlContextOptions {
  readonly store: Store;
  /** From openSealer. */
  readonly sealer: Sealer;
  /** null in a process without workers, as the CLI. */
  readonly publisher: Publisher | null;
  readonly trialCompiler: TrialCompiler;
  readonly probeUpstream: UpstreamProbe;
  readonly previewer: Previewer;
  readonly explainer: Explainer;
  readonly logger: ControlLogger;
  /** Asked at each save, because ports may be known only once listening. */
  readonly ownListeners?: () => readonly OwnListener[];
  /** For `${env.NAME}`; this process's own when not given. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Files that `${file:…}` never reads: the key file and the database. */
  readonly protectedFiles?: readonly string[];
  readonly clock?: () => number;
}

/** Gathers what the use cases of the gateway config need. */
export function createControlContext(options: ControlContextOptions): ControlContext {
  const { store, sealer, publisher, trialCompiler, probeUpstream, previewer, explainer, logger } = options;
  const references = createReferenceResolver({
    environment: options.environment ?? process.env,
    protectedFiles: options.protectedFiles ?? [],
  });
  const credentials = createCredentials(sealer, references);
  return {
    store,
    sealer,
    credentials,
    publishing: createPublishing({ store, credentials, publisher, logger }),
    trialCompiler,
    probeUpstream,
    previewer,
    explainer,
    routeTable: createRouteTable(),
    clock: options.clock ?? Date.now,
    ownListeners: options.ownListeners ?? (() => []),
    logger,
  };
}
