// Loaded into every test file's process by run-tests.ts. The runner's own time limit ends a test that hangs, but not a
// file whose sockets or timers keep its process alive after its tests: it would wait for that file forever.

import { readdirSync, readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const milliseconds = Number(process.env['TEST_FILE_DEADLINE_MS']);

if (isMainThread && process.env['NODE_TEST_CONTEXT'] !== undefined && milliseconds > 0) {
  setTimeout(() => {
    const held = [...new Set(process.getActiveResourcesInfo())].join(', ');
    process.stderr.write(`${process.argv[1]} did not end within ${milliseconds / 1000} s; it still holds: ${held}\n`);
    for (const child of children()) process.kill(child, 'SIGKILL');
    process.exit(1);
  }, milliseconds).unref();
}

/** What the tests started and left behind. Found on Linux only. */
function children(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && statOf(name)[1] === String(process.pid))
      .map(Number);
  } catch {
    return [];
  }
}

/** State, parent and so on, after the name in parentheses. */
function statOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return [];
  }
}
