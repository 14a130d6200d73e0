import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const built = join(import.meta.dirname, '..', 'ui', 'dist');
/** Bytes over the wire, with gzip. */
const limit = 300 * 1024;

interface Chunk {
  readonly file: string;
  readonly isEntry?: boolean;
  readonly isDynamicEntry?: boolean;
  readonly imports?: readonly string[];
  readonly dynamicImports?: readonly string[];
  readonly css?: readonly string[];
}

const chunks = JSON.parse(readFileSync(join(built, 'manifest.json'), 'utf8')) as Record<string, Chunk>;

/** The files that a browser needs before it can run these chunks. */
function filesOf(names: Iterable<string>): Set<string> {
  const files = new Set<string>();
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const chunk = chunks[name]!;
    for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file);
    for (const needed of chunk.imports ?? []) visit(needed);
  };
  for (const name of names) visit(name);
  return files;
}

function packedSize(files: Iterable<string>): number {
  // What packing would not make smaller goes as it is.
  const sent = (file: string): string => (existsSync(join(built, `${file}.gz`)) ? `${file}.gz` : file);
  return [...files].reduce((sum, file) => sum + readFileSync(join(built, sent(file))).length, 0);
}

test('the first page of the admin UI needs at most 300 KB, whichever page it is', () => {
  const entry = Object.keys(chunks).filter((name) => chunks[name]!.isEntry === true);
  assert.equal(entry.length, 1);
  const pages = Object.keys(chunks).filter((name) => chunks[name]!.isDynamicEntry === true);
  assert.ok(pages.length > 3, 'pages are loaded when they are visited');
  for (const page of pages) {
    const size = packedSize(filesOf([...entry, page]));
    assert.ok(size <= limit, `${page}: ${size} bytes of ${limit}`);
  }
});
