import type { RollbackResult } from '../../model/history.ts';
import { visibleText } from '../../settings/visible-text.ts';
import { CliCommand } from '../cli-command.ts';
import { CliError, exitCodes, usageError } from '../cli-error.ts';
import { runs, type CommandCall, type CommandHost } from '../command-call.ts';
import { changeText, countsText } from '../output/change-text.ts';
import { addExamples, itemOf, write } from '../resource-commands.ts';
import { revisionArgument } from '../revision-argument.ts';
import { askYes } from '../secret-input.ts';

/** `apigate rollback` */
export function rollbackCommand(host: CommandHost): CliCommand {
  const command = new CliCommand('rollback');
  command.globals = 'all';
  command.argument('<revision>', 'the one to go back to, as "apigate history" lists it');
  command.option('--dry-run', 'only show what would change');
  command.option('--keep-keys', 'leave all API keys as they are now; without it those made since are deleted for good');
  command.option('--expect-revision <n>', 'go back only if the gateway config is still of this revision, as a dry run told it');
  addExamples(command, ['apigate rollback 41 --dry-run', 'apigate rollback 41', 'apigate rollback 41 --keep-keys --yes']);
  return runs(command, host, async (call) => {
    const revision = revisionArgument(call.args[0]);
    const { options } = call;
    const dryRun = options['dryRun'] === true;
    const asks = !dryRun && !call.globals.yes;
    if (asks && !(call.ports.stdin.isTTY === true && call.ports.stderr.isTTY === true))
      throw usageError('there is no terminal to ask on', 'give --yes, or look first with --dry-run');

    const query = new URLSearchParams(options['keepKeys'] === true ? { keep_keys: 'true' } : {});
    if (options['expectRevision'] !== undefined) query.set('expect_revision', String(options['expectRevision']));
    const agreed = asks ? await agreedOn(call, revision, query) : undefined;
    if (agreed?.changes.length === 0) {
      await show(call, agreed, agreed);
      return;
    }
    // What was agreed to is all that is done: hence the revision.
    if (agreed !== undefined) query.set('expect_revision', String(agreed.revision));
    if (dryRun) query.set('dry_run', 'true');
    await show(call, await send(call, revision, query), agreed);
  });
}

/** Shows what would change and asks; there is nothing to ask where nothing would. */
async function agreedOn(call: CommandCall, to: string, query: URLSearchParams): Promise<RollbackResult> {
  const found = await send(call, to, new URLSearchParams([...query, ['dry_run', 'true']]));
  // Not on standard output, which is for what was done.
  for (const change of found.changes) call.print.note(changeText(change, true).trimEnd());
  warn(call, found.warnings);
  if (found.changes.length === 0) return found;
  const keys = found.changes.filter(({ action, type }) => action === 'delete' && type === 'key').length;
  const loss = keys === 0 ? '' : ` ${keys === 1 ? 'The API key is' : `The ${keys} API keys are`} then gone for good.`;
  const question = `Go back to revision ${to}: ${countsText(found.changes, true)}?${loss}`;
  if (!(await askYes(call.ports, question))) throw new CliError(exitCodes.failure, 'nothing was changed');
  return found;
}

async function send(call: CommandCall, to: string, query: URLSearchParams): Promise<RollbackResult> {
  const path = `/admin/history/${to}/rollback${query.size === 0 ? '' : `?${query.toString()}`}`;
  return itemOf(await write(call, { fields: [] }, 'POST', path)) as RollbackResult;
}

/** `seen` is what was shown already. */
async function show(call: CommandCall, result: RollbackResult, seen: RollbackResult | undefined): Promise<void> {
  const { changes, revision, dry_run: dryRun, rollback_to: to } = result;
  const warned = new Set(seen?.warnings.map(({ field, message }) => field + message));
  warn(
    call,
    result.warnings.filter(({ field, message }) => !warned.has(field + message)),
  );
  if (call.print.format === 'name') {
    call.print.data(changes.map(({ type, name }) => `${type}/${visibleText(name)}\n`).join(''));
    return;
  }
  if (call.print.format !== 'table') {
    await call.print.one(result, 'revision');
    return;
  }
  if (seen === undefined) call.print.data(changes.map((change) => changeText(change, dryRun)).join(''));
  const told = countsText(changes, dryRun);
  if (changes.length === 0) call.print.note(`No changes: everything is as it was at revision ${to} (revision ${revision}).`);
  else if (dryRun) call.print.note(`Dry run on revision ${revision}: ${told}. Nothing was changed.`);
  else call.print.note(`Back at revision ${to}: ${told}; this is revision ${revision}.`);
}

function warn(call: CommandCall, warnings: RollbackResult['warnings']): void {
  for (const { field, message } of warnings) call.print.warn(visibleText(`${field}: ${message}`));
}
