import { InvalidArgumentError } from 'commander';
import { hostMatchTypes, pathMatchTypes, routeProtocols, type HeaderCondition } from '../../model/route.ts';
import type { AdminClient } from '../admin-client.ts';
import { CliCommand } from '../cli-command.ts';
import type { CommandCall, CommandHost } from '../command-call.ts';
import {
  addFieldFlags,
  enabledFlags,
  fieldsGiven,
  list,
  parsedOption,
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
  listAll,
  resourcePath,
  write,
  type ResourceKind,
} from '../resource-commands.ts';
import { addCors, corsFlags, corsNeedsStored } from '../cors-flags.ts';
import { shellQuote } from '../shell-quote.ts';
import { readTransform } from '../transform-input.ts';

const routeFields: readonly FieldFlag[] = [
  { flags: '--name <name>', help: 'unique name, 1 to 100 characters', field: 'name' },
  { flags: '--path <pattern>', help: 'what the path must be; segments like {id} match any one segment', field: 'path_pattern' },
  { flags: '--match <type>', help: 'how the path is compared (default: prefix)', field: 'match_type', choices: pathMatchTypes },
  { flags: '--host <pattern>', help: 'what the Host must be; "" for any', field: 'host_pattern' },
  {
    flags: '--host-match <type>',
    help: 'how the host is compared (default: wildcard for *.NAME, else exact)',
    field: 'host_match_type',
    choices: hostMatchTypes,
  },
  { flags: '--methods <list>', help: 'GET,POST,… ; "" for all (the default)', field: 'methods', value: list },
  {
    flags: '--header <condition>',
    help: "'Name: value' that the request must have, repeatable; 'Name?: value' only if it has the header at all; \"\" for no conditions",
    field: 'headers',
    value: headerCondition(false),
  },
  {
    flags: '--header-regex <condition>',
    help: "the same with a regular expression: 'Name: ^v[12]$'",
    fills: 'headers',
    value: headerCondition(true),
  },
  { flags: '--upstream <upstream>', help: 'id or name of the upstream that requests go to', field: 'upstream_id' },
  {
    flags: '--protocol <protocol>',
    help: 'what it carries; only websocket takes upgrades (default: http)',
    field: 'protocol',
    choices: routeProtocols,
  },
  ...corsFlags,
  { flags: '--api-key-query', help: 'an API key may come as ?api_key= too, for browsers that cannot set headers', field: 'api_key_query' },
  { flags: '--no-api-key-query', help: 'keys in headers only (the default)' },
  {
    flags: '--rewrite <path>',
    help: 'what the path becomes: /v2/$1, /users/${pathParams.id}; "" for as it came',
    field: 'path_rewrite',
    value: textOrNull,
  },
  {
    flags: '--method-override <method>',
    help: 'the method that the upstream gets; "" for the client\'s',
    field: 'method_override',
    value: textOrNull,
  },
  {
    flags: '--request-transform <steps>',
    help: 'changes to requests: @file (YAML or JSON), @- for standard input, or JSON; "" for none',
    fills: 'request_transform',
  },
  { flags: '--response-transform <steps>', help: 'changes to responses, given the same way', fills: 'response_transform' },
  { flags: '--priority <n>', help: 'higher wins (default: 0)', field: 'priority', value: wholeNumber },
  { flags: '--auth', help: 'clients need an API key (the default)', field: 'auth_required' },
  { flags: '--no-auth', help: 'open to everybody; also --auth=false' },
  { flags: '--description <text>', help: 'for people to read', field: 'description' },
  ...enabledFlags,
];

const kind: ResourceKind = {
  singular: 'route',
  plural: 'routes',
  path: '/admin/routes',
  nameField: 'name',
  fields: routeFields,
  columns: routeColumns,
};

const required = ['--name', '--path', '--upstream'];

/** `apigate routes …` */
export function routesCommand(host: CommandHost): CliCommand {
  const group = new CliCommand('routes');
  const create = defineCommand(
    group,
    'create',
    {
      summary: 'make a route',
      examples: [
        'apigate routes create --name my-api --path /api --upstream my-api',
        'apigate routes create --name health --path /health --match exact --methods GET --upstream my-api --no-auth',
        'apigate routes create --name live --path /live --protocol websocket --api-key-query --upstream chat',
        "apigate routes create --name v2 --path /api --upstream my-api --rewrite '/v2/$1' --request-transform @steps.yaml",
        "apigate routes create --name beta --path / --host '*.example.com' --header 'X-Beta: 1' --priority 10 --upstream beta",
      ],
    },
    host,
    async (call) => {
      requireFlags(call.command, required);
      const fields = fieldsGiven(call.command, routeFields);
      await addFilled(call, fields);
      addCors(call, fields, null);
      const made = itemOf(await write(call, kind, 'POST', kind.path, fields));
      await call.print.one(made, 'name');
      const admin = await call.admin();
      call.print.note(`\nCreated route ${shellQuote(String(made['name']))}. ${nextStep(made, admin)}`);
    },
  );
  addFieldFlags(create, routeFields, required);

  addListCommand(group, kind, host, 'search and enabled');
  addGetCommand(group, kind, host);
  addUpdateCommand(
    group,
    kind,
    host,
    [
      'apigate routes update my-api --path /api/v2',
      'apigate routes update my-api --no-auth',
      'apigate routes update my-api --cors-origins https://app.example.com --cors-credentials',
      'apigate routes update my-api --methods GET,HEAD',
      'apigate routes update my-api --response-transform @mask.yaml',
    ],
    async (call, fields) => {
      await addFilled(call, fields);
      if (!corsNeedsStored(call)) return addCors(call, fields, null);
      const stored = itemOf(await (await call.admin()).request('GET', resourcePath(kind, call.args[0])));
      addCors(call, fields, stored['cors']);
    },
  );
  addSwitchCommands(group, kind, host);
  addDeleteCommand(group, kind, host);
  return group;
}

/** Both header flags fill one list; what is given replaces all conditions. Transformations may lie in files. */
async function addFilled(call: CommandCall, fields: Record<string, unknown>): Promise<void> {
  const plain = (fields['headers'] as readonly HeaderCondition[] | undefined) ?? [];
  const regex = parsedOption(call.command, 'headerRegex') as readonly HeaderCondition[] | undefined;
  if (regex !== undefined) fields['headers'] = [...plain, ...regex];
  for (const [option, field, flag] of [
    ['requestTransform', 'request_transform', '--request-transform'],
    ['responseTransform', 'response_transform', '--response-transform'],
  ] as const) {
    const text = parsedOption(call.command, option);
    if (typeof text === 'string') fields[field] = await readTransform(call.ports, text, flag);
  }
}

function headerCondition(isRegex: boolean): (text: string, previous: unknown) => readonly HeaderCondition[] {
  return (text, previous) => {
    const before = Array.isArray(previous) ? (previous as HeaderCondition[]) : [];
    if (text === '') return before;
    const [, name, optional, value] = /^\s*([^\s:?]+)(\??)\s*:\s*(.*?)\s*$/s.exec(text) ?? [];
    if (name === undefined || value === undefined) throw new InvalidArgumentError("Write it as in 'X-API-Version: 2'.");
    return [...before, { name, value, is_regex: isRegex, required: optional !== '?' }];
  };
}

async function routeColumns(admin: AdminClient): Promise<readonly Column<Item>[]> {
  const upstreams = new Map((await listAll(admin, '/admin/upstreams')).map((upstream) => [upstream['id'], String(upstream['name'])]));
  return [
    { title: 'NAME', text: textOf('name'), shrinks: true },
    { title: 'HOST', text: (route) => textOf('host_pattern')(route) || '*', shrinks: true },
    { title: 'PATH', text: textOf('path_pattern'), shrinks: true },
    { title: 'MATCH', text: textOf('match_type') },
    { title: 'METHODS', text: (route) => textOf('methods')(route) || '*', shrinks: true },
    { title: 'UPSTREAM', text: (route) => upstreams.get(route['upstream_id']) ?? textOf('upstream_id')(route), shrinks: true },
    { title: 'ACCESS', text: (route) => (route['auth_required'] === false ? 'public' : 'API key') },
    { title: 'PRIORITY', text: textOf('priority'), align: 'right' },
    { title: 'ENABLED', text: yesOrNo('enabled'), style: greenWhenTrue('enabled') },
    { title: 'ID', text: textOf('id'), style: () => 'dim' },
  ];
}

function nextStep(route: Item, admin: AdminClient): string {
  if (route['auth_required'] !== false) {
    const name = String(route['name']);
    return `Clients need an API key for it:\n  apigate keys create --name ${shellQuote(`${name}-client`)} --routes ${shellQuote(name)}`;
  }
  return `It needs no API key:\n  ${curlFor(route, admin)}`;
}

/** A curl that takes this route, as far as its patterns say. */
export function curlFor(route: Item, admin: AdminClient, key?: string): string {
  const pattern = textOf('path_pattern')(route);
  const path = route['match_type'] === 'regex' ? '/' : pattern.replace(/\*+$/, '');
  const host = textOf('host_pattern')(route);
  const headers = key === undefined ? [] : [`-H ${key}`];
  if (host !== '' && route['host_match_type'] === 'exact') headers.push(`-H ${shellQuote(`Host: ${host}`)}`);
  return ['curl', ...headers, shellQuote(admin.trafficUrl + path)].join(' ');
}
