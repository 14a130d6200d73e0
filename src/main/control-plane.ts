import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { createAdminApp, type AdminApp } from '../admin/admin-app.ts';
import { type AccessContext, createAccessContext } from '../control/access-context.ts';
import type { Actor, ControlContext, ControlLogger, OwnListener, Publisher } from '../control/control-context.ts';
import { createControlContext } from '../control/create-control-context.ts';
import type { LiveTraffic } from '../control/live-traffic.ts';
import { openSealer } from '../control/secret-key.ts';
import { keyFilePath } from '../secrets/key-file.ts';
import type { AddressRange } from '../settings/parse-value.ts';
import type { Settings } from '../settings/settings.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { trialCompiler } from './trial-compiler.ts';
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
  /** null in a process without workers. */
  readonly publisher: Publisher | null;
  /** Where the gateway of this database listens: addresses that no upstream may have. */
  readonly ownListeners: (store: Store) => Promise<readonly OwnListener[]>;
  readonly logger: ControlLogger;
  /** What `/metrics` answers; left out in a process without workers. */
  readonly metrics?: () => Promise<string>;
  /** What its workers do; left out as well. */
  readonly traffic?: LiveTraffic;
}

/** Opens everything that a change passes through. Rejects with a GatewayError that says what is wrong. */
export async function openControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { settings, create, publisher, ownListeners, logger, metrics, traffic } = options;
  const databasePath = settings.database.path;
  const keyFile = keyFilePath(databasePath);
  const store = await openSqliteStore({ path: databasePath, create });
  try {
    const secretKey = settings.secrets.secretKey === null ? {} : { secretKey: settings.secrets.secretKey };
    const sealer = await openSealer({ store, keyFile, create, ...secretKey });
    const listeners = await ownListeners(store);
    const control = createControlContext({
      store,
      sealer,
      publisher,
      trialCompiler,
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
      ...(traffic === undefined ? {} : { traffic }),
    });
    return { store, control, access, app };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The person at the keyboard, for the audit log. */
export function localActor(): Actor & { readonly requestId: string } {
  return { kind: 'cli', id: '', label: userName(), requestId: randomUUID().replaceAll('-', '') };
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
