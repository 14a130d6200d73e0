import { stepInTerminal } from '../../model/upstream-problems.ts';
import type { HealthProblem } from '../../model/upstream-health.ts';
import { visibleText } from '../../settings/visible-text.ts';
import type { CliCommand } from '../cli-command.ts';
import { CliError, exitCodes } from '../cli-error.ts';
import type { CommandHost } from '../command-call.ts';
import { textOf, timeOf } from '../output/cells.ts';
import type { Column } from '../output/format-table.ts';
import type { Item } from '../output/printer.ts';
import type { StyleName } from '../output/style.ts';
import { defineCommand, itemOf, resourcePath } from '../resource-commands.ts';

const styles: Readonly<Record<string, StyleName>> = { healthy: 'green', failing: 'red', unknown: 'yellow', disabled: 'dim' };

const columns: readonly Column<Item>[] = [
  { title: 'NAME', text: textOf('upstream'), shrinks: true },
  { title: 'STATE', text: textOf('state'), style: (item) => styles[String(item['state'])] },
  { title: 'LAST OK', text: timeOf('last_ok_at') },
  { title: 'LAST FAILURE', text: timeOf('last_failure_at') },
  { title: 'REQUESTS', text: textOf('requests'), align: 'right' },
  { title: 'FAILURES', text: (item) => String(sumOf(item['failures'])), align: 'right' },
  { title: '5XX', text: textOf('server_errors'), align: 'right' },
  { title: 'ACTIVE', text: (item) => textOf('active')((item['connections'] ?? {}) as Item), align: 'right' },
  { title: 'TOLD BY', text: textOf('source') },
  { title: 'IN A ROW', text: (item) => String(problemOf(item)?.consecutive_failures ?? ''), align: 'right' },
  { title: 'CAUSE', text: causeOf, shrinks: true },
];

/** What is wrong where something is, else why the state is what it is. */
export function causeOf(item: Item): string {
  return problemOf(item)?.cause ?? textOf('cause')(item);
}

function problemOf(item: Item): HealthProblem | null {
  return (item['problem'] ?? null) as HealthProblem | null;
}

/** `apigate upstreams health [NAME]` */
export function addHealthCommand(group: CliCommand, host: CommandHost): void {
  const text = {
    summary: 'show how upstreams do, as their traffic and health checks tell',
    examples: ['apigate upstreams health', 'apigate upstreams health my-api -o json'],
  };
  const command = defineCommand(group, 'health', text, host, async (call) => {
    const admin = await call.admin();
    const [name] = call.args;
    if (name !== undefined) {
      const path = `${resourcePath({ path: '/admin/upstreams', singular: 'upstream' }, name)}/health`;
      const health = itemOf(await admin.request('GET', path));
      const problem = problemOf(health);
      if (call.print.format !== 'table' || problem === null) return await call.print.one(health, 'upstream');
      await call.print.one({ ...health, problem: `${problem.title}: ${problem.cause}` }, 'upstream');
      for (const step of problem.next) call.print.note(`→ ${visibleText(stepInTerminal(step))}`);
      return;
    }
    const { data } = itemOf(await admin.request('GET', '/admin/health')) as { readonly data?: readonly Item[] };
    if (!Array.isArray(data)) throw new CliError(exitCodes.failure, 'the answer to GET /admin/health is not a list');
    if (data.length === 0 && call.print.format === 'table')
      call.print.note('No upstreams yet. Make one with: apigate upstreams create --help');
    else await call.print.list(data, () => Promise.resolve(columns), 'upstream');
  });
  command.argument('[id]', 'id or name of one upstream');
}

function sumOf(failures: unknown): number {
  return Object.values((failures ?? {}) as Readonly<Record<string, number>>).reduce((sum, each) => sum + each, 0);
}
