import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const repository = resolve(import.meta.dirname, '../..');
const folder = join(repository, 'test/peers');
const requireFromPeers = createRequire(join(folder, 'package.json'));

/**
 * Installs the clients and servers of test/peers when that was not done yet or their lockfile has changed.
 * Answers the reason why they cannot be had, or false: what a suite's `skip` takes. Throws where the registry is not
 * at fault.
 */
export function unlessPeers(): string | false {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/setup.mjs', 'test/peers'], { cwd: repository, encoding: 'utf8' });
  if (status === 0) return false;
  if (stderr.includes('The npm registry is out of reach')) return 'the npm registry is out of reach';
  throw new Error(`test/peers could not be installed: ${stderr}`);
}

/**
 * A package of test/peers. Its caller says what it uses of it: a checkout is checked without these packages, so that
 * their own types are of no use.
 */
export function peer(specifier: string): unknown {
  return requireFromPeers(specifier);
}

/** A file of a package in test/peers, to be run as a program. */
export function peerFile(path: string): string {
  return join(folder, 'node_modules', path);
}
