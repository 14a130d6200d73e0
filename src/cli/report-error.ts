import { GatewayError } from '../errors/gateway-error.ts';
import { SettingsError } from '../settings/settings-error.ts';
import { visibleText } from '../settings/visible-text.ts';
import { ApiFailure, CliError, exitCodeOfStatus, exitCodes } from './cli-error.ts';
import type { CliPorts } from './cli-ports.ts';
import { Printer } from './output/printer.ts';

/** Prints an error for people, on standard error, and gives the exit code it stands for. */
export function reportError(error: unknown, ports: CliPorts, color: boolean): number {
  const print = new Printer(ports, 'table', color);
  const lines = (text: string): string => text.split('\n').map(visibleText).join('\n');
  if (error instanceof ApiFailure) {
    const { problem } = error;
    print.error(visibleText(sentence(problem.title, problem.detail)));
    for (const { field, message } of problem.errors ?? []) print.note(`  ${visibleText(fieldName(error, field))}: ${visibleText(message)}`);
    const hint = error.hint ?? hintFor(error);
    if (hint !== undefined) print.note(`  ${hint}`);
    if (problem.request_id !== undefined && problem.request_id !== '') print.note(`  Request id: ${visibleText(problem.request_id)}`);
    return error.exitCode;
  }
  if (error instanceof CliError) {
    print.error(lines(error.message));
    if (error.hint !== undefined) print.note(`  ${lines(error.hint)}`);
    return error.exitCode;
  }
  if (error instanceof SettingsError) {
    print.error(error.problems.length === 1 ? 'a setting is wrong' : `${error.problems.length} settings are wrong`);
    for (const line of error.message.split('\n')) print.note(`  ${visibleText(line)}`);
    return exitCodes.usage;
  }
  print.error(lines(error instanceof Error ? error.message : String(error)));
  if (error instanceof GatewayError) return exitCodeOfStatus(error.status);
  // A defect of ours (TypeError and the like) is worth its stack; system errors explain themselves.
  if (error instanceof Error && !('code' in error) && error.name !== 'Error') print.note(error.stack ?? '');
  return exitCodes.failure;
}

function sentence(title: string, detail: string): string {
  return detail === '' || detail === title ? title : `${title}: ${detail}`;
}

/** The flag as it was typed, with the path into it when there is one. */
function fieldName(error: ApiFailure, field: string): string {
  const flag = error.flagOf(field);
  if (flag === undefined) return field;
  return /[.[]/.test(field) ? `${flag} (${field})` : flag;
}

function hintFor(error: ApiFailure): string | undefined {
  if (error.problem.status === 401)
    return 'The API token may be mistyped, expired or revoked: see "apigate tokens list" on the gateway\'s machine.';
  if (error.problem.code === 'forbidden') return 'A token of a larger scope may do it: apigate tokens create --name NAME --scope SCOPE';
  return undefined;
}
