import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../test/support/eventually.ts';

test(
  'what tests have started ends with the tests, when they are stopped',
  { skip: process.platform === 'win32' && 'there are no process groups' },
  async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'apigate-run-tests-'));
    context.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'hangs.test.mjs');
    const told = join(folder, 'pid');
    writeFileSync(
      file,
      `import { spawn } from 'node:child_process';
     import { writeFileSync } from 'node:fs';
     import { test } from 'node:test';
     test('hangs', async () => {
       writeFileSync(${JSON.stringify(told)}, String(spawn('sleep', ['300'], { stdio: 'ignore' }).pid));
       await new Promise((resolve) => setTimeout(resolve, 300_000));
     });`,
    );
    // Without the mark of a test's process: it would take the runner for a part of this one.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const runner = spawn(process.execPath, [join(import.meta.dirname, 'run-tests.ts'), file], { stdio: 'ignore', env });
    const ended = once(runner, 'exit');
    await eventually(() => existsSync(told) && readFileSync(told, 'utf8') !== '', 'the test to hang', 30_000);
    const pid = Number(readFileSync(told, 'utf8'));
    assert.ok(isRunning(pid));
    runner.kill('SIGTERM');
    await ended;
    await eventually(() => !isRunning(pid), 'the end of what it had started', 10_000);
  },
);

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // Where nobody looks after it, one that has ended stays as a name.
    return !existsSync('/proc/self') || existsSync(`/proc/${pid}/exe`);
  } catch {
    return false;
  }
}
