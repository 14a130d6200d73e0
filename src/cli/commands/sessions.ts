import { visibleText } from '../../settings/visible-text.ts';
import { CliCommand } from '../cli-command.ts';
import { CliError, exitCodes, usageError } from '../cli-error.ts';
import type { CommandHost } from '../command-call.ts';
import { textOf, timeOf } from '../output/cells.ts';
import type { Column } from '../output/format-table.ts';
import type { Item } from '../output/printer.ts';
import { defineCommand, listAll, resourcePath, write, type ResourceKind } from '../resource-commands.ts';
import { askYes } from '../secret-input.ts';

const columns: readonly Column<Item>[] = [
  { title: 'ADMIN', text: textOf('email'), shrinks: true },
  { title: 'FROM', text: textOf('remote_address') },
  { title: 'SIGNED IN', text: timeOf('created_at') },
  { title: 'LAST USED', text: timeOf('last_seen_at') },
  { title: 'ENDS', text: timeOf('expires_at') },
  { title: 'ID', text: textOf('id'), style: () => 'dim' },
];

const kind: ResourceKind = {
  singular: 'session',
  plural: 'sessions',
  path: '/admin/sessions',
  nameField: 'name',
  fields: [],
  columns: () => Promise.resolve(columns),
};

/** `apigate sessions …` */
export function sessionsCommand(host: CommandHost): CliCommand {
  const group = new CliCommand('sessions');
  const list = defineCommand(
    group,
    'list',
    {
      summary: 'list who is signed in, newest first',
      examples: ['apigate sessions list', 'apigate sessions list --admin ann@example.com'],
    },
    host,
    async (call) => {
      const sessions = await listAll(await call.admin(), kind.path, queryFor(call.options['admin'] as string | undefined));
      if (sessions.length === 0 && call.print.format === 'table') return call.print.note('Nobody is signed in.');
      await call.print.list(sessions, () => Promise.resolve(columns), 'id');
    },
  );
  list.option('--admin <email>', 'only those whose e-mail address contains this');

  const revoke = defineCommand(
    group,
    'revoke',
    {
      summary: 'end a session, or all: whoever used it has to sign in again',
      examples: [
        'apigate sessions revoke ses_0123456789abcdef',
        'apigate sessions revoke --admin ann@example.com',
        'apigate sessions revoke --all',
      ],
    },
    host,
    async (call) => {
      const [id] = call.args;
      const { admin, all } = call.options as { readonly admin?: string; readonly all?: true };
      if ([id, admin, all].filter((given) => given !== undefined).length !== 1)
        throw usageError('say which: the id of a session, --admin, or --all', 'see them with "apigate sessions list"');
      if (id !== undefined) {
        await write(call, kind, 'DELETE', resourcePath(kind, id));
        return call.print.note(`Ended session ${visibleText(id)}.`);
      }
      const sessions = (await listAll(await call.admin(), kind.path, queryFor(admin))).filter(
        ({ email }) => admin === undefined || email === admin.toLowerCase(),
      );
      const question = `End ${sessions.length} session${sessions.length === 1 ? '' : 's'}?`;
      const atTerminal = call.ports.stdin.isTTY === true && call.ports.stderr.isTTY === true;
      if (sessions.length > 0 && !call.globals.yes && atTerminal && !(await askYes(call.ports, question)))
        throw new CliError(exitCodes.failure, 'nothing was ended');
      for (const session of sessions) await endSession(call, String(session['id']));
      call.print.note(`Ended ${sessions.length} session${sessions.length === 1 ? '' : 's'}.`);
    },
  );
  revoke.argument('[id]', 'id of the session');
  revoke.option('--admin <email>', 'all sessions of this admin');
  revoke.option('--all', 'all sessions of everybody');
  return group;
}

function queryFor(admin: string | undefined): URLSearchParams {
  const query = new URLSearchParams({ all: 'true' });
  if (admin !== undefined) query.set('q', admin);
  return query;
}

/** One that is over by now is what was wanted. */
async function endSession(call: Parameters<typeof write>[0], id: string): Promise<void> {
  await write(call, kind, 'DELETE', resourcePath(kind, id)).catch((error: unknown) => {
    if (!(error instanceof CliError) || error.exitCode !== exitCodes.notFound) throw error;
  });
}
