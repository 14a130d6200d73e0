import { CliCommand } from '../cli-command.ts';
import { CliError, exitCodes, usageError } from '../cli-error.ts';
import type { CommandHost } from '../command-call.ts';
import { requestColumns } from '../output/request-columns.ts';
import type { Item } from '../output/printer.ts';
import { addRequestFlags, requestQuery, sinceOf } from '../request-flags.ts';
import { defineCommand, itemOf, resourcePath } from '../resource-commands.ts';

/** `apigate requests …` */
export function requestsCommand(host: CommandHost): CliCommand {
  const group = new CliCommand('requests');
  const list = defineCommand(
    group,
    'list',
    {
      summary: 'list the requests that ended last, the newest first',
      examples: [
        'apigate requests list',
        'apigate requests list --failed --since 10m',
        'apigate requests list --upstream my-api --status 5xx -o json',
      ],
    },
    host,
    async (call) => {
      const query = requestQuery(call);
      const { since, limit = '50' } = call.options as { readonly since?: string; readonly limit?: string };
      if (since !== undefined) query.set('since', sinceOf(since));
      if (!/^(?:[1-9]\d{0,3}|10000)$/.test(limit)) throw usageError(`--limit takes a whole number from 1 to 10000, not "${limit}"`);
      const admin = await call.admin();
      const items: Item[] = [];
      for (let left = Number(limit); left > 0;) {
        query.set('limit', String(Math.min(left, 500)));
        const page = itemOf(await admin.request('GET', `/admin/requests?${query.toString()}`)) as {
          readonly data?: readonly Item[];
          readonly next_cursor?: string | null;
        };
        if (!Array.isArray(page.data)) throw new CliError(exitCodes.failure, 'the answer to GET /admin/requests is not a list');
        items.push(...(page.data as readonly Item[]));
        left -= page.data.length;
        if (typeof page.next_cursor !== 'string' || page.data.length === 0) break;
        query.set('cursor', page.next_cursor);
      }
      if (items.length === 0 && call.print.format === 'table') call.print.note('No such requests among those that ended lately.');
      else await call.print.list(items, () => Promise.resolve(requestColumns), 'id');
    },
  );
  addRequestFlags(list);
  list.option('--since <time>', 'only those that began after this time, or not longer ago: 90s, 5m, 2h');
  list.option('--limit <n>', 'how many at most (default: 50)');

  const show = defineCommand(
    group,
    'show',
    { summary: 'show what happened to one request', examples: ['apigate requests show 9f2c61d07a4e4b58b1f3c2d4e5a69788'] },
    host,
    async (call) => {
      const path = resourcePath({ path: '/admin/requests', singular: 'request' }, call.args[0]);
      await call.print.one(itemOf(await (await call.admin()).request('GET', path)), 'id');
    },
  );
  show.argument('<id>', 'the request id: X-Request-Id of the response, request_id of an error');
  return group;
}
