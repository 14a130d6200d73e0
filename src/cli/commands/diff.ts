import type { RevisionDiff } from '../../model/history.ts';
import { CliCommand } from '../cli-command.ts';
import { usageError } from '../cli-error.ts';
import { runs, type CommandHost } from '../command-call.ts';
import { changeText, countsText } from '../output/change-text.ts';
import { addExamples, itemOf } from '../resource-commands.ts';
import { revisionArgument } from '../revision-argument.ts';

/** `apigate diff` */
export function diffCommand(host: CommandHost): CliCommand {
  const command = new CliCommand('diff');
  command.globals = 'all';
  command.argument('<revision>', 'the earlier one, as a rule');
  command.argument('[other]', 'the one to compare it with; the present one when not given');
  addExamples(command, ['apigate diff 41', 'apigate diff 41 44', 'apigate diff 41 -o json']);
  return runs(command, host, async (call) => {
    if (call.print.format === 'name') throw usageError('-o name prints no difference', 'leave it out, or use -o json');
    const query = new URLSearchParams({ from: revisionArgument(call.args[0]) });
    if (call.args[1] !== undefined) query.set('to', revisionArgument(call.args[1]));
    const item = itemOf(await (await call.admin()).request('GET', `/admin/history/diff?${query.toString()}`));
    if (call.print.format !== 'table') {
      await call.print.one(item, 'to');
      return;
    }
    const { from, to, changes } = item as RevisionDiff;
    call.print.data(changes.map((change) => changeText(change, true)).join(''));
    call.print.note(
      changes.length === 0 ? `Revisions ${from} and ${to} are the same.` : `From revision ${from} to ${to}: ${countsText(changes, true)}.`,
    );
  });
}
