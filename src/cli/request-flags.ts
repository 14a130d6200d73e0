import { Option } from 'commander';
import { requestOutcomes } from '../model/finished-request.ts';
import type { CliCommand } from './cli-command.ts';
import { usageError } from './cli-error.ts';
import type { CommandCall } from './command-call.ts';

/** Flags by which requests are chosen, for every command that shows some. */
export function addRequestFlags(command: CliCommand): void {
  command.option('--status <status>', 'a status, a class such as 5xx, or none: ended without a response');
  command.option('--failed', 'only those that somebody other than the client has to act on');
  command.addOption(new Option('--outcome <outcome>', 'how they ended').choices([...requestOutcomes]));
  command.option('--code <code>', "code of the gateway's own error");
  command.option('--route <route>', 'id or name of the route');
  command.option('--upstream <upstream>', 'id or name of the upstream');
  command.option('--key <key>', 'id or name of the API key; "anonymous" for none');
  command.option('--method <method>', 'the method');
  command.option('--host <host>', 'the host, without a port');
  command.option('--path <prefix>', 'what the path begins with');
  command.option('--own', "also requests to the gateway's own paths, such as /admin and probes");
}

export function requestQuery(call: CommandCall): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of ['status', 'outcome', 'code', 'route', 'upstream', 'key', 'host', 'path']) {
    const value: unknown = call.options[name];
    if (typeof value === 'string') query.set(name, value);
  }
  const method: unknown = call.options['method'];
  if (typeof method === 'string') query.set('method', method.toUpperCase());
  for (const name of ['failed', 'own']) if (call.options[name] === true) query.set(name, 'true');
  return query;
}

/** `90s`, `5m`, `2h`, `1d` ago, or a time, as the API wants it. */
export function sinceOf(text: string, now = Date.now()): string {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined && unit !== undefined) {
    const seconds = { s: 1, m: 60, h: 3_600, d: 86_400 }[unit] ?? 1;
    return new Date(now - Number(amount) * seconds * 1_000).toISOString();
  }
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw usageError(`--since: "${text}" is neither a time nor an age`, 'write it as in 5m, or 2027-01-31T00:00:00Z');
  return new Date(time).toISOString();
}
