import { visibleText } from '../../settings/visible-text.ts';
import type { ApplyResult } from '../../model/declared-config.ts';
import type { AdminAnswer } from '../admin-client.ts';
import { CliCommand } from '../cli-command.ts';
import { CliError, exitCodes, usageError } from '../cli-error.ts';
import { runs, type CommandCall, type CommandHost } from '../command-call.ts';
import { type DeclaredInput, declaredInput, problemText } from '../declarative/declared-input.ts';
import { PlacedErrors, placedErrors } from '../declarative/placed-errors.ts';
import { readSources } from '../declarative/read-sources.ts';
import { addExamples, itemOf, write } from '../resource-commands.ts';
import { changeText, countsText } from '../output/change-text.ts';
import { trafficText } from '../output/traffic-text.ts';
import { askYes } from '../secret-input.ts';

/** `apigate apply` */
export function applyCommand(host: CommandHost): CliCommand {
  const command = new CliCommand('apply');
  command.globals = 'all';
  command.option(
    '-f, --file <path>',
    'file or directory of YAML or JSON, or - for standard input; repeatable',
    (path: string, paths: string[]) => [...paths, path],
    [],
  );
  command.option('--dry-run', 'only show what would change, and what the last 1,000 requests would do differently');
  command.option('--prune', 'also remove what the lists in the files do not name');
  command.option('--expect-revision <n>', 'apply only if the gateway config is still of this revision, as a dry run told it');
  addExamples(command, [
    'apigate apply -f gateway.yaml --dry-run',
    'apigate apply -f gateway.yaml',
    'apigate apply -f conf.d --prune --yes',
    'apigate export --server https://one.example.com | apigate apply -f -',
  ]);
  return runs(command, host, async (call) => {
    const { options } = call;
    const paths = options['file'] as readonly string[];
    if (paths.length === 0)
      throw usageError('--file is missing', 'name a file or a directory, or - for standard input: apigate apply -f gateway.yaml');
    const dryRun = options['dryRun'] === true;
    const prune = options['prune'] === true;
    if (!dryRun && call.print.format === 'name') {
      throw usageError('-o name would lose the API keys that are made, which are shown only once', 'leave it out, or use -o json');
    }
    const asks = prune && !dryRun && !call.globals.yes;
    const atTerminal = call.ports.stdin.isTTY === true && call.ports.stderr.isTTY === true && !paths.includes('-');
    if (asks && !atTerminal)
      throw usageError('--prune removes objects, and there is no terminal to ask on', 'give --yes too, or look first with --dry-run');

    const input = declaredInput(await readSources(call.ports, paths));
    await refuseProblems(call, input, prune);
    const query = new URLSearchParams(prune ? { prune: 'true' } : {});
    if (options['expectRevision'] !== undefined) query.set('expect_revision', String(options['expectRevision']));
    if (asks) query.set('expect_revision', String(await revisionAgreedOn(call, input, query)));
    if (dryRun) query.set('dry_run', 'true');
    const answer = await send(call, input, query);
    await show(call, input, itemOf(answer) as ApplyResult);
  });
}

/** Shows what prune would remove and asks. What was agreed to is all that is done: hence the revision. */
async function revisionAgreedOn(call: CommandCall, input: DeclaredInput, query: URLSearchParams): Promise<number> {
  const dry = new URLSearchParams([...query, ['dry_run', 'true']]);
  const { changes, revision } = itemOf(await send(call, input, dry)) as ApplyResult;
  const removed = changes.filter(({ action }) => action === 'delete');
  for (const { type, name } of removed) call.print.note(`delete ${type} ${visibleText(name)}`);
  const question = `Delete ${removed.length === 1 ? 'this object' : `these ${removed.length} objects`} and apply the rest?`;
  if (removed.length > 0 && !(await askYes(call.ports, question))) throw new CliError(exitCodes.failure, 'nothing was changed');
  return revision;
}

async function send(call: CommandCall, input: DeclaredInput, query: URLSearchParams): Promise<AdminAnswer> {
  const path = query.size === 0 ? '/admin/apply' : `/admin/apply?${query.toString()}`;
  return await write(call, { fields: [] }, 'POST', path, input.body).catch((error: unknown) => {
    throw placedErrors(error, input, nothingChanged) ?? error;
  });
}

const nothingChanged = ', nothing was changed';

/** What is wrong with the texts, together with what the API finds in what could be read. */
async function refuseProblems(call: CommandCall, input: DeclaredInput, prune: boolean): Promise<void> {
  if (input.problems.length === 0) return;
  const lines = input.problems.map(problemText);
  if (!input.unreadable && Object.keys(input.body).length > 0) {
    const query = new URLSearchParams({ dry_run: 'true', ...(prune ? { prune: 'true' } : {}) });
    const found = await send(call, input, query).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (found instanceof PlacedErrors) lines.push(...found.lines);
  }
  throw new PlacedErrors(lines, nothingChanged);
}

async function show(call: CommandCall, input: DeclaredInput, result: ApplyResult): Promise<void> {
  for (const { field, message } of result.warnings) call.print.warn(visibleText(problemText({ ...input.placeOf(field), message })));
  if (call.print.format === 'name') {
    call.print.data(result.changes.map(({ type, name }) => `${type}/${visibleText(name)}\n`).join(''));
    return;
  }
  if (call.print.format !== 'table') {
    await call.print.one(result, 'revision');
    return;
  }
  call.print.data(result.changes.map((change) => changeText(change, result.dry_run)).join(''));
  for (const { name, key } of result.created_keys) call.print.data(`API key ${visibleText(name)}: ${key}\n`);
  if (result.created_keys.length > 0) call.print.note('Keep the API keys now: they are never shown again.');
  call.print.note(summary(result));
  if (!result.dry_run) return;
  // A gateway of an older version says nothing of its traffic.
  const { traffic, traffic_note: note } = result as Partial<ApplyResult>;
  if (traffic) call.print.data(trafficText(traffic));
  else if (note) call.print.note(`No recent requests to compare with: ${visibleText(note)}`);
}

function summary({ changes, unchanged, dry_run: dryRun, revision }: ApplyResult): string {
  if (changes.length === 0) return `No changes: everything is so already (revision ${revision}).`;
  const told = countsText(changes, dryRun);
  return dryRun
    ? `Dry run on revision ${revision}: ${told}, ${unchanged} unchanged. Nothing was changed.`
    : `${told[0]?.toUpperCase()}${told.slice(1)}, ${unchanged} unchanged: revision ${revision}.`;
}
