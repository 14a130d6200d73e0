import { Option } from 'commander';
import type { Revision } from '../../model/history.ts';
import { eventKinds } from '../../model/timeline.ts';
import { CliCommand } from '../cli-command.ts';
import { usageError } from '../cli-error.ts';
import { runs, type CommandHost } from '../command-call.ts';
import { textOf, timeOf } from '../output/cells.ts';
import type { Column } from '../output/format-table.ts';
import type { Item } from '../output/printer.ts';
import { addExamples, listSome } from '../resource-commands.ts';
import { whatOf } from './history.ts';
import { causeOf } from './upstream-health.ts';

const usualLimit = 20;

/** `apigate events` */
export function eventsCommand(host: CommandHost): CliCommand {
  const command = new CliCommand('events');
  command.globals = 'all';
  command.option('--upstream <upstream>', 'only what happened to this one: id or name');
  command.addOption(
    new Option('--kind <kind>', "only changes of upstreams' health, or only those of the gateway config").choices([...eventKinds]),
  );
  command.option('--limit <n>', `how many at most (default: ${usualLimit})`);
  addExamples(command, ['apigate events', 'apigate events --upstream my-api', 'apigate events --kind health --limit 100 -o json']);
  return runs(command, host, async (call) => {
    const query = new URLSearchParams();
    for (const name of ['upstream', 'kind']) if (call.options[name] !== undefined) query.set(name, String(call.options[name]));
    const limit = limitOf(call.options['limit'] as string | undefined);
    const events = await listSome(await call.admin(), '/admin/events', query, limit);
    if (events.length === 0 && call.print.format === 'table') return call.print.note('Nothing of this has happened.');
    await call.print.list(events, () => Promise.resolve(columns), 'kind');
    if (events.length === limit) call.print.note(`The newest ${limit}; more with --limit.`);
  });
}

const columns: readonly Column<Item>[] = [
  { title: 'TIME', text: timeOf('time') },
  {
    title: 'WHAT',
    text: (event) =>
      event['kind'] === 'health' ? `${textOf('upstream')(event)}: ${textOf('from')(event)} → ${textOf('to')(event)}` : whatChanged(event),
    style: (event) => (event['to'] === 'failing' ? 'red' : event['to'] === 'healthy' ? 'green' : undefined),
    shrinks: true,
  },
  {
    title: 'WHY, OR WHO',
    text: (event) => (event['kind'] === 'health' ? causeOf(event) : textOf('label')((event['actor'] ?? {}) as Item)),
    shrinks: true,
  },
];

function whatChanged(event: Item): string {
  return `revision ${textOf('revision')(event)}: ${whatOf(event as unknown as Revision)}`;
}

function limitOf(given: string | undefined): number {
  if (given === undefined) return usualLimit;
  if (!/^[1-9]\d{0,3}$/.test(given)) throw usageError(`--limit takes a whole number from 1 to 9999, not "${given}"`);
  return Number(given);
}
