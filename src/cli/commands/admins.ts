import { CliCommand } from '../cli-command.ts';
import { usageError } from '../cli-error.ts';
import type { CommandCall, CommandHost } from '../command-call.ts';
import { addFieldFlags, fieldsGiven, requireFlags, type FieldFlag } from '../field-flags.ts';
import { textOf, timeOf } from '../output/cells.ts';
import type { Column } from '../output/format-table.ts';
import type { Item } from '../output/printer.ts';
import {
  addDeleteCommand,
  addGetCommand,
  addListCommand,
  addUpdateCommand,
  defineCommand,
  itemOf,
  write,
  type ResourceKind,
} from '../resource-commands.ts';
import { askSecret, readSecretFile, readSecretFromStdin } from '../secret-input.ts';

const adminFields: readonly FieldFlag[] = [
  { flags: '--email <address>', help: 'what the admin signs in with', field: 'email' },
  {
    flags: '--password <->',
    help: '"-" reads the password from standard input, or asks for it on a terminal',
    fills: 'password',
    conflicts: ['passwordFile'],
  },
  { flags: '--password-file <file>', help: 'read the password from this file', fills: 'password' },
];

const columns: readonly Column<Item>[] = [
  { title: 'EMAIL', text: textOf('email'), shrinks: true },
  { title: 'LAST SIGN-IN', text: timeOf('last_sign_in_at') },
  { title: 'CREATED', text: timeOf('created_at') },
  { title: 'ID', text: textOf('id'), style: () => 'dim' },
];

const kind: ResourceKind = {
  singular: 'admin',
  plural: 'admins',
  path: '/admin/admins',
  nameField: 'email',
  fields: adminFields,
  columns: () => Promise.resolve(columns),
};

const required = ['--email'];

/** `apigate admins …` */
export function adminsCommand(host: CommandHost): CliCommand {
  const group = new CliCommand('admins');
  const create = defineCommand(
    group,
    'create',
    {
      summary: 'make an admin, who signs in with e-mail address and password',
      examples: [
        'apigate admins create --email ops@example.com',
        'apigate admins create --email ops@example.com --password-file password.txt',
      ],
    },
    host,
    async (call) => {
      requireFlags(call.command, required);
      const fields = fieldsGiven(call.command, adminFields);
      await addPassword(call, fields);
      if (fields['password'] === undefined) {
        if (call.ports.stdin.isTTY !== true)
          throw usageError('an admin needs a password', 'give it with --password - on standard input, or with --password-file');
        fields['password'] = await askTwice(call);
      }
      await call.print.one(itemOf(await write(call, kind, 'POST', kind.path, fields)), 'email');
    },
  );
  addFieldFlags(create, adminFields, required);

  addListCommand(group, kind, host, 'search');
  addGetCommand(group, kind, host);
  addUpdateCommand(
    group,
    kind,
    host,
    ['apigate admins update ops@example.com --password -', 'apigate admins update ops@example.com --email new@example.com'],
    addPassword,
  );
  addDeleteCommand(group, kind, host);
  return group;
}

/** A password on the command line is not offered: it would stay in the shell's history and in the process list. */
async function addPassword(call: CommandCall, fields: Record<string, unknown>): Promise<void> {
  const { password, passwordFile } = call.options;
  if (password !== undefined && password !== '-') {
    throw usageError(
      '--password takes only "-", which reads it from standard input',
      'shells keep commands in their history; --password-file reads it from a file',
    );
  }
  if (password === '-')
    fields['password'] = call.ports.stdin.isTTY === true ? await askTwice(call) : await readSecretFromStdin(call.ports, 'Password');
  if (passwordFile !== undefined) fields['password'] = await readSecretFile(call.ports, String(passwordFile), '--password-file');
}

async function askTwice(call: CommandCall): Promise<string> {
  const password = await askSecret(call.ports, 'Password');
  if ((await askSecret(call.ports, 'The same again')) !== password) throw usageError('the two passwords differ', 'nothing was changed');
  return password;
}
