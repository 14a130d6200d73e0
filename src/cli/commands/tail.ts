import { setTimeout as sleep } from 'node:timers/promises';
import { visibleText } from '../../settings/visible-text.ts';
import type { AdminClient } from '../admin-client.ts';
import { CliCommand } from '../cli-command.ts';
import { ApiFailure, CliError, exitCodes, usageError } from '../cli-error.ts';
import { runs, type CommandCall, type CommandHost } from '../command-call.ts';
import { cutToWidth, displayWidth } from '../output/display-width.ts';
import { escapedControls } from '../../model/escaped-controls.ts';
import type { Item } from '../output/printer.ts';
import { clockTime, nameOrId, statusOf, statusStyle, whatOf } from '../output/request-columns.ts';
import { styleFor, type Style } from '../output/style.ts';
import { textOf } from '../output/cells.ts';
import { readEvents } from '../read-events.ts';
import { addRequestFlags, requestQuery } from '../request-flags.ts';
import { addExamples } from '../resource-commands.ts';

/** `apigate tail` */
export function tailCommand(host: CommandHost): CliCommand {
  const command = new CliCommand('tail');
  command.globals = 'all';
  addExamples(command, [
    'apigate tail',
    'apigate tail --failed',
    'apigate tail --route my-api --status 5xx',
    'apigate tail -o json | jq .path',
  ]);
  addRequestFlags(command);
  return runs(command, host, (call) => tail(call));
}

async function tail(call: CommandCall): Promise<number> {
  const { format } = call.print;
  if (format === 'yaml' || format === 'name')
    throw usageError(`tail prints no ${format}`, 'leave -o out for lines to read, or use -o json');
  const admin = await call.admin();
  const path = `/admin/requests/stream?${requestQuery(call).toString()}`.replace(/\?$/, '');
  const stop = new AbortController();
  const end = call.ports.onInterrupt?.(() => stop.abort());
  try {
    return await follow(call, admin, path, stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return exitCodes.ok;
    throw error;
  } finally {
    end?.();
  }
}

/** Reads on until the gateway says that it is over, or for good; a remote one that goes away is waited for. */
async function follow(call: CommandCall, admin: AdminClient, path: string, signal: AbortSignal): Promise<number> {
  const print = linePrinter(call);
  let lastId = '';
  let pause = 0;
  let connected = false;
  for (;;) {
    try {
      const headers = { accept: 'text/event-stream', ...(lastId === '' ? {} : { 'last-event-id': lastId }) };
      const response = await admin.stream(path, headers, signal);
      if (pause > 0) call.print.note('Connected again.');
      pause = 0;
      connected = true;
      for await (const event of readEvents(response.body!)) {
        if (event.id !== '') lastId = event.id;
        const data = JSON.parse(event.data) as Item;
        if (event.name === 'request') print(data);
        else if (event.name === 'dropped') call.print.warn(`${String(data['count'])} requests are left out: ${droppedBy(data['where'])}`);
        else if (event.name === 'end' && data['reason'] !== 'the gateway stops') {
          throw new CliError(exitCodes.notAuthorised, visibleText(String(data['reason'])));
        }
      }
      if (!admin.isRemote) {
        call.print.note('The gateway has stopped.');
        return exitCodes.ok;
      }
    } catch (error) {
      if (signal.aborted) return exitCodes.ok;
      // What was never reached, or refuses us, is no interruption.
      if (!connected || isRefusal(error)) throw error;
      if (!admin.isRemote) throw new CliError(exitCodes.unreachable, 'the connection to the gateway broke');
    }
    if (pause === 0) call.print.note('The connection is gone; trying again.');
    pause = Math.min(pause === 0 ? 500 : pause * 2, 10_000);
    await sleep(pause, undefined, { signal });
  }
}

function isRefusal(error: unknown): boolean {
  if (error instanceof ApiFailure) return error.problem.status < 500;
  return error instanceof CliError && error.exitCode !== exitCodes.unreachable;
}

function droppedBy(where: unknown): string {
  return where === 'gateway'
    ? 'the gateway could not keep up'
    : 'they came faster than they were read; narrow it down with --route, --status or --failed';
}

function linePrinter(call: CommandCall): (item: Item) => void {
  const { ports, globals, print } = call;
  if (print.format === 'json') return (item) => print.data(`${escapedControls(JSON.stringify(item))}\n`);
  const style = styleFor(ports.stdout, ports.env, globals.color);
  return (item) => print.data(line(item, style, ports.stdout.isTTY === true ? ports.stdout.columns || undefined : undefined));
}

// Columns of fixed widths: the next request is not known yet.
function line(item: Item, style: Style, width: number | undefined): string {
  const status = statusOf(item).padEnd(4);
  const statusName = statusStyle(item);
  const failure = whatOf(item);
  const reason = textOf('reason')(item);
  const parts = [
    clockTime(item),
    statusName === undefined ? status : style(statusName, status),
    textOf('method')(item).padEnd(6),
    `${Number(item['duration_ms'] ?? 0).toFixed(1)} ms`.padStart(11),
    nameOrId('route')(item) || '-',
    `${textOf('host')(item)}${textOf('path')(item)}`,
    ...(failure === '' ? [] : [failure]),
    ...(reason === '' ? [] : [`(${reason})`]),
  ];
  const text = parts.map((part, at) => (at === 1 ? part : visibleText(part))).join('  ');
  if (width === undefined) return `${text}\n`;
  const plainWidth = displayWidth(parts.map((part, at) => (at === 1 ? status : visibleText(part))).join('  '));
  if (plainWidth <= width) return `${text}\n`;
  // Only what stands behind the status is cut: an escape sequence must stay whole.
  const head = `${visibleText(parts[0]!)}  ${parts[1]!}  `;
  const room = width - displayWidth(parts[0]!) - status.length - 4;
  return `${head}${cutToWidth(parts.slice(2).map(visibleText).join('  '), Math.max(1, room))}\n`;
}
