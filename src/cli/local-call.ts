import type { Settings } from '../settings/settings.ts';
import { usageError } from './cli-error.ts';
import { settingsFor, type CommandCall } from './command-call.ts';

/** The settings of a command that works on the local database only, and not over REST. */
export function localSettings({ globals, ports }: CommandCall, what: string): Settings {
  if (
    globals.server !== undefined ||
    (globals.database === undefined && globals.config === undefined && (ports.env['APIGATE_SERVER'] ?? '') !== '')
  ) {
    throw usageError(
      `${what} works on the gateway's machine only, not over --server (APIGATE_SERVER)`,
      'run it there, where the database is',
    );
  }
  return settingsFor(ports, { config: globals.config, database: globals.database });
}
