import { CliCommand } from '../cli-command.ts';
import { usageError } from '../cli-error.ts';
import { runs, settingsFor, type CommandHost } from '../command-call.ts';
import { addExamples } from '../resource-commands.ts';
import { addSettingsFlags, settingsFlagsGiven } from '../settings-flags.ts';

/** `apigate serve` */
export function serveCommand(host: CommandHost): CliCommand {
  const command = new CliCommand('serve');
  addSettingsFlags(command);
  command.option('--demo', 'also start a small upstream with a public route to it, on a temporary database');
  command.globals = ['--config', '--database', '--no-color'];
  addExamples(command, [
    'apigate serve',
    'apigate serve --demo',
    'apigate serve --upstream http://localhost:3000 --public',
    'apigate serve --port 80 --tls-port 443 --tls-cert chain.pem --tls-key key.pem --admin-listen 127.0.0.1:8081',
  ]);
  command.addHelpText('after', 'Every setting can also come from the environment or a settings file: see "apigate settings show".');
  return runs(command, host, async (call) => {
    const demo = call.options['demo'] === true;
    if (demo && call.globals.database !== undefined)
      throw usageError('--demo and --database exclude each other', '--demo uses a temporary database');
    const settings = settingsFor(call.ports, settingsFlagsGiven(command));
    for (const warning of settings.warnings) call.print.warn(warning);
    return call.ports.serve(settings, { demo });
  });
}
