import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { authTypes } from '../../model/upstream.ts';
import { CliCommand } from '../cli-command.ts';
import { addHealthCommand } from './upstream-health.ts';
import { usageError } from '../cli-error.ts';
import type { CommandCall, CommandHost } from '../command-call.ts';
import {
  addFieldFlags,
  enabledFlags,
  fieldsGiven,
  milliseconds,
  requireFlags,
  textOrNull,
  wholeNumber,
  type FieldFlag,
} from '../field-flags.ts';
import { greenWhenTrue, textOf, yesOrNo } from '../output/cells.ts';
import type { Column } from '../output/format-table.ts';
import type { Item } from '../output/printer.ts';
import {
  addDeleteCommand,
  addGetCommand,
  addListCommand,
  addSwitchCommands,
  addUpdateCommand,
  defineCommand,
  itemOf,
  write,
  type ResourceKind,
} from '../resource-commands.ts';
import { readSecretFile, readSecretFromStdin } from '../secret-input.ts';
import { shellQuote } from '../shell-quote.ts';
import { addTestCommand } from '../test-command.ts';

export const upstreamFields: readonly FieldFlag[] = [
  { flags: '--name <name>', help: 'unique name, 1 to 100 characters', field: 'name' },
  { flags: '--url <url>', help: 'where the service is; a path is kept as a prefix', field: 'base_url' },
  { flags: '--description <text>', help: 'for people to read', field: 'description' },
  { flags: '--auth-type <type>', help: 'how requests to it are authenticated', field: 'auth_type', choices: authTypes },
  { flags: '--auth-header <name>', help: 'header for --auth-type header', field: 'auth_header', value: textOrNull },
  {
    flags: '--auth-value <value>',
    help: '"-" reads it from standard input; ${env.NAME} and ${file:/path} are read when needed',
    field: 'auth_value',
    conflicts: ['authValueFile'],
  },
  { flags: '--auth-value-file <file>', help: 'read the auth value from this file, once', fills: 'auth_value' },
  {
    flags: '--timeout <ms>',
    help: 'longest wait for its next progress, in milliseconds (default: 30000)',
    field: 'timeout_ms',
    value: milliseconds,
  },
  { flags: '--max-idle-conns <n>', help: 'idle connections kept for reuse (default: 100)', field: 'max_idle_conns', value: wholeNumber },
  {
    flags: '--idle-conn-timeout <ms>',
    help: 'how long they are kept, in milliseconds (default: 90000)',
    field: 'idle_conn_timeout_ms',
    value: milliseconds,
  },
  { flags: '--max-conns <n>', help: 'requests at the same time; 0 means no limit (default: 0)', field: 'max_conns', value: wholeNumber },
  { flags: '--preserve-host', help: "send the client's Host instead of the URL's", field: 'preserve_host' },
  { flags: '--no-preserve-host', help: "send the URL's Host (the default)" },
  { flags: '--tls-ca <file>', help: 'PEM file of the CA to trust for this upstream; "" for the usual ones', fills: 'tls_ca' },
  {
    flags: '--tls-server-name <name>',
    help: 'name for SNI and in the certificate, where it is not the URL\'s; "" for the URL\'s',
    field: 'tls_server_name',
    value: textOrNull,
  },
  {
    flags: '--health-check <path>',
    help: 'ask for this regularly to see whether it is well; "" turns that off',
    field: 'health_check_path',
    value: textOrNull,
  },
  {
    flags: '--health-check-interval <ms>',
    help: 'from one check to the next, in milliseconds (default: 10000)',
    field: 'health_check_interval_ms',
    value: milliseconds,
  },
  {
    flags: '--health-check-timeout <ms>',
    help: "longest wait for a check's answer, in milliseconds (default: 5000)",
    field: 'health_check_timeout_ms',
    value: milliseconds,
  },
  { flags: '--health-check-status <list>', help: 'statuses that are a good answer (default: 200-399)', field: 'health_check_status' },
  ...enabledFlags,
];

const columns: readonly Column<Item>[] = [
  { title: 'NAME', text: textOf('name'), shrinks: true },
  { title: 'URL', text: textOf('base_url'), shrinks: true },
  { title: 'AUTH', text: textOf('auth_type') },
  { title: 'TIMEOUT', text: (item) => `${textOf('timeout_ms')(item)} ms`, align: 'right' },
  { title: 'ENABLED', text: yesOrNo('enabled'), style: greenWhenTrue('enabled') },
  { title: 'ID', text: textOf('id'), style: () => 'dim' },
];

const kind: ResourceKind = {
  singular: 'upstream',
  plural: 'upstreams',
  path: '/admin/upstreams',
  nameField: 'name',
  fields: upstreamFields,
  columns: () => Promise.resolve(columns),
};

const required = ['--name', '--url'];

/** `apigate upstreams …` */
export function upstreamsCommand(host: CommandHost): CliCommand {
  const group = new CliCommand('upstreams');
  const create = defineCommand(
    group,
    'create',
    {
      summary: 'make an upstream',
      examples: [
        'apigate upstreams create --name my-api --url https://api.example.com',
        'printenv TOKEN | apigate upstreams create --name my-api --url https://api.example.com --auth-type bearer --auth-value -',
        "apigate upstreams create --name my-api --url https://api.example.com --auth-type header --auth-header X-API-Key --auth-value '${env.MY_API_KEY}'",
      ],
    },
    host,
    async (call) => {
      requireFlags(call.command, required);
      const fields = fieldsGiven(call.command, upstreamFields);
      await addFilesAndSecret(call, fields);
      const made = itemOf(await write(call, kind, 'POST', kind.path, fields));
      await call.print.one(made, 'name');
      const name = String(made['name']);
      call.print.note(
        `\nCreated upstream ${shellQuote(name)}. Send requests to it with a route:\n  apigate routes create --name ${shellQuote(name)} --path /${pathWord(name)} --upstream ${shellQuote(name)}`,
      );
    },
  );
  addFieldFlags(create, upstreamFields, required);

  addListCommand(group, kind, host, 'search and enabled');
  addGetCommand(group, kind, host);
  addUpdateCommand(
    group,
    kind,
    host,
    [
      'apigate upstreams update my-api --timeout 60000',
      'apigate upstreams update my-api --auth-value-file new-token.txt',
      'apigate upstreams update my-api --auth-type none',
    ],
    addFilesAndSecret,
  );
  addSwitchCommands(group, kind, host);
  addDeleteCommand(group, kind, host, 'the routes that use it');
  addTestCommand(group, host, { fields: upstreamFields, addFilesAndSecret });
  addHealthCommand(group, host);
  return group;
}

/** Reads what flags only point to: the auth value and the CA file. */
async function addFilesAndSecret(call: CommandCall, fields: Record<string, unknown>): Promise<void> {
  const { options, ports, print } = call;
  const literal = fields['auth_value'];
  if (literal === '-') fields['auth_value'] = await readSecretFromStdin(ports, 'Auth value');
  else if (typeof literal === 'string' && !/^\$\{(?:env\.|file:)[^}]*\}$/.test(literal)) {
    print.warn('shells keep commands in their history: use --auth-value - or --auth-value-file for secrets');
  }
  if (options['authValueFile'] !== undefined)
    fields['auth_value'] = await readSecretFile(ports, String(options['authValueFile']), '--auth-value-file');
  if (options['tlsCa'] !== undefined) fields['tls_ca'] = options['tlsCa'] === '' ? null : await readPem(call, String(options['tlsCa']));
}

async function readPem(call: CommandCall, path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(resolve(call.ports.cwd, path), 'utf8');
  } catch (error) {
    throw usageError(`--tls-ca: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (text.includes('PRIVATE KEY')) throw usageError(`--tls-ca: ${path} holds a private key`, "give the CA's certificate alone");
  return text;
}

/** A path segment that a name suggests. */
function pathWord(name: string): string {
  return (
    name
      .toLowerCase()
      .replaceAll(/[^a-z\d]+/g, '-')
      .replaceAll(/^-|-$/g, '') || 'api'
  );
}
