import { CliCommand } from './cli-command.ts';
import { commandGroups } from './command-groups.ts';
import type { CommandHost } from './command-call.ts';
import { addGlobalOptions } from './global-options.ts';

/** The tree of all commands; only the groups for which `wanted` holds are loaded, the others are names for the help text. */
export async function buildProgram(host: CommandHost, wanted: (group: string) => boolean): Promise<CliCommand> {
  const program = new CliCommand('apigate');
  program.description('APIGate: a self-hosted API gateway');
  program.version(`apigate ${host.ports.version}`, '-V, --version', 'print the version');
  program.globals = 'all';
  program.addHelpText(
    'after',
    `
First steps:
  apigate serve --demo                                       a gateway to try at once
  apigate upstreams create --name my-api --url http://localhost:3000
  apigate routes create --name my-api --path / --upstream my-api --no-auth

Without --server the commands work on the local database, whether a gateway runs on it or not.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 not authorised, 5 conflict, 6 server unreachable.`,
  );
  for (const group of commandGroups) {
    const command = wanted(group.name) ? await group.load(host) : new CliCommand(group.name);
    if (command.commands.length > 0) command.globals = 'all';
    program.addCommand(command.description(group.summary));
  }
  complete(program, host);
  return program;
}

/** Adds what all commands share. Groups understand global options too, but their help need not repeat them. */
function complete(command: CliCommand, host: CommandHost): void {
  const { stdout, stderr } = host.ports;
  addGlobalOptions(command, command.parent !== null && command.commands.length > 0);
  // Else a group would take `--yes` of `create --name --yes` for its own.
  command.enablePositionalOptions();
  command.exitOverride();
  command.configureOutput({
    writeOut: (text) => void stdout.write(text),
    writeErr: (text) => void stderr.write(text),
    getOutHelpWidth: () => (stdout.isTTY === true ? stdout.columns || 80 : 100),
    getErrHelpWidth: () => (stderr.isTTY === true ? stderr.columns || 80 : 100),
    getOutHasColors: () => false,
    getErrHasColors: () => false,
    // Commander throws the message too: it is printed where all errors are.
    outputError: () => {},
  });
  for (const inner of command.commands) complete(inner as CliCommand, host);
}
