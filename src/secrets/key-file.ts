import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { newSecretKeyText, parseSecretKey, type SecretKeyResult } from './secret-key.ts';

/** Where the key of an embedded database lies when none is given by the environment. */
export function keyFilePath(databasePath: string): string {
  return `${databasePath}.key`;
}

/**
 * Reads a key file; undefined when there is none. A file that others may read is refused: a key that has been
 * lying open is no secret, and going on in silence would hide that.
 */
export function readKeyFile(path: string): SecretKeyResult | undefined {
  try {
    const { mode } = statSync(path);
    if ((mode & 0o077) !== 0 && process.platform !== 'win32') {
      const octal = (mode & 0o777).toString(8).padStart(4, '0');
      return { ok: false, message: `The key file ${path} may be read by others (mode ${octal}). Make it yours alone: chmod 600 ${path}` };
    }
    const parsed = parseSecretKey(readFileSync(path, 'utf8'));
    return parsed.ok ? parsed : { ok: false, message: `The key file ${path} is damaged: its content ${parsed.message}.` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    return { ok: false, message: `The key file ${path} cannot be read: ${code ?? String(error)}.` };
  }
}

/**
 * Makes a key file with mode 0600 and reads it back. Of two processes that do so at once, one makes it and both
 * read the same whole key: the file appears under its name only when it is complete and on the disk.
 */
export function createKeyFile(path: string): SecretKeyResult {
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    writeNewFile(draft, `${newSecretKeyText()}\n`);
    try {
      linkSync(draft, path);
      syncDirectory(dirname(path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      unlinkSync(draft);
    }
  } catch (error) {
    return { ok: false, message: `The key file ${path} cannot be made: ${(error as NodeJS.ErrnoException).code ?? String(error)}.` };
  }
  return readKeyFile(path) ?? { ok: false, message: `The key file ${path} is gone again.` };
}

function writeNewFile(path: string, content: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
