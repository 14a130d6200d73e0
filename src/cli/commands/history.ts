import type { Revision, RevisionDetail } from '../../model/history.ts';
import { visibleText } from '../../settings/visible-text.ts';
import { CliCommand } from '../cli-command.ts';
import { runs, type CommandCall, type CommandHost } from '../command-call.ts';
import { timeOf } from '../output/cells.ts';
import { changeText, countsText } from '../output/change-text.ts';
import type { Column } from '../output/format-table.ts';
import { addExamples, itemOf } from '../resource-commands.ts';
import { revisionArgument } from '../revision-argument.ts';

const usualLimit = '20';

/** `apigate history` */
export function historyCommand(host: CommandHost): CliCommand {
  const command = new CliCommand('history');
  command.globals = 'all';
  command.argument('[revision]', 'show this one, field by field; without it, the latest are listed');
  command.option('--resource <name>', 'only revisions that changed this: an id, a name, or a type such as upstream');
  command.option('--actor <name>', 'only revisions made by this one: an e-mail address, a token, or a kind such as cli');
  command.option('--limit <n>', `how many, up to 500 (default: ${usualLimit})`);
  command.option('--before <revision>', 'only revisions before this one');
  addExamples(command, [
    'apigate history',
    'apigate history --resource my-api',
    'apigate history 41',
    'apigate diff 41',
    'apigate rollback 41 --dry-run',
  ]);
  return runs(command, host, async (call) => {
    const [text] = call.args;
    if (text !== undefined) await showOne(call, revisionArgument(text));
    else await showList(call);
  });
}

async function showList(call: CommandCall): Promise<void> {
  const { options } = call;
  const query = new URLSearchParams({ limit: String(options['limit'] ?? usualLimit) });
  if (options['before'] !== undefined) query.set('cursor', revisionArgument(String(options['before'])));
  for (const filter of ['resource', 'actor']) if (options[filter] !== undefined) query.set(filter, String(options[filter]));
  const answer = await (await call.admin()).request('GET', `/admin/history?${query.toString()}`);
  const { data, total, next_cursor: next } = itemOf(answer) as { data: Revision[]; total: number; next_cursor: string | null };
  if (data.length === 0 && call.print.format === 'table') {
    call.print.note(total > 0 || query.size > 1 ? 'No revisions match.' : 'No revisions yet.');
    return;
  }
  await call.print.list(data, () => Promise.resolve(columns), 'revision');
  if (next !== null && call.print.format === 'table') call.print.note(`${total} in all; more with --before ${next} or --limit.`);
}

const columns: readonly Column<Revision>[] = [
  { title: 'REVISION', text: ({ revision }) => String(revision), align: 'right' },
  { title: 'WHEN', text: timeOf('at') },
  { title: 'WHO', text: ({ actor }) => actor?.label ?? '', shrinks: true },
  { title: 'WHAT', text: whatOf, shrinks: true },
];

/** `rollback to 12: update upstream a, delete route b and 3 more` */
export function whatOf({ rollback_to: to, counts, changes }: Revision): string {
  const told = changes.slice(0, 2).map(({ action, type, name }) => `${action} ${type} ${name}`);
  const more = counts.create + counts.update + counts.delete - told.length;
  const what = `${told.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return to === null ? what : `rollback to ${to}: ${what}`;
}

async function showOne(call: CommandCall, revision: string): Promise<void> {
  const item = itemOf(await (await call.admin()).request('GET', `/admin/history/${revision}`));
  if (call.print.format !== 'table') {
    await call.print.one(item, 'revision');
    return;
  }
  const { actor, rollback_to: to, changes } = item as RevisionDetail;
  const who = actor === null ? 'who made it is not known any more' : `${actor.label} (${actor.kind})`;
  const when = timeOf('at')(item);
  const parts = [`revision ${revision}`, when, who, ...(to === null ? [] : [`rollback to ${to}`])].filter((part) => part !== '');
  call.print.data(`${visibleText(parts.join(', '))}\n`);
  call.print.data(changes.map((change) => changeText(change, false)).join(''));
  call.print.note(changes.length === 0 ? 'Nothing was changed by it.' : `${countsText(changes, false)}.`);
}
