import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { usageError } from './cli-error.ts';
import type { CliPorts } from './cli-ports.ts';

const largest = 1024 * 1024;

/**
 * A transformation as a flag gives it: `@file`, `@-` for standard input, or the text itself; YAML, and so JSON too. An empty text
 * is null, which takes the transformation away. What it must hold is for the admin API to say.
 */
export async function readTransform(ports: CliPorts, text: string, flag: string): Promise<unknown> {
  if (text === '') return null;
  const [from, source] = text.startsWith('@') ? await readSource(ports, text.slice(1), flag) : ['the value', text];
  const { parseDocument } = await import('yaml');
  const document = parseDocument(source, { uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) throw usageError(`${flag}: ${from} is neither YAML nor JSON: ${error.message.split('\n')[0]}`);
  let value: unknown;
  try {
    // Bounded: an alias of an alias of an alias can stand for more than fits in memory.
    value = document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw usageError(`${flag}: ${from} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw usageError(
      `${flag}: ${from} does not hold a transformation`,
      `write ${flag} @file.yaml, or an object as in '{"headers": {"set": {"X-Env": "prod"}}}'`,
    );
  return value;
}

async function readSource(ports: CliPorts, path: string, flag: string): Promise<[from: string, text: string]> {
  let bytes: Uint8Array;
  if (path === '-') {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of ports.stdin) {
      const piece = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      size += piece.length;
      if (size > largest) throw usageError(`${flag}: standard input holds more than 1 MiB`);
      chunks.push(piece);
    }
    bytes = Buffer.concat(chunks);
  } else {
    try {
      bytes = await readFile(resolve(ports.cwd, path));
    } catch (error) {
      throw usageError(`${flag}: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (bytes.length > largest) throw usageError(`${flag}: ${path} is larger than 1 MiB`);
  }
  const from = path === '-' ? 'standard input' : path;
  try {
    return [from, new TextDecoder('utf-8', { fatal: true }).decode(bytes)];
  } catch {
    throw usageError(`${flag}: ${from} is not UTF-8 text`);
  }
}
