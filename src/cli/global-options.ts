import { Option } from 'commander';
import type { CliCommand } from './cli-command.ts';
import { outputFormats, type OutputFormat } from './output/printer.ts';

/** What every command that talks to the admin API understands, before or after the command's name. */
export interface GlobalOptions {
  readonly output: OutputFormat;
  readonly server: string | undefined;
  readonly tokenFile: string | undefined;
  /** Path of the settings file. */
  readonly config: string | undefined;
  readonly database: string | undefined;
  readonly yes: boolean;
  readonly color: boolean;
}

const definitions: readonly (() => Option)[] = [
  () => new Option('-o, --output <format>', 'how to print what is asked for').choices(outputFormats).default('table'),
  () => new Option('--server <url>', 'work on a running gateway instead of the local database (or APIGATE_SERVER; needs APIGATE_TOKEN)'),
  () => new Option('--token-file <file>', 'file that holds the API token for --server'),
  () => new Option('--config <file>', 'settings file (default: apigate.yaml where there is one)'),
  () => new Option('--database <path>', 'the local database (or APIGATE_DATABASE_DSN)'),
  () => new Option('-y, --yes', 'do not ask, just do it'),
  () => new Option('--no-color', 'no colours (or NO_COLOR)'),
];

/** Their long names: not every command has use for all of them. */
export type GlobalName = '--output' | '--server' | '--token-file' | '--config' | '--database' | '--yes' | '--no-color';

/** Declares the command's `globals`; hidden ones are understood but not listed in its help. */
export function addGlobalOptions(command: CliCommand, hidden = false): void {
  const { globals } = command;
  for (const define of definitions) {
    const option = define().helpGroup('Global options:');
    if (globals === 'all' || globals.some((name) => name === option.long)) command.addOption(hidden ? option.hideHelp() : option);
  }
}

/** What was given, the innermost command's word first. */
export function globalOptions(command: CliCommand): GlobalOptions {
  const given = (name: string): unknown => {
    for (let at: CliCommand | null = command; at !== null; at = at.parent as CliCommand | null) {
      if (at.getOptionValueSource(name) === 'cli') return at.getOptionValue(name);
    }
    return undefined;
  };
  return {
    output: (given('output') as OutputFormat | undefined) ?? 'table',
    server: given('server') as string | undefined,
    tokenFile: given('tokenFile') as string | undefined,
    config: given('config') as string | undefined,
    database: given('database') as string | undefined,
    yes: given('yes') === true,
    color: given('color') !== false,
  };
}
