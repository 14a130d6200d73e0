import type { Problem } from '../errors/problem.ts';

/** What the shell sees; stable, scripts may test for them. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  /** Also flags whose values the gateway refuses. */
  usage: 2,
  notFound: 3,
  notAuthorised: 4,
  conflict: 5,
  unreachable: 6,
  /** Ctrl-C at a prompt; 128 + SIGINT, as shells have it. */
  cancelled: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A failure with a message for the person at the terminal and an exit code for the shell. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  /** What to do about it. */
  readonly hint: string | undefined;

  constructor(exitCode: ExitCode, message: string, hint?: string) {
    super(message);
    this.name = 'CliError';
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

export function usageError(message: string, hint?: string): CliError {
  return new CliError(exitCodes.usage, message, hint);
}

/** The admin API refused. `problem` is what it answered (RFC 9457). */
export class ApiFailure extends CliError {
  readonly problem: Problem;
  /** The flag that a field of the problem's `errors` was given with, if any. */
  readonly flagOf: (field: string) => string | undefined;

  constructor(problem: Problem, flagOf: (field: string) => string | undefined = () => undefined, hint?: string) {
    super(exitCodeOfStatus(problem.status), problem.detail, hint);
    this.name = 'ApiFailure';
    this.problem = problem;
    this.flagOf = flagOf;
  }
}

export function exitCodeOfStatus(status: number): ExitCode {
  switch (status) {
    case 404:
    case 410:
      return exitCodes.notFound;
    case 401:
    case 403:
      return exitCodes.notAuthorised;
    case 409:
    case 412:
      return exitCodes.conflict;
    case 422:
      return exitCodes.usage;
    default:
      return exitCodes.failure;
  }
}
