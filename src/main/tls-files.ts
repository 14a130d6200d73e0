import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { TlsFiles } from '../gateway/worker-protocol.ts';

export interface TlsPaths {
  /** The certificate, followed by those of its chain. */
  readonly cert: string;
  readonly key: string;
}

/** How often the files are looked at, in milliseconds. */
const watchInterval = 500;
/** Bytes. The longest chains take some 20 KiB. */
const sizeLimit = 1_048_576;

/** Reads certificate and key. Throws an Error that names the file when one is missing or they do not fit. */
export function readTlsFiles(paths: TlsPaths): TlsFiles {
  const files = { cert: read(paths.cert), key: read(paths.key) };
  check(paths, files);
  return files;
}

/**
 * Calls back with the new contents once the files hold others than `current`, and with an Error when those are not
 * usable: then the old ones stay in use. Once for each state of the files. Returns a function that ends the watch.
 *
 * Contents are compared, as times and inodes miss changes: a write within the clock's tick, a copy that keeps times.
 */
export function watchTlsFiles(
  paths: TlsPaths,
  current: TlsFiles,
  changed: (files: TlsFiles | Error) => void,
  intervalMs = watchInterval,
): () => void {
  let known = stateOf(current);
  let inUse = known;
  let suspect = '';
  const timer = setInterval(() => {
    const seen = look(paths);
    const state = stateOf(seen);
    if (state === known) return;
    const usable = seen instanceof Error ? seen : problemOf(paths, seen);
    if (usable instanceof Error) {
      // Two files are seldom written at the same moment: a mismatch that lasts is reported, the moment between is not.
      if (state === suspect) {
        known = state;
        changed(usable);
      }
      suspect = state;
      return;
    }
    known = state;
    suspect = '';
    if (state === inUse) return;
    inUse = state;
    changed(usable);
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

function look(paths: TlsPaths): TlsFiles | Error {
  try {
    return { cert: read(paths.cert), key: read(paths.key) };
  } catch (error) {
    return error as Error;
  }
}

function problemOf(paths: TlsPaths, files: TlsFiles): TlsFiles | Error {
  try {
    check(paths, files);
    return files;
  } catch (error) {
    return error as Error;
  }
}

function stateOf(seen: TlsFiles | Error): string {
  return seen instanceof Error ? seen.message : `${seen.cert}\0${seen.key}`;
}

function read(path: string): string {
  try {
    // Asked first: reading a pipe would wait for its writer, and everything else with it.
    const file = statSync(path);
    if (!file.isFile()) throw new Error('it is not a regular file');
    if (file.size > sizeLimit) throw new Error(`it has ${file.size} bytes, too many for a certificate or a key`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`, { cause: error });
  }
}

function check(paths: TlsPaths, files: TlsFiles): void {
  const certificate = attempt(() => new X509Certificate(files.cert), `${paths.cert} holds no certificate in PEM form`);
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(files.key)) {
    throw new Error(
      `the key ${paths.key} is encrypted, and nobody is there to type its passphrase: decrypt it with \`openssl pkey -in ${paths.key} -out FILE\``,
    );
  }
  const key = attempt(() => createPrivateKey(files.key), `${paths.key} holds no private key in PEM form`);
  if (!certificate.checkPrivateKey(key)) throw new Error(`the key ${paths.key} does not fit the certificate ${paths.cert}`);
  attempt(
    () => createSecureContext({ ...files, minVersion: 'TLSv1.2' }),
    `the certificate ${paths.cert} and the key ${paths.key} cannot be used`,
  );
}

function attempt<T>(work: () => T, problem: string): T {
  try {
    return work();
  } catch (error) {
    throw new Error(`${problem}: ${(error as Error).message}`, { cause: error });
  }
}
