import { Option } from 'commander';
import { visibleText } from '../settings/visible-text.ts';
import type { AdminAnswer, AdminClient, AdminMethod } from './admin-client.ts';
import type { CliCommand } from './cli-command.ts';
import { ApiFailure, CliError, exitCodes, usageError } from './cli-error.ts';
import { runs, type CommandCall, type CommandHost, type RunCommand } from './command-call.ts';
import { addFieldFlags, fieldsGiven, flagOfField, type FieldFlag } from './field-flags.ts';
import type { Column } from './output/format-table.ts';
import type { Item } from './output/printer.ts';
import { askYes } from './secret-input.ts';

/** What the commands on one kind of resource have in common. */
export interface ResourceKind {
  readonly singular: string;
  readonly plural: string;
  /** Collection's path: `/admin/upstreams`. */
  readonly path: string;
  /** The field that people call it by. */
  readonly nameField: 'name' | 'email';
  readonly fields: readonly FieldFlag[];
  /** For tables; may ask the API for names that the list itself does not hold. */
  readonly columns: (admin: AdminClient) => Promise<readonly Column<Item>[]>;
}

export interface CommandText {
  readonly summary: string;
  readonly examples: readonly string[];
}

/** One command with its flags, help, and action. */
export function defineCommand(group: CliCommand, usage: string, text: CommandText, host: CommandHost, run: RunCommand): CliCommand {
  const command = group.command(usage);
  command.description(text.summary);
  addExamples(command, text.examples);
  command.globals = 'all';
  return runs(command, host, run);
}

export function addExamples(command: CliCommand, examples: readonly string[]): void {
  if (examples.length > 0) command.addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}\n`).join('')}`);
}

export function addListCommand(
  group: CliCommand,
  kind: ResourceKind,
  host: CommandHost,
  filters: 'search' | 'search and enabled',
): CliCommand {
  const text = { summary: `list all ${kind.plural}`, examples: [`apigate ${kind.plural} list`, `apigate ${kind.plural} list -o json`] };
  const command = defineCommand(group, 'list', text, host, async (call) => {
    const query = new URLSearchParams();
    if (call.options['search'] !== undefined) query.set('q', String(call.options['search']));
    if (call.options['enabled'] === true) query.set('enabled', 'true');
    if (call.options['disabled'] === true) query.set('enabled', 'false');
    const admin = await call.admin();
    const items = await listAll(admin, kind.path, query);
    if (items.length === 0 && call.print.format === 'table') {
      call.print.note(
        query.size > 0 ? `No ${kind.plural} match.` : `No ${kind.plural} yet. Make one with: apigate ${kind.plural} create --help`,
      );
      return;
    }
    await call.print.list(items, () => kind.columns(admin), kind.nameField);
  });
  command.option('--search <text>', `only those whose ${kind.nameField === 'email' ? 'e-mail address' : 'name'} contains this`);
  if (filters === 'search and enabled') {
    command.addOption(new Option('--enabled', 'only those that are enabled').conflicts('disabled'));
    command.option('--disabled', 'only those that are disabled');
  }
  return command;
}

export function addGetCommand(group: CliCommand, kind: ResourceKind, host: CommandHost): CliCommand {
  const text = {
    summary: `show one ${kind.singular}`,
    examples: [`apigate ${kind.plural} get my-${kind.singular}`, `apigate ${kind.plural} get my-${kind.singular} -o yaml`],
  };
  const command = defineCommand(group, 'get', text, host, async (call) => {
    const answer = await (await call.admin()).request('GET', resourcePath(kind, call.args[0]));
    await call.print.one(itemOf(answer), kind.nameField);
  });
  return addReference(command, kind);
}

/** `body` adds what flags alone do not say, such as a secret from standard input. */
export function addUpdateCommand(
  group: CliCommand,
  kind: ResourceKind,
  host: CommandHost,
  examples: readonly string[],
  body: (call: CommandCall, fields: Record<string, unknown>) => Promise<void> = async () => {},
): CliCommand {
  const text = {
    summary: `change a ${kind.singular}; what is not given stays as it is`
      .replace('change a a', 'change an a')
      .replace('change a u', 'change an u'),
    examples,
  };
  const command = defineCommand(group, 'update', text, host, async (call) => {
    const path = resourcePath(kind, call.args[0]);
    const fields = fieldsGiven(call.command, kind.fields);
    await body(call, fields);
    if (Object.keys(fields).length === 0)
      throw usageError('nothing to change', `give at least one flag: apigate ${kind.plural} update --help`);
    const answer = await write(call, kind, 'PATCH', path, fields);
    await call.print.one(itemOf(answer), kind.nameField);
  });
  addFieldFlags(command, kind.fields);
  return addReference(command, kind);
}

/** A command that changes one resource in a fixed way and shows it: enable, disable, revoke. */
export function addActionCommand(
  group: CliCommand,
  kind: ResourceKind,
  host: CommandHost,
  verb: string,
  summary: string,
  action: { readonly method: AdminMethod; readonly suffix: string; readonly body?: unknown },
): CliCommand {
  const text = { summary, examples: [`apigate ${kind.plural} ${verb} my-${kind.singular}`] };
  const command = defineCommand(group, verb, text, host, async (call) => {
    const answer = await write(call, kind, action.method, resourcePath(kind, call.args[0]) + action.suffix, action.body);
    if (answer.body !== undefined) await call.print.one(itemOf(answer), kind.nameField);
  });
  return addReference(command, kind);
}

export function addSwitchCommands(group: CliCommand, kind: ResourceKind, host: CommandHost): void {
  addActionCommand(group, kind, host, 'enable', `switch the ${kind.singular} on`, { method: 'PATCH', suffix: '', body: { enabled: true } });
  addActionCommand(group, kind, host, 'disable', `switch the ${kind.singular} off`, {
    method: 'PATCH',
    suffix: '',
    body: { enabled: false },
  });
}

/** `cascades`: what `--cascade` takes with it. */
export function addDeleteCommand(group: CliCommand, kind: ResourceKind, host: CommandHost, cascades?: string): CliCommand {
  const text = {
    summary: `delete a ${kind.singular}`.replace('a a', 'an a').replace('a u', 'an u'),
    examples: [`apigate ${kind.plural} delete my-${kind.singular}`],
  };
  const command = defineCommand(group, 'delete', text, host, async (call) => {
    const reference = call.args[0] ?? '';
    const path = resourcePath(kind, reference);
    const cascade = call.options['cascade'] === true;
    const atTerminal = call.ports.stdin.isTTY === true && call.ports.stderr.isTTY === true;
    const question = `Delete ${kind.singular} ${visibleText(reference)}${cascade ? ` and ${cascades}` : ''}?`;
    if (!call.globals.yes && atTerminal && !(await askYes(call.ports, question)))
      throw new CliError(exitCodes.failure, 'nothing was deleted');
    try {
      await write(call, kind, 'DELETE', cascade ? `${path}?cascade=true` : path);
    } catch (error) {
      if (error instanceof ApiFailure && error.exitCode === exitCodes.conflict && cascades !== undefined && !cascade) {
        throw new ApiFailure(error.problem, error.flagOf, `--cascade deletes ${cascades} too`);
      }
      throw error;
    }
    call.print.note(`Deleted ${kind.singular} ${visibleText(reference)}.`);
  });
  if (cascades !== undefined) command.option('--cascade', `delete ${cascades} too`);
  return addReference(command, kind);
}

/** Sends a change, prints what the API warns of, and on a local database waits until a running gateway follows. */
export async function write(
  call: CommandCall,
  kind: Pick<ResourceKind, 'fields'>,
  method: AdminMethod,
  path: string,
  body?: unknown,
): Promise<AdminAnswer> {
  const admin = await call.admin();
  const answer = await admin.request(method, path, body).catch((error: unknown) => {
    throw error instanceof ApiFailure ? new ApiFailure(error.problem, (field) => flagOfField(kind.fields, field)) : error;
  });
  printWarnings(call, answer);
  const revision = Number(answer.headers.get('x-apigate-revision') ?? Number.NaN);
  if (Number.isSafeInteger(revision)) {
    // The change is made: not to know whether it is served must not hide its answer, a new key for instance.
    const outcome = await admin
      .waitUntilServed(revision)
      .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
    if (outcome === 'timeout') call.print.warn('the change is stored, but the running gateway has not taken it up within 2 s; see its log');
    if (outcome instanceof Error)
      call.print.warn(`the change is stored, but whether a gateway serves it is not known: ${visibleText(outcome.message)}`);
  }
  return answer;
}

export function printWarnings(call: CommandCall, answer: AdminAnswer): void {
  for (const warning of warningsOf(answer.headers)) call.print.warn(visibleText(warning));
}

/** Every page of a list. */
export function listAll(admin: AdminClient, path: string, query: URLSearchParams = new URLSearchParams()): Promise<readonly Item[]> {
  return listSome(admin, path, query, Number.POSITIVE_INFINITY);
}

/** The first `count` items of a list, on as many pages as that takes. */
export async function listSome(admin: AdminClient, path: string, query: URLSearchParams, count: number): Promise<readonly Item[]> {
  const items: Item[] = [];
  const pageQuery = new URLSearchParams(query);
  for (;;) {
    pageQuery.set('limit', String(Math.min(500, count - items.length)));
    const { body } = await admin.request('GET', `${path}?${pageQuery.toString()}`);
    const page = body as { readonly data?: readonly Item[]; readonly next_cursor?: string | null } | null | undefined;
    if (!Array.isArray(page?.data)) throw new CliError(exitCodes.failure, `the answer to GET ${path} is not a list`);
    items.push(...page.data);
    if (typeof page.next_cursor !== 'string' || items.length >= count) return items;
    if (page.next_cursor === pageQuery.get('cursor')) throw new CliError(exitCodes.failure, `the pages of GET ${path} do not end`);
    pageQuery.set('cursor', page.next_cursor);
  }
}

/**
 * Path of one resource. Names with segments that climb, or with a backslash, are refused however they are encoded: the gateway
 * lets no path with them through.
 */
export function resourcePath(kind: Pick<ResourceKind, 'path' | 'singular'>, reference: string | undefined): string {
  if (reference === undefined || reference === '') throw usageError(`the ${kind.singular}'s name or id is empty`);
  if (/(?:^|\/)\.\.?(?:;[^/]*)?(?:\/|$)|\\/.test(reference)) throw usageError(`"${reference}" cannot be addressed by name`, 'give its id');
  return `${kind.path}/${encodeURIComponent(reference)}`;
}

export function itemOf(answer: AdminAnswer): Item {
  if (typeof answer.body !== 'object' || answer.body === null) throw new CliError(exitCodes.failure, 'the answer holds no object');
  return answer.body as Item;
}

function addReference(command: CliCommand, kind: ResourceKind): CliCommand {
  command.argument('<id>', `id or ${kind.nameField === 'email' ? 'e-mail address' : 'name'} of the ${kind.singular}`);
  return command;
}

function warningsOf(headers: Headers): readonly string[] {
  const text = headers.get('x-apigate-warnings');
  if (text === null) return [];
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed.map(String) : [text];
  } catch {
    return [text];
  }
}
