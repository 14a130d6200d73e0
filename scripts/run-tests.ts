// Runs the tests given as arguments (files or glob patterns), or all of them: `npm test -- src/model/ids.test.ts`.
// Flags of node:test pass through: `npm test -- --test-name-pattern 'reused connection'`.

import { spawn } from 'node:child_process';

const everything = ['src/**/*.test.ts', 'scripts/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts'];
/** Two files at once: most tests start gateways with workers of their own, and a timing must mean something on two cores. */
const concurrency = 2;
/** Per test file, in milliseconds. The longest, with its 2 GiB uploads, takes a quarter of it on a laptop. */
const timeout = 240_000;

const given = process.argv.slice(2);
const files = given.some((argument, i) => !argument.startsWith('-') && !takesValue(given[i - 1])) ? [] : everything;

const runner = spawn(
  process.execPath,
  ['--test', '--test-reporter=spec', `--test-concurrency=${concurrency}`, `--test-timeout=${timeout}`, ...given, ...files],
  { stdio: 'inherit' },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => runner.kill(signal));
runner.once('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});

function takesValue(flag: string | undefined): boolean {
  return flag !== undefined && /^--test-(name-pattern|skip-pattern|reporter|reporter-destination|concurrency|timeout|shard)$/.test(flag);
}
