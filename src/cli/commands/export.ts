import { CliCommand } from '../cli-command.ts';
import { usageError } from '../cli-error.ts';
import { runs, type CommandHost } from '../command-call.ts';
import { addExamples, itemOf, printWarnings } from '../resource-commands.ts';

/** `apigate export` */
export function exportCommand(host: CommandHost): CliCommand {
  const command = new CliCommand('export');
  command.globals = 'all';
  addExamples(command, ['apigate export > gateway.yaml', 'apigate export -o json', 'apigate apply -f gateway.yaml']);
  return runs(command, host, async (call) => {
    const { format } = call.print;
    if (format === 'name') throw usageError('-o name prints no gateway config', 'leave it out, or use -o json');
    const answer = await (await call.admin()).request('GET', '/admin/export');
    printWarnings(call, answer);
    if (format === 'json') await call.print.one(itemOf(answer), 'version');
    else call.print.data((await import('../../model/export-text.ts')).exportText(itemOf(answer)));
  });
}
