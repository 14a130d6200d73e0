import { CliCommand } from '../cli-command.ts';
import { runs, type CommandHost } from '../command-call.ts';

/** `apigate version` */
export function versionCommand(host: CommandHost): CliCommand {
  const command = new CliCommand('version');
  command.globals = ['--output', '--no-color'];
  return runs(command, host, async (call) => {
    const { version } = call.ports;
    const platform = `${process.platform}-${process.arch}`;
    if (call.print.format === 'table') call.print.data(`apigate ${version} (Node.js ${process.versions.node}, ${platform})\n`);
    else await call.print.one({ version, node: process.versions.node, platform }, 'version');
  });
}
