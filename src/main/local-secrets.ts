import type { RotateOptions, RotationReport, SecretKeyReport } from '../cli/cli-ports.ts';
import { rotateSecretKey } from '../control/rotate-secret-key.ts';
import { secretKeyStatus } from '../control/secret-key-status.ts';
import type { Settings } from '../settings/settings.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { keySourceOf, localActor } from './control-plane.ts';

/** Which keys there are and what is sealed with each, for a command on the local database. */
export function localSecretKeyStatus(settings: Settings): Promise<SecretKeyReport> {
  return withStore(settings, (store) => secretKeyStatus({ store, ...keySourceOf(settings) }));
}

/** Seals everything anew, for a command on the local database, whether a gateway runs on it or not. */
export function rotateLocalSecretKey(settings: Settings, options: RotateOptions): Promise<RotationReport> {
  return withStore(settings, (store) => rotateSecretKey({ store, ...keySourceOf(settings), ...options, actor: localActor() }));
}

async function withStore<T>(settings: Settings, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openSqliteStore({ path: settings.database.path, create: false });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
