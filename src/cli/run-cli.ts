import { CommanderError, type Command } from 'commander';
import { exitCodes, usageError } from './cli-error.ts';
import type { CommandHost } from './command-call.ts';
import type { CliPorts } from './cli-ports.ts';
import { buildProgram } from './program.ts';

/**
 * Runs one call of the CLI. `argv` is what follows the program's name. Resolves with the exit code (see exitCodes)
 * after everything is written to the ports, and never rejects.
 */
export async function runCli(argv: readonly string[], ports: CliPorts): Promise<number> {
  const host: CommandHost = { ports, exitCode: exitCodes.ok };
  let program: Command | undefined;
  try {
    const words = helpAsFlag(argv);
    const everything = argv.includes('completion');
    program = await buildProgram(host, (group) => everything || argv.includes(group));
    if (argv.length === 0) {
      program.outputHelp();
      return exitCodes.ok;
    }
    await program.parseAsync(words, { from: 'user' });
    return host.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return reported(error, argv, ports);
    // Help that was asked for, and --version.
    if (error.exitCode === 0) return exitCodes.ok;
    // Help because a command is missing: it is on standard error already.
    if (error.code === 'commander.help') return exitCodes.usage;
    return reported(
      usageError(error.message.replace(/^error: /, ''), `see the help: apigate ${calledCommand(program, argv)}--help`),
      argv,
      ports,
    );
  }
}

/** `help routes create` is `routes create --help`; commander's own help command knows one level only. */
function helpAsFlag(argv: readonly string[]): string[] {
  return argv[0] === 'help' ? [...argv.slice(1), '--help'] : [...argv];
}

/** The command that was called, as far as there is one, with a space after each word. */
function calledCommand(program: Command | undefined, argv: readonly string[]): string {
  let at = program;
  let path = '';
  for (const word of argv) {
    const inner = at?.commands.find((command) => command.name() === word);
    if (inner !== undefined) path += `${word} `;
    at = inner ?? at;
  }
  return path;
}

async function reported(error: unknown, argv: readonly string[], ports: CliPorts): Promise<number> {
  const { reportError } = await import('./report-error.ts');
  return reportError(error, ports, !argv.includes('--no-color'));
}
