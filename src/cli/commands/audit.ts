import { CliCommand } from '../cli-command.ts';
import { usageError } from '../cli-error.ts';
import type { CommandHost } from '../command-call.ts';
import { textOf, timeOf } from '../output/cells.ts';
import type { Column } from '../output/format-table.ts';
import type { Item } from '../output/printer.ts';
import { defineCommand, listSome } from '../resource-commands.ts';

const columns: readonly Column<Item>[] = [
  { title: 'TIME', text: timeOf('at') },
  { title: 'ACTOR', text: (entry) => textOf('actor_label')(entry) || textOf('actor_kind')(entry), shrinks: true },
  { title: 'FROM', text: textOf('remote_address') },
  { title: 'ACTION', text: textOf('action') },
  { title: 'RESOURCE', text: (entry) => textOf('resource_name')(entry) || textOf('resource_id')(entry), shrinks: true },
  { title: 'REVISION', text: textOf('revision') },
];

const filters = ['action', 'actor', 'resource', 'since', 'until'] as const;

/** `apigate audit …` */
export function auditCommand(host: CommandHost): CliCommand {
  const group = new CliCommand('audit');
  const list = defineCommand(
    group,
    'list',
    {
      summary: 'list changes and sign-ins, newest first',
      examples: [
        'apigate audit list',
        'apigate audit list --resource my-api --since 2027-01-01',
        'apigate audit list --action session.sign_in_failed --limit 500 -o json',
      ],
    },
    host,
    async (call) => {
      const query = new URLSearchParams();
      for (const name of filters) if (call.options[name] !== undefined) query.set(name, String(call.options[name]));
      const limit = limitOf(call.options['limit'] as string | undefined);
      const entries = await listSome(await call.admin(), '/admin/audit', query, limit);
      if (entries.length === 0 && call.print.format === 'table') return call.print.note('No entries match.');
      await call.print.list(entries, () => Promise.resolve(columns), 'action');
      if (entries.length === limit) call.print.note(`The newest ${limit}; more with --limit.`);
    },
  );
  list.option('--action <action>', 'only this action, such as upstream.create; upstream for all that happens to upstreams');
  list.option(
    '--actor <actor>',
    'only what this e-mail address, token or system user did; or a kind: admin, token, cli, system, anonymous',
  );
  list.option('--resource <resource>', 'only what happened to this name or id; or a kind: upstream, route, key, …');
  list.option('--since <time>', 'only from this date or time on: 2027-01-31, 2027-01-31T12:00:00Z');
  list.option('--until <time>', 'only before this date or time');
  list.option('--limit <n>', 'how many at most (default: 100)');
  return group;
}

function limitOf(given: string | undefined): number {
  if (given === undefined) return 100;
  if (!/^[1-9]\d{0,6}$/.test(given)) throw usageError(`--limit takes a whole number from 1, not "${given}"`);
  return Number(given);
}
