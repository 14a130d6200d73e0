import { resolve } from 'node:path';
import { visibleText } from '../../settings/visible-text.ts';
import { CliCommand } from '../cli-command.ts';
import { usageError } from '../cli-error.ts';
import type { SecretKeyReport } from '../cli-ports.ts';
import type { CommandCall, CommandHost } from '../command-call.ts';
import { localSettings } from '../local-call.ts';
import type { Column } from '../output/format-table.ts';
import { defineCommand } from '../resource-commands.ts';
import { readSecretFile, readSecretFromStdin } from '../secret-input.ts';

type KeyLine = SecretKeyReport['keys'][number] & { readonly state: string };

const columns: readonly Column<KeyLine & Record<string, unknown>>[] = [
  { title: 'KEY', text: ({ id }) => id },
  { title: 'STATE', text: ({ state }) => state, style: ({ held }) => (held ? 'green' : 'yellow') },
  { title: 'SEALED VALUES', text: ({ values }) => String(values) },
  { title: 'AT HAND', text: ({ held }) => (held ? 'yes' : 'no') },
  { title: 'IN THE GATEWAY', text: ({ held_by_gateway: held }) => (held === null ? 'none runs' : held ? 'yes' : 'no') },
];

/** `apigate secrets …` */
export function secretsCommand(host: CommandHost): CliCommand {
  const group = new CliCommand('secrets');
  defineCommand(
    group,
    'status',
    {
      summary: 'which secret keys there are, where they come from, and what is sealed with each; shows ids, never a key',
      examples: ['apigate secrets status', 'apigate secrets status -o json'],
    },
    host,
    async (call) => await status(call),
  );
  const rotate = defineCommand(
    group,
    'rotate',
    {
      summary: 'seal all secrets anew with a new key, also while the gateway runs; after an interruption, finish it',
      examples: [
        'apigate secrets rotate                                 the key lies in the key file: a new one is made',
        'apigate secrets rotate --old-key-file /safe/old.key    keep the old key, for backups made before',
        'openssl rand -hex 32 > new.key && apigate secrets rotate --new-key-file new.key',
      ],
    },
    host,
    async (call) => await rotateKey(call),
  );
  rotate.option('--new-key-file <file>', 'read the new key from this file (needed where the key comes from the environment)');
  rotate.option('--new-key <->', '"-" reads the new key from standard input');
  rotate.option('--old-key-file <file>', 'write the old key to this new file, mode 0600: backups from before open only with it');
  return group;
}

async function status(call: CommandCall): Promise<void> {
  const report = await call.ports.local.secretKeyStatus(localSettings(call, 'secrets status'));
  if (call.print.format === 'json' || call.print.format === 'yaml') return await call.print.one({ ...report }, 'current');
  const lines = report.keys.map((key) => ({ ...key, state: stateOf(key.id, report) }));
  await call.print.list(lines, () => Promise.resolve(columns), 'id');
  call.print.note(`Keys are read from ${visibleText(report.source)}.`);
  if (report.rotation !== null)
    call.print.warn(
      `a rotation from ${report.rotation.from} to ${report.rotation.to} was interrupted: finish it with "apigate secrets rotate"`,
    );
  if (report.damaged > 0) call.print.warn(`${report.damaged} sealed values are damaged`);
}

function stateOf(id: string, { current, rotation }: SecretKeyReport): string {
  if (id === current) return rotation === null ? 'in use' : id === rotation.to ? 'in use, new' : 'in use, old';
  if (rotation !== null && (id === rotation.from || id === rotation.to)) return id === rotation.to ? 'new' : 'old';
  return 'not in use';
}

async function rotateKey(call: CommandCall): Promise<void> {
  const settings = localSettings(call, 'secrets rotate');
  const newKey = await newKeyOf(call);
  const { oldKeyFile } = call.options;
  const report = await call.ports.local.rotateSecretKey(settings, {
    ...(newKey === undefined ? {} : { newKey }),
    ...(oldKeyFile === undefined ? {} : { oldKeyFile: resolve(call.ports.cwd, String(oldKeyFile)) }),
  });
  const { keySource, ...data } = report;
  if (call.print.format === 'table') {
    const done = report.resumed ? 'The interrupted rotation is finished' : 'The secret key is rotated';
    call.print.data(`${done}: ${report.from} → ${report.to}; ${report.resealed} values sealed anew.\n`);
  } else await call.print.one({ ...data }, 'to');
  if (keySource !== undefined)
    call.print.warn(
      `put the new key alone into ${visibleText(keySource)} before the gateway starts again: it will not start with the old one`,
    );
  call.print.note(`Backups made before open only with key ${report.from}.`);
  for (const { table, id, reason } of report.unreadable)
    call.print.warn(
      `${table} ${visibleText(id)}: its secret could not be read before either, and was left as it is: ${visibleText(reason)}`,
    );
}

async function newKeyOf(call: CommandCall): Promise<string | undefined> {
  const { newKey, newKeyFile } = call.options;
  if (newKey !== undefined && newKeyFile !== undefined) throw usageError('--new-key and --new-key-file exclude each other');
  if (newKey !== undefined && newKey !== '-') {
    throw usageError(
      '--new-key takes only "-", which reads it from standard input',
      'the command line is seen by others; --new-key-file reads it from a file',
    );
  }
  if (newKey === '-') return await readSecretFromStdin(call.ports, 'New secret key');
  if (newKeyFile === undefined) return undefined;
  return await readSecretFile(call.ports, String(newKeyFile), '--new-key-file');
}
