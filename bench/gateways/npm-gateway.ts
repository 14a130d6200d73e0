import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { start } from '../measure/programs.ts';
import type { Gateway } from './gateway.ts';

const folder = resolve(import.meta.dirname, '../peers');

/** A gateway from npm, in bench/peers with a lockfile of its own. `program` stands there; `packageName` is what it is made of. */
export function npmGateway(name: string, packageName: string): Gateway {
  return {
    name,
    missing: () => null,
    version: () => installed(packageName) ?? '',
    supports: ({ routes, workers, policy }) => routes === 0 && workers === 1 && policy === 'none',
    // oxlint-disable-next-line typescript/require-await -- others have to wait
    async start({ port, upstreamPort, tls, cores }) {
      const orders = JSON.stringify({ port, upstreamPort, tls, log: '/dev/null' });
      return start(process.execPath, ['--no-deprecation', join(folder, `${name}.js`), orders], { cores, cwd: folder });
    },
  };
}

/** Installs what the lockfile says, when that is not there yet. */
export function installNpmGateways(): void {
  const wanted = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  if (Object.entries(wanted.dependencies).every(([name, version]) => installed(name) === version)) return;
  console.error('installing the gateways from npm in bench/peers …');
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error('npm ci in bench/peers failed; --peers nginx,haproxy,caddy,apigate does without');
}

function installed(packageName: string): string | undefined {
  const file = join(folder, 'node_modules', packageName, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : undefined;
}
