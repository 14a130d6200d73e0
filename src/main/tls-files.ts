import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { TlsFiles } from '../gateway/worker-protocol.ts';

/** How often the files are looked at, in milliseconds. */
const watchInterval = 1_000;

/** Reads certificate and key. Throws an Error that names the file when one is missing or they do not fit. */
export function readTlsFiles(paths: { readonly cert: string; readonly key: string }): TlsFiles {
  const files = { cert: read(paths.cert), key: read(paths.key) };
  try {
    createSecureContext(files);
  } catch (error) {
    throw new Error(`the certificate ${paths.cert} and the key ${paths.key} cannot be used: ${(error as Error).message}`, { cause: error });
  }
  return files;
}

/**
 * Calls back with the new contents when the files have changed, and with an Error when the new ones are not usable:
 * then the old ones stay in use. Returns a function that ends the watch.
 */
export function watchTlsFiles(paths: { readonly cert: string; readonly key: string }, changed: (files: TlsFiles | Error) => void): () => void {
  let last = versionOf(paths);
  const timer = setInterval(() => {
    const version = versionOf(paths);
    if (version === last) return;
    last = version;
    try {
      changed(readTlsFiles(paths));
    } catch (error) {
      changed(error as Error);
    }
  }, watchInterval);
  timer.unref();
  return () => clearInterval(timer);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`, { cause: error });
  }
}

function versionOf(paths: { readonly cert: string; readonly key: string }): string {
  return [paths.cert, paths.key]
    .map((path) => {
      const file = statSync(path, { throwIfNoEntry: false });
      return file === undefined ? 'missing' : `${file.ino}:${file.size}:${file.mtimeMs}`;
    })
    .join(' ');
}
