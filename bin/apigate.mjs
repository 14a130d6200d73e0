#!/usr/bin/env node
// The `apigate` command. Node.js cannot be told by a package which version to start it with, so this file is plain
// JavaScript for old ones too: it goes on in-process where the running Node.js is new enough, else on the one that
// scripts/setup.mjs brought. In a checkout src/ runs as it is; a published package has dist/, because Node.js does not
// strip types under node_modules.

import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))));
const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const required = engines.node.replace(/^>=\s*/, '');
const source = join(root, 'src', 'main', 'apigate.ts');
const isCheckout = existsSync(source);
const entry = isCheckout ? source : join(root, 'dist', 'main', 'apigate.js');

if (isCheckout && !existsSync(join(root, 'node_modules', '.apigate-setup'))) {
  stop('this checkout was never set up. Run "npm run setup" (about a minute) in it first; "npm start" and "npm test" do it too.');
} else if (!isCheckout && !existsSync(entry)) {
  stop(`this package is incomplete: ${entry} is missing.`);
} else if (isNewEnough(process.versions.node) && isBuiltin('node:sqlite') && (!isCheckout || process.features.typescript)) {
  await import(pathToFileURL(entry).href);
} else {
  const node = join(root, 'node_modules', '.bin', 'node');
  if (isCheckout && existsSync(node)) await runOn(realpathSync(node));
  else
    stop(
      `APIGate needs Node.js ${required} or newer; this is ${process.version}.${isCheckout ? ' Run "npm run setup": it brings one.' : ''}`,
    );
}

/** Becomes the gateway where Node.js can (22.15 and newer), else stands in for it: same standard streams, signals, exit. */
async function runOn(node) {
  const args = [...process.execArgv, entry, ...process.argv.slice(2)];
  if (typeof process.execve === 'function') process.execve(node, [node, ...args], process.env);
  const { spawn } = await import('node:child_process');
  const child = spawn(node, args, { stdio: 'inherit' });
  const forwarded = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGINT', 'SIGQUIT'];
  for (const signal of forwarded) {
    // Ctrl-C and Ctrl-\ reach the child from the terminal already: a second one would end it at once.
    process.on(
      signal,
      () => void ((signal === 'SIGINT' || signal === 'SIGQUIT') && inTerminalForeground() ? undefined : child.kill(signal)),
    );
  }
  child.once('error', (error) => stop(`${node} does not start: ${error.message}. Run "npm run setup".`));
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    for (const name of forwarded) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}

/** Whether keys pressed in a terminal are signals to our process group. */
function inTerminalForeground() {
  try {
    const [, , group, , , foreground] = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return group === foreground;
  } catch {
    return process.stdin.isTTY;
  }
}

function isNewEnough(version) {
  const a = version.split('.').map(Number);
  const b = required.split('.').map(Number);
  for (let i = 0; i < 3; i++) if (a[i] !== b[i]) return a[i] > b[i];
  return true;
}

function stop(message) {
  process.stderr.write(`apigate: ${message}\n`);
  process.exitCode = 1;
}
