import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { peerFile } from './peers.ts';

/** A package registry of Verdaccio, a process of its own. */
export interface VerdaccioRegistry extends AsyncDisposable {
  readonly url: string;
}

/** Starts an empty registry that asks no other one: anybody may read, users with a token publish. */
export async function startVerdaccio(directory: string): Promise<VerdaccioRegistry> {
  const port = await freePort();
  const config = {
    storage: join(directory, 'storage'),
    auth: { htpasswd: { file: join(directory, 'htpasswd'), algorithm: 'sha1' } },
    uplinks: {},
    packages: { '**': { access: '$all', publish: '$authenticated', unpublish: '$authenticated' } },
    web: { enable: false },
    log: { type: 'stdout', format: 'json', level: 'warn' },
  };
  const file = join(directory, 'verdaccio.json');
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config));
  const child = spawn(process.execPath, [peerFile('verdaccio/bin/verdaccio'), '--config', file, '--listen', `127.0.0.1:${port}`], {
    cwd: directory,
    env: { PATH: process.env['PATH'] ?? '', HOME: directory, NO_UPDATE_NOTIFIER: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const exited = once(child, 'exit');
  const registry: VerdaccioRegistry = {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
  try {
    await eventually(
      async () => child.exitCode !== null || (await isUp(port)),
      () => `an answer of Verdaccio\n${output}`,
      60_000,
    );
    if (child.exitCode !== null) throw new Error(`Verdaccio ended with ${child.exitCode}\n${output}`);
  } catch (error) {
    await registry[Symbol.asyncDispose]();
    throw error;
  }
  return registry;
}

function isUp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/-/ping', agent: false, timeout: 5_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('error', () => resolve(false)).once('timeout', () => request.destroy());
  });
}
