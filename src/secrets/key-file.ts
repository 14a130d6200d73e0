import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { newSecretKeyText, parseSecretKeys, type SecretKey, type SecretKeysResult, secretKeyText } from './secret-key.ts';

/** Where the key of an embedded database lies when none is given by the environment. */
export function keyFilePath(databasePath: string): string {
  return `${databasePath}.key`;
}

/**
 * Reads a key file, which holds one key on a line, and two during a rotation; undefined when there is none. A file that others may read is refused: a key that has been
 * lying open is no secret, and going on in silence would hide that.
 */
export function readKeyFile(path: string): SecretKeysResult | undefined {
  try {
    const { mode } = statSync(path);
    if ((mode & 0o077) !== 0 && process.platform !== 'win32') {
      const octal = (mode & 0o777).toString(8).padStart(4, '0');
      return { ok: false, message: `The key file ${path} may be read by others (mode ${octal}). Make it yours alone: chmod 600 ${path}` };
    }
    const parsed = parseSecretKeys(readFileSync(path, 'utf8'));
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
export function createKeyFile(path: string): SecretKeysResult {
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

/**
 * Replaces the keys in a key file, as a whole: whenever the process or the machine stops, either the old content is
 * there or the new one. Throws a system error, and then the old content stays.
 */
export function replaceKeyFile(path: string, keys: readonly SecretKey[]): void {
  // The file itself and not a link to it, which would be lost.
  const file = realpathSync(path);
  const draft = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    writeNewFile(draft, keyLines(keys));
    // Root may rotate the key of a gateway that runs as somebody else, who has to read it.
    const { uid, gid } = statSync(file);
    const ours = statSync(draft);
    if (ours.uid !== uid || ours.gid !== gid) chownSync(draft, uid, gid);
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  syncDirectory(dirname(file));
}

/** Writes keys to a file that must not be there yet, mode 0600. Throws a system error. */
export function saveKeys(path: string, keys: readonly SecretKey[]): void {
  writeNewFile(path, keyLines(keys));
  syncDirectory(dirname(path));
}

function keyLines(keys: readonly SecretKey[]): string {
  return keys.map((key) => `${secretKeyText(key)}\n`).join('');
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
