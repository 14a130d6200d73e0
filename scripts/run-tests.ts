// Runs the tests given as arguments (files or glob patterns), or all but those in a browser: `npm test -- src/model/base-url.test.ts`.
// Flags of node:test pass through: `npm test -- --test-name-pattern 'reused connection'`.

import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const everything = [
  'src/**/*.test.ts',
  'scripts/**/*.test.ts',
  'test/!(browser)/**/*.test.ts',
  'examples/**/*.test.ts',
  'ui/src/**/*.test.ts',
];
/** Three files at once: most tests wait for gateways and clients of their own; more, and a timing would mean little on two cores. */
const concurrency = 3;
/** Milliseconds for one test, for one file, and for all of it. */
const limits = { test: 120_000, file: 240_000, all: 1_200_000 };

const given = process.argv.slice(2);
const files = given.some((argument, i) => !argument.startsWith('-') && !takesValue(given[i - 1])) ? [] : everything;
/** Two hundred processes load the same modules: compiled once, all of them start a third faster. Where Node.js puts it by default. */
const compileCache = process.env['NODE_COMPILE_CACHE'] ?? join(tmpdir(), 'node-compile-cache');
const deadline = pathToFileURL(join(import.meta.dirname, 'test-file-deadline.ts')).href;

const runner = spawn(
  process.execPath,
  [
    '--import',
    deadline,
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${limits.test}`,
    ...given,
    ...files,
  ],
  // A process group of its own: what tests start ends with them, whoever ends them.
  {
    stdio: 'inherit',
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache, TEST_FILE_DEADLINE_MS: String(limits.file) },
    detached: true,
  },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    runner.kill(signal);
    setTimeout(killAll, 5_000).unref();
  });
}
const overdue = setTimeout(() => {
  console.error(`The tests did not end within ${limits.all / 60_000} minutes.`);
  runner.kill('SIGTERM');
  setTimeout(killAll, 5_000).unref();
}, limits.all);
runner.once('exit', (code, signal) => {
  clearTimeout(overdue);
  killAll();
  process.exitCode = signal === null ? (code ?? 1) : 1;
});

/** Whatever is left of the tests' process group. */
function killAll(): void {
  try {
    process.kill(-runner.pid!, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}

function takesValue(flag: string | undefined): boolean {
  return flag !== undefined && /^--test-(name-pattern|skip-pattern|reporter|reporter-destination|concurrency|timeout|shard)$/.test(flag);
}
