import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AdminClient } from './admin-client.ts';
import { CliError, exitCodes, usageError } from './cli-error.ts';
import type { CliPorts } from './cli-ports.ts';
import { settingsFor } from './command-call.ts';
import type { GlobalOptions } from './global-options.ts';

/**
 * The admin API that the options and the environment point to: `--server`, else the local database when `--database`
 * or `--config` says so, else APIGATE_SERVER, else the local database.
 */
export async function openAdminClient(globals: GlobalOptions, ports: CliPorts): Promise<AdminClient> {
  const localFlag = globals.database !== undefined ? '--database' : globals.config !== undefined ? '--config' : undefined;
  if (globals.server !== undefined && localFlag !== undefined) {
    throw usageError(
      `--server and ${localFlag} exclude each other`,
      '--server works on a running gateway, without it the CLI works on the local database',
    );
  }
  const server = globals.server ?? (localFlag === undefined ? ports.env['APIGATE_SERVER'] : undefined) ?? '';
  if (server === '') {
    if (globals.server !== undefined) throw usageError('--server: the address is empty', 'write it as in http://localhost:8080');
    if (globals.tokenFile !== undefined) throw usageError('--token-file only goes with --server', 'the local database needs no token');
    const settings = settingsFor(ports, { config: globals.config, database: globals.database });
    const { LocalAdminClient } = await import('./local-admin-client.ts');
    return new LocalAdminClient(await ports.openLocalAdmin(settings), settings);
  }
  const token = await readToken(globals, ports);
  const { RemoteAdminClient } = await import('./remote-admin-client.ts');
  return new RemoteAdminClient(server, token);
}

async function readToken(globals: GlobalOptions, ports: CliPorts): Promise<string> {
  const file = globals.tokenFile ?? ((ports.env['APIGATE_TOKEN'] ?? '') === '' ? ports.env['APIGATE_TOKEN_FILE'] : undefined) ?? '';
  const source = globals.tokenFile !== undefined ? `--token-file ${file}` : file === '' ? 'APIGATE_TOKEN' : `APIGATE_TOKEN_FILE ${file}`;
  let token = ports.env['APIGATE_TOKEN'] ?? '';
  if (file !== '') {
    try {
      token = await readFile(resolve(ports.cwd, file), 'utf8');
    } catch (error) {
      throw usageError(`${source}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  token = token.trim();
  const hint = "make one on the gateway's machine: apigate tokens create --name NAME";
  if (token === '')
    throw new CliError(exitCodes.notAuthorised, '--server needs an API token in APIGATE_TOKEN, or in a file named by --token-file', hint);
  if (!/^[\u0021-\u007e]+$/.test(token)) throw new CliError(exitCodes.notAuthorised, `${source} does not hold an API token`, hint);
  return token;
}
