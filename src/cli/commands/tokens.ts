import type { TokenScope } from '../../model/api-token.ts';
import { CliCommand } from '../cli-command.ts';
import { usageError } from '../cli-error.ts';
import type { CommandHost } from '../command-call.ts';
import { addFieldFlags, expiryFlags, fieldsGiven, requireFlags, type FieldFlag } from '../field-flags.ts';
import { stateOf, textOf, timeOf } from '../output/cells.ts';
import type { Column } from '../output/format-table.ts';
import type { Item } from '../output/printer.ts';
import { printOnce } from '../print-once.ts';
import {
  addActionCommand,
  addDeleteCommand,
  addGetCommand,
  addListCommand,
  addUpdateCommand,
  defineCommand,
  itemOf,
  write,
  type ResourceKind,
} from '../resource-commands.ts';

/** Written out, because the module that has them loads the validator too. */
const scopes: readonly TokenScope[] = ['read', 'write', 'admin'];

const tokenFields: readonly FieldFlag[] = [
  { flags: '--name <name>', help: 'unique name, to tell tokens apart', field: 'name' },
  { flags: '--scope <scope>', help: 'what it may do; each includes those before it (default: read)', field: 'scope', choices: scopes },
  ...expiryFlags,
];

const columns: readonly Column<Item>[] = [
  { title: 'NAME', text: textOf('name'), shrinks: true },
  { title: 'SCOPE', text: textOf('scope') },
  { title: 'STATE', text: stateOf, style: (token) => (stateOf(token) === 'active' ? 'green' : 'yellow') },
  { title: 'EXPIRES', text: timeOf('expires_at') },
  { title: 'LAST USED', text: timeOf('last_used_at') },
  { title: 'ID', text: textOf('id'), style: () => 'dim' },
];

const kind: ResourceKind = {
  singular: 'token',
  plural: 'tokens',
  path: '/admin/tokens',
  nameField: 'name',
  fields: tokenFields,
  columns: () => Promise.resolve(columns),
};

const required = ['--name'];

/** `apigate tokens …` */
export function tokensCommand(host: CommandHost): CliCommand {
  const group = new CliCommand('tokens');
  const create = defineCommand(
    group,
    'create',
    {
      summary: 'make an API token for automation of the admin API; it is shown only this once',
      examples: [
        'apigate tokens create --name deploy --scope write --expires-in 90d',
        'APIGATE_TOKEN=$(apigate tokens create --name ci --scope read)',
      ],
    },
    host,
    async (call) => {
      requireFlags(call.command, required);
      if (call.print.format === 'name')
        throw usageError('-o name would lose the token, which is shown only once', 'leave it out, or use -o json');
      const made = itemOf(await write(call, kind, 'POST', kind.path, fieldsGiven(call.command, tokenFields)));
      await printOnce(call, made, 'token', 'API token');
      call.print.note('Use it as APIGATE_TOKEN with apigate --server URL, or as "Authorization: Bearer …" with REST.');
    },
  );
  addFieldFlags(create, tokenFields, required);

  addListCommand(group, kind, host, 'search');
  addGetCommand(group, kind, host);
  addUpdateCommand(group, kind, host, ['apigate tokens update deploy --scope read', 'apigate tokens update deploy --expires-in 30d']);
  addActionCommand(group, kind, host, 'revoke', 'make a token useless at once, and keep it in the list', {
    method: 'POST',
    suffix: '/revoke',
  });
  addDeleteCommand(group, kind, host);
  return group;
}
