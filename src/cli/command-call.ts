import type { OptionValues } from 'commander';
import { loadSettings } from '../settings/load-settings.ts';
import type { Settings } from '../settings/settings.ts';
import type { AdminClient } from './admin-client.ts';
import type { CliCommand } from './cli-command.ts';
import type { CliPorts } from './cli-ports.ts';
import { globalOptions, type GlobalOptions } from './global-options.ts';
import { Printer } from './output/printer.ts';

/** One call of one command: what was given, and the means to carry it out. */
export interface CommandCall {
  readonly command: CliCommand;
  /** Positional arguments. */
  readonly args: readonly string[];
  readonly options: OptionValues;
  readonly globals: GlobalOptions;
  readonly ports: CliPorts;
  readonly print: Printer;
  /** The admin API, opened at the first call and closed when the command ends. */
  admin(): Promise<AdminClient>;
}

/** Resolves with the exit code; undefined means 0. */
export type RunCommand = (call: CommandCall) => Promise<number | undefined | void>;

/** What a tree of commands reports to, so that `runCli` learns the exit code. */
export interface CommandHost {
  readonly ports: CliPorts;
  exitCode: number;
}

/** Gives a command its action. */
export function runs(command: CliCommand, host: CommandHost, run: RunCommand): CliCommand {
  return command.action(async () => {
    const { ports } = host;
    const globals = globalOptions(command);
    let client: Promise<AdminClient> | undefined;
    try {
      const code = await run({
        command,
        args: command.args,
        options: command.opts(),
        globals,
        ports,
        print: new Printer(ports, globals.output, globals.color),
        admin: () => (client ??= import('./open-admin-client.ts').then(({ openAdminClient }) => openAdminClient(globals, ports))),
      });
      host.exitCode = code ?? 0;
    } finally {
      const opened = await client?.catch(() => undefined);
      await opened?.close();
    }
  });
}

/** The settings as a command of this process sees them. `flags` are by long name without dashes. */
export function settingsFor(ports: CliPorts, flags: Readonly<Record<string, string | boolean | undefined>>): Settings {
  return loadSettings({ flags, env: ports.env, cwd: ports.cwd, terminal: ports.stdout.isTTY === true });
}
