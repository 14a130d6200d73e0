import type { Settings } from '../settings/settings.ts';

/** The variables that transformations may read, with their values at the start of the process; '' for one that is not set. */
export function transformEnvironment(settings: Settings): ReadonlyMap<string, string> {
  return new Map(settings.transform.env.map((name) => [name, process.env[name] ?? '']));
}
