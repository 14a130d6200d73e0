import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { usageError } from '../cli-error.ts';
import type { CliPorts } from '../cli-ports.ts';

/** One text with declared objects, and what to call it in messages. */
export interface Source {
  readonly label: string;
  readonly text: string;
}

/** As much as the admin API takes. */
const largest = 10 * 1024 * 1024;

/**
 * Reads what `--file` names: files, directories (all `.yaml`, `.yml` and `.json` directly in them, in order of name) and `-` for
 * standard input. Throws CliError for what cannot be read, is not UTF-8, or is more than 10 MiB together.
 */
export async function readSources(ports: CliPorts, paths: readonly string[]): Promise<readonly Source[]> {
  const sources: Source[] = [];
  let room = largest;
  const add = async (label: string, chunks: AsyncIterable<Uint8Array | string>): Promise<void> => {
    const bytes = await readUpTo(room, label, chunks);
    room -= bytes.length;
    sources.push({ label, text: textOf(bytes, label) });
  };
  for (const path of new Set(paths)) {
    if (path === '-') {
      await add('standard input', ports.stdin);
      continue;
    }
    for (const file of await filesAt(ports, path)) await add(file, createReadStream(resolve(ports.cwd, file)));
  }
  return sources;
}

async function filesAt(ports: CliPorts, path: string): Promise<readonly string[]> {
  const at = resolve(ports.cwd, path);
  const isDirectory = await stat(at).then(
    (found) => found.isDirectory(),
    (error: unknown) => cannotRead(path, error),
  );
  if (!isDirectory) return [path];
  const files: string[] = [];
  for (const name of (await readdir(at).catch((error: unknown) => cannotRead(path, error))).toSorted()) {
    // Also what a link leads to, as in directories that Kubernetes mounts.
    if (/^[^.].*\.(?:ya?ml|json)$/is.test(name) && (await stat(join(at, name)).catch(() => undefined))?.isFile() === true) {
      files.push(join(path, name));
    }
  }
  if (files.length === 0) throw usageError(`${path} holds no .yaml, .yml or .json file`, 'directories inside of it are not looked into');
  return files;
}

async function readUpTo(room: number, label: string, chunks: AsyncIterable<Uint8Array | string>): Promise<Buffer> {
  const read: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of chunks) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      size += bytes.length;
      if (size > room) break;
      read.push(bytes);
    }
  } catch (error) {
    cannotRead(label, error);
  }
  if (size > room) throw usageError('the files hold more than 10 MiB together', 'apply them in parts: objects that are not named stay');
  return Buffer.concat(read);
}

function textOf(bytes: Uint8Array, label: string): string {
  try {
    // A byte order mark is left out.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw usageError(`${label} is not UTF-8 text`);
  }
}

function cannotRead(path: string, error: unknown): never {
  throw usageError(`--file ${path}: ${error instanceof Error ? error.message : String(error)}`);
}
