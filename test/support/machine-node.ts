import { delimiter } from 'node:path';

/**
 * The environment of a user of this machine, as far as npm and Node.js go: without what npm adds to its scripts, so
 * that `node` and `npm` are the machine's own, however old.
 */
export function machineEnvironment(): Record<string, string> {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|node_|init_cwd$|apigate_)/i.test(name));
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !/[\\/]node_modules[\\/]|node-gyp-bin/.test(folder));
  return { ...Object.fromEntries(own.map(([name, value]) => [name, value ?? ''])), PATH: path.join(delimiter) };
}
