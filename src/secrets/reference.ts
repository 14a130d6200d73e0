import { constants } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';

/** A secret that is kept elsewhere: in the gateway's environment or in a file. */
export type SecretReference = { readonly kind: 'env'; readonly name: string } | { readonly kind: 'file'; readonly path: string };

export type ReferenceReading =
  | { readonly kind: 'plain' }
  | { readonly kind: 'reference'; readonly reference: SecretReference }
  | { readonly kind: 'malformed'; readonly message: string };

/**
 * Tells whether a value is a reference, `${env.NAME}` or `${file:/path}`. What only resembles one is refused:
 * sent as it stands it would be a wrong credential, noticed late.
 */
export function readReference(value: string): ReferenceReading {
  const env = /^\$\{env\.([^}]*)\}$/.exec(value)?.[1];
  if (env !== undefined) {
    // The name is not repeated: what was typed there may well be the secret itself.
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(env))
      return malformed('names no environment variable: a name has letters, digits and underscores');
    if (/^APIGATE_/i.test(env)) return malformed("cannot refer to the gateway's own settings (APIGATE_…)");
    return { kind: 'reference', reference: { kind: 'env', name: env } };
  }
  const file = /^\$\{file:([^}]*)\}$/.exec(value)?.[1];
  if (file !== undefined) {
    if (!isAbsolute(file)) return malformed('must refer to a file by its full path, as ${file:/run/secrets/token}');
    // oxlint-disable-next-line no-control-regex -- control characters are what it is about
    if (/[\u0000-\u001f\u007f]/.test(file)) return malformed('refers to a path with control characters');
    return { kind: 'reference', reference: { kind: 'file', path: file } };
  }
  if (/\$\{\s*(?:env|file)\b/i.test(value)) return malformed('must be nothing but the reference, as ${env.NAME} or ${file:/path}');
  return { kind: 'plain' };
}

export type Resolved =
  | { readonly ok: true; readonly value: string; readonly version: string }
  | { readonly ok: false; readonly reason: string; readonly version: string };

/** Finds what references refer to. `version` changes when the value may have changed, and can be asked for cheaply. */
export interface ReferenceResolver {
  resolve(reference: SecretReference): Promise<Resolved>;
  version(reference: SecretReference): Promise<string>;
}

export interface ReferenceResolverOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Files that are never read for anyone: the gateway's own key and database. */
  readonly protectedFiles: readonly string[];
}

const maxBytes = 16_384 + 2;

/** Resolves references in this process's environment and file system. A file loses one line end at its end. */
export function createReferenceResolver(options: ReferenceResolverOptions): ReferenceResolver {
  return {
    async resolve(reference) {
      if (reference.kind === 'env') {
        const value = Object.hasOwn(options.environment, reference.name) ? options.environment[reference.name] : undefined;
        if (value === undefined || value === '') {
          return { ok: false, reason: `the environment variable ${reference.name} is ${value === '' ? 'empty' : 'not set'}`, version: '' };
        }
        return { ok: true, value, version: '' };
      }
      // The version first: a file that changes while it is read is read again at the next look.
      const version = await fileVersion(reference.path);
      try {
        return { ok: true, value: await readSecretFile(reference.path, options.protectedFiles), version };
      } catch (error) {
        return { ok: false, reason: `the file ${reference.path} ${reasonOf(error)}`, version };
      }
    },
    async version(reference) {
      return reference.kind === 'file' ? await fileVersion(reference.path) : '';
    },
  };
}

async function fileVersion(path: string): Promise<string> {
  try {
    // Of the file that links lead to: secret mounts are changed by swapping a link.
    const { dev, ino, mtimeNs, ctimeNs, size } = await stat(path, { bigint: true });
    return [dev, ino, mtimeNs, ctimeNs, size].join('.');
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

class Refusal extends Error {}

async function readSecretFile(path: string, protectedFiles: readonly string[]): Promise<string> {
  const real = await realpath(path);
  if (/^\/(?:proc|sys|dev)\//.test(real)) throw new Refusal('is not a plain file');
  // Before it is opened: closing the database's file again would drop SQLite's locks on it (fcntl(2)).
  if (await isProtected(real, protectedFiles)) throw new Refusal("is the gateway's own and not for sending");
  // A pipe without a writer would block for ever.
  const file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const opened = await file.stat();
    if (!opened.isFile()) throw new Refusal('is not a plain file');
    if (opened.size > maxBytes) throw new Refusal('is too large for a secret');
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(maxBytes + 1), position: 0 });
    if (bytesRead > maxBytes) throw new Refusal('is too large for a secret');
    const value = buffer.toString('utf8', 0, bytesRead).replace(/\r?\n$/, '');
    if (value === '') throw new Refusal('is empty');
    return value;
  } finally {
    await file.close();
  }
}

/** The file itself by any name, and what lies beside it under its name and a dash, as SQLite's log does. */
async function isProtected(real: string, protectedFiles: readonly string[]): Promise<boolean> {
  const { dev, ino } = await stat(real);
  for (const protectedFile of protectedFiles) {
    const own = await realpath(protectedFile).catch(() => undefined);
    if (own === undefined) continue;
    if (real === own || real.startsWith(`${own}-`)) return true;
    const other = await stat(own);
    if (other.dev === dev && other.ino === ino) return true;
  }
  return false;
}

function reasonOf(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read';
  return `cannot be read (${code ?? String(error)})`;
}

function malformed(message: string): ReferenceReading {
  return { kind: 'malformed', message };
}
