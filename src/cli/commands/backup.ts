import { resolve } from 'node:path';
import { visibleText } from '../../settings/visible-text.ts';
import { CliCommand } from '../cli-command.ts';
import { usageError } from '../cli-error.ts';
import { runs, type CommandHost } from '../command-call.ts';
import { localSettings } from '../local-call.ts';
import { addExamples } from '../resource-commands.ts';

/** `apigate backup FILE` */
export function backupCommand(host: CommandHost): CliCommand {
  const command = new CliCommand('backup');
  command.argument('<file>', 'where the copy goes; a name that is not taken yet');
  command.option('--force', 'replace a file of that name');
  command.globals = 'all';
  addExamples(command, ['apigate backup /backups/apigate-$(date +%F).db', 'apigate backup --force latest.db -o json']);
  command.addHelpText(
    'after',
    '\nThe secret key is not in the copy, and nothing sealed opens without it: keep the two apart, and both safe.\nHow to restore: docs/backup-and-keys.md',
  );
  return runs(command, host, async (call) => {
    const [file = ''] = call.args;
    if (file === '' || file === '-') throw usageError('name the file that the copy goes to', 'as in: apigate backup apigate-copy.db');
    const settings = localSettings(call, 'backup');
    const report = await call.ports.local.backUp(settings, resolve(call.ports.cwd, file), { overwrite: call.options['force'] === true });
    if (call.print.format === 'table') call.print.data(`${visibleText(report.path)}: ${report.bytes} bytes, revision ${report.revision}\n`);
    else await call.print.one({ ...report }, 'path');
    if (report.key_id === null) return;
    call.print.note(`The secrets in it are sealed with key ${report.key_id}, which is NOT in this file: keep a copy of it too, elsewhere.`);
    call.print.note(`That key is in ${visibleText(report.key_source)}.`);
  });
}
