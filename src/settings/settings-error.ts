/** One thing wrong with the settings. */
export interface SettingsProblem {
  /** Key of the settings file (`server_port`), also for values from flags and environment; the unknown name itself when unknown. */
  readonly key: string;
  /** Where it was found, in words: `flag --port`, `environment APIGATE_SERVER_PORT`, `apigate.yaml line 3`. */
  readonly source: string;
  readonly message: string;
  /** What to write instead. */
  readonly suggestion?: string;
}

/** Everything that is wrong with the settings, at once. Messages never hold the value of a secret. */
export class SettingsError extends Error {
  readonly problems: readonly SettingsProblem[];

  constructor(problems: readonly SettingsProblem[]) {
    super(problems.map(problemText).join('\n'));
    this.name = 'SettingsError';
    this.problems = problems;
  }
}

function problemText(problem: SettingsProblem): string {
  const suggestion = problem.suggestion === undefined ? '' : `; ${problem.suggestion}`;
  return `${problem.key} (${problem.source}): ${problem.message}${suggestion}`;
}

/** The system's code of a failed file operation, such as ENOENT. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** A problem whose suggestion may be missing. */
export function problem(key: string, source: string, message: string, suggestion: string | undefined): SettingsProblem {
  return suggestion === undefined ? { key, source, message } : { key, source, message, suggestion };
}
