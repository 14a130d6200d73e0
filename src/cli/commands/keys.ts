import { InvalidArgumentError } from 'commander';
import type { AdminClient } from '../admin-client.ts';
import { CliCommand } from '../cli-command.ts';
import { usageError } from '../cli-error.ts';
import type { CommandHost } from '../command-call.ts';
import { addFieldFlags, expiryFlags, fieldsGiven, list, requireFlags, wholeNumber, type FieldFlag } from '../field-flags.ts';
import { stateOf, textOf, timeOf } from '../output/cells.ts';
import type { Column } from '../output/format-table.ts';
import type { Item } from '../output/printer.ts';
import {
  addActionCommand,
  addDeleteCommand,
  addGetCommand,
  addListCommand,
  addUpdateCommand,
  defineCommand,
  itemOf,
  listAll,
  write,
  type ResourceKind,
} from '../resource-commands.ts';
import { printOnce } from '../print-once.ts';
import { curlFor } from './routes.ts';

const keyFields: readonly FieldFlag[] = [
  { flags: '--name <name>', help: 'unique name, to tell clients apart', field: 'name' },
  {
    flags: '--routes <list>',
    help: 'names or ids of the routes it opens, separated by commas; "" for all (the default)',
    field: 'routes',
    value: list,
  },
  { flags: '--rate-limit <n>', help: 'requests per minute, or none (the default)', field: 'rate_limit_per_minute', value: rateLimit },
  ...expiryFlags,
];

const kind: ResourceKind = {
  singular: 'key',
  plural: 'keys',
  path: '/admin/keys',
  nameField: 'name',
  fields: keyFields,
  columns: keyColumns,
};

const required = ['--name'];

/** `apigate keys …` */
export function keysCommand(host: CommandHost): CliCommand {
  const group = new CliCommand('keys');
  const create = defineCommand(
    group,
    'create',
    {
      summary: 'make an API key; it is shown only this once',
      examples: [
        'apigate keys create --name mobile-app',
        'apigate keys create --name partner --routes orders,stock --rate-limit 600 --expires-in 90d',
        'KEY=$(apigate keys create --name ci)',
      ],
    },
    host,
    async (call) => {
      requireFlags(call.command, required);
      if (call.print.format === 'name')
        throw usageError('-o name would lose the key, which is shown only once', 'leave it out, or use -o json');
      const fields = fieldsGiven(call.command, keyFields);
      const made = itemOf(await write(call, kind, 'POST', kind.path, fields));
      await printOnce(call, made, 'key', 'API key');
      const route = await firstRoute(await call.admin(), made).catch(() => undefined);
      const key = call.ports.stdout.isTTY === true ? `"X-API-Key: ${String(made['key'])}"` : '"X-API-Key: $KEY"';
      if (route !== undefined) call.print.note(`Try it:\n  ${curlFor(route, await call.admin(), key)}`);
      else call.print.note('No route takes it yet. Make one with: apigate routes create --help');
    },
  );
  addFieldFlags(create, keyFields, required);

  addListCommand(group, kind, host, 'search');
  addGetCommand(group, kind, host);
  addUpdateCommand(group, kind, host, [
    'apigate keys update partner --rate-limit 1200',
    'apigate keys update partner --routes "" --expires-at never',
  ]);
  addActionCommand(group, kind, host, 'revoke', 'make a key useless at once, and keep it in the list', {
    method: 'POST',
    suffix: '/revoke',
  });
  addDeleteCommand(group, kind, host);
  return group;
}

function rateLimit(text: string): number | null {
  if (text === 'none') return null;
  const limit = wholeNumber(text);
  if (limit === 0) throw new InvalidArgumentError('Write none for no limit; to shut a client out, revoke its key.');
  return limit;
}

/** A route that the key opens and that asks for one. */
async function firstRoute(admin: AdminClient, key: Item): Promise<Item | undefined> {
  const opened = key['routes'] as readonly unknown[];
  const routes = await listAll(admin, '/admin/routes', new URLSearchParams({ enabled: 'true' }));
  return routes.find((route) => route['auth_required'] === true && (opened.length === 0 || opened.includes(route['id'])));
}

async function keyColumns(admin: AdminClient): Promise<readonly Column<Item>[]> {
  const routes = new Map((await listAll(admin, '/admin/routes')).map((route) => [route['id'], String(route['name'])]));
  return [
    { title: 'NAME', text: textOf('name'), shrinks: true },
    { title: 'PREFIX', text: textOf('prefix') },
    {
      title: 'ROUTES',
      text: (key) => (key['routes'] as readonly string[]).map((id) => routes.get(id) ?? id).join(',') || 'all',
      shrinks: true,
    },
    { title: 'PER MINUTE', text: textOf('rate_limit_per_minute'), align: 'right' },
    { title: 'STATE', text: stateOf, style: (key) => (stateOf(key) === 'active' ? 'green' : 'yellow') },
    { title: 'EXPIRES', text: timeOf('expires_at') },
    { title: 'LAST USED', text: timeOf('last_used_at') },
    { title: 'ID', text: textOf('id'), style: () => 'dim' },
  ];
}
