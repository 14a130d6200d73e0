import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from './eventually.ts';
import { dyingWithParent } from './start-gateway.ts';

const unlessPossible = dyingWithParent().length === 0 && 'setpriv (util-linux) is not installed';

test('a gateway of a test that is killed is killed with it', { skip: unlessPossible }, async () => {
  const source = `
    const { startGateway } = await import(${JSON.stringify(join(import.meta.dirname, 'start-gateway.ts'))});
    const gateway = await startGateway({ openFiles: 512 });
    console.log(JSON.stringify([gateway.pid, gateway.directory]));
    setInterval(() => {}, 1_000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const [pid, directory] = JSON.parse(line) as [number, string];
  assert.ok(isRunning(pid));
  child.kill('SIGKILL');
  await eventually(() => !isRunning(pid), 'the end of the gateway', 10_000);
  rmSync(directory, { recursive: true, force: true });
});

/** One that has ended may wait for somebody to notice. */
function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}/exe`);
}
