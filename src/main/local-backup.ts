import type { BackupReport } from '../cli/cli-ports.ts';
import { keyIdEntry } from '../control/secret-key.ts';
import type { Settings } from '../settings/settings.ts';
import { backUpSqlite } from '../store/sqlite-backup.ts';
import { keySourceOf } from './control-plane.ts';

/** Copies the local database, whether a gateway runs on it or not. Needs no key: secrets stay sealed. */
export async function backUpLocally(settings: Settings, path: string, options: { readonly overwrite: boolean }): Promise<BackupReport> {
  const { meta, ...done } = backUpSqlite({ databasePath: settings.database.path, path, overwrite: options.overwrite });
  const { keyFile, secretKey, secretKeyFile } = keySourceOf(settings);
  const source = secretKey === undefined ? keyFile : (secretKeyFile ?? 'APIGATE_SECRET_KEY');
  return { ...done, key_id: meta.get(keyIdEntry) ?? null, key_source: source };
}
