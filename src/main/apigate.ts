import { enableCompileCache } from 'node:module';
import { dirname } from 'node:path';

// Before anything else is loaded: a warm start then compiles nothing. Worker threads learn of the cache from the
// environment alone.
const cache = enableCompileCache().directory;
if (cache !== undefined) process.env['NODE_COMPILE_CACHE'] ??= dirname(cache);

// A reader that goes away (`apigate upstreams list | head`) ends what it reads, not the process in the middle of its work.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const { runCli } = await import('../cli/run-cli.ts');
const { version } = await import('./version.ts');

function onInterrupt(handler: () => void): () => void {
  const sources = [
    [process, 'SIGINT'],
    [process, 'SIGTERM'],
    [process.stdout, 'error'],
  ] as const;
  for (const [source, event] of sources) source.on(event, handler);
  return () => {
    for (const [source, event] of sources) source.off(event, handler);
  };
}

process.exitCode = await runCli(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  version,
  onInterrupt,
  serve: async (settings, options) => (await import('./serve.ts')).serve(settings, options, process.stderr),
  local: {
    secretKeyStatus: async (settings) => (await import('./local-secrets.ts')).localSecretKeyStatus(settings),
    rotateSecretKey: async (settings, options) => (await import('./local-secrets.ts')).rotateLocalSecretKey(settings, options),
    backUp: async (settings, path, options) => (await import('./local-backup.ts')).backUpLocally(settings, path, options),
  },
  diagnose: async function* (settings) {
    yield* (await import('./doctor/diagnose.ts')).diagnose(settings, process.env);
  },
  openLocalAdmin: async (settings) => (await import('./open-local-admin.ts')).openLocalAdmin(settings, process.stderr),
});
