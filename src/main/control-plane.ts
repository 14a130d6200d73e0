import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { createAdminApp, type AdminApp } from '../admin/admin-app.ts';
import type { ReadUi } from '../admin/ui-files.ts';
import { type AccessContext, createAccessContext } from '../control/access-context.ts';
import type { Actor, ControlContext, ControlLogger, OwnListener, Publisher } from '../control/control-context.ts';
import { createControlContext } from '../control/create-control-context.ts';
import type { ProbeMessage } from '../gateway/probe/probe-worker.ts';
import type { Listener } from '../model/listener.ts';
import type { ProbeResult } from '../model/upstream-test.ts';
import type { LiveTraffic } from '../control/live-traffic.ts';
import { openSealer } from '../control/secret-key.ts';
import { keyFilePath } from '../secrets/key-file.ts';
import type { KeySource } from '../secrets/key-ring.ts';
import type { AddressRange } from '../settings/parse-value.ts';
import type { Settings } from '../settings/settings.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { createExplainer } from './explainer.ts';
import { shownSettings } from './shown-settings.ts';
import { createPreviewer } from './route-previewer.ts';
import { transformEnvironment } from './transform-environment.ts';
import { createTrialCompiler } from './trial-compiler.ts';
import { version } from './version.ts';

/** Store, use cases and admin app of one process: the gateway's, or a CLI command's on the local database. */
export interface ControlPlane {
  readonly store: Store;
  readonly control: ControlContext;
  readonly access: AccessContext;
  readonly app: AdminApp;
}

export interface ControlPlaneOptions {
  readonly settings: Settings;
  /** Whether a missing database and key file are made. */
  readonly create: boolean;
  /** To look only: changes fail, and nothing is written. */
  readonly readOnly?: boolean;
  /** null in a process without workers. */
  readonly publisher: Publisher | null;
  /** Where the gateway of this database listens: addresses that no upstream may have. */
  readonly ownListeners: (store: Store) => Promise<readonly OwnListener[]>;
  /** Tests upstreams; in this thread where it is left out. */
  readonly probe?: (message: Omit<ProbeMessage, 'id'>) => Promise<ProbeResult>;
  /** Our member of Via; null in a process without workers. */
  readonly viaToken: string | null;
  readonly logger: ControlLogger;
  /** What `/metrics` answers; left out in a process without workers. */
  readonly metrics?: () => Promise<string>;
  /** What its workers do; left out as well. */
  readonly traffic?: LiveTraffic;
  /** Where they and the admin API listen; left out as well. */
  readonly listeners?: readonly Listener[];
  /** Reads the built admin UI, where there is a server to ask for it. */
  readonly ui?: ReadUi | undefined;
}

/** Opens everything that a change passes through. Rejects with a GatewayError that says what is wrong. */
export async function openControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { settings, create, publisher, ownListeners, viaToken, logger, metrics, traffic } = options;
  const probe = options.probe ?? probeHere;
  const databasePath = settings.database.path;
  const keyFile = keyFilePath(databasePath);
  const store = await openSqliteStore({
    path: databasePath,
    create,
    readOnly: options.readOnly ?? false,
    warn: (message) => logger.warn({}, message),
  });
  try {
    const sealer = await openSealer({ store, create, ...keySourceOf(settings) });
    const listeners = await ownListeners(store);
    const probing = {
      dnsServers: settings.dnsServers ?? [],
      ownListeners: listeners.map(({ host, port }) => ({ host, port })),
      viaToken: viaToken ?? 'apigate-command',
      version,
    };
    const transforms = { bodyLimit: settings.transform.bodyLimit, environment: transformEnvironment(settings) };
    const control = createControlContext({
      store,
      sealer,
      publisher,
      trialCompiler: createTrialCompiler(transforms),
      probeUpstream: (config, request) => probe({ options: probing, config, request }),
      previewer: createPreviewer(transforms, settings.limits),
      explainer: createExplainer({
        settings,
        transforms,
        trustedProxies: settings.server.trustedProxies.map(cidrOf),
        viaToken: viaToken ?? 'apigate-command',
      }),
      logger,
      ownListeners: () => listeners,
      protectedFiles: [databasePath, keyFile],
    });
    const access = createAccessContext({ store });
    const app = createAdminApp({
      control,
      access,
      allow: settings.admin.allow.map(cidrOf),
      hosts: settings.admin.hosts,
      version,
      log: logger,
      ...(metrics === undefined ? {} : { metrics: { text: metrics, openToLoopback: settings.metrics.loopback } }),
      // A command's own settings are not those of the gateway.
      ...(traffic === undefined ? {} : { traffic, startedWith: { settings: shownSettings(settings), listeners: options.listeners ?? [] } }),
      ui: options.ui,
    });
    return { store, control, access, app };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Where the secret key is to be found. */
export function keySourceOf(settings: Settings): KeySource {
  const keyFile = keyFilePath(settings.database.path);
  const { secretKey } = settings.secrets;
  if (secretKey === null) return { keyFile };
  const origin = settings.origins.secret_key;
  const file = origin.kind === 'environment' ? origin.file : undefined;
  return { keyFile, secretKey, ...(file === undefined ? {} : { secretKeyFile: resolve(file) }) };
}

// Loaded when it is needed: most commands test nothing.
async function probeHere({ options, config, request }: Omit<ProbeMessage, 'id'>): Promise<ProbeResult> {
  const { probeUpstream } = await import('../gateway/probe/probe-upstream.ts');
  return await probeUpstream({ ...options, ownListeners: () => options.ownListeners }, config, request);
}

/** The person at the keyboard, for the audit log. */
export function localActor(): Actor & { readonly requestId: string } {
  return { kind: 'cli', id: '', label: userName(), requestId: randomUUID().replaceAll('-', '') };
}

/** Where a gateway with these settings would listen. */
export function ownListenersOf(settings: Settings): OwnListener[] {
  const listeners: OwnListener[] = [];
  if (settings.server.port !== 0) listeners.push({ host: settings.server.host, port: settings.server.port });
  if (settings.tls !== null) listeners.push({ host: settings.server.host, port: settings.tls.port });
  if (settings.admin.listen !== null && settings.admin.listen.port !== 0) listeners.push(settings.admin.listen);
  return listeners;
}

export function cidrOf(range: AddressRange): string {
  return `${range.address}/${range.prefix}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`; // no entry in the user database, as in many containers
  }
}
