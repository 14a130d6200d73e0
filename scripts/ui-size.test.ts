import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const built = join(import.meta.dirname, '..', 'ui', 'dist');
/** Bytes over the wire, with gzip. */
const limit = 300 * 1024;
/** A browser asks for six at once. */
const mostFiles = 18;

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

// What packing does not make smaller is there as it is alone.
function packedSize(files: Iterable<string>): number {
  return [...files].reduce((sum, file) => {
    const packed = join(built, `${file}.gz`);
    return sum + statSync(existsSync(packed) ? packed : join(built, file)).size;
  }, 0);
}

test('the first page of the admin UI needs at most 300 KB in a few files, whichever page it is', () => {
  const entry = Object.keys(chunks).filter((name) => chunks[name]!.isEntry === true);
  assert.equal(entry.length, 1);
  const pages = Object.keys(chunks).filter((name) => chunks[name]!.isDynamicEntry === true);
  assert.ok(pages.length > 3, 'pages are loaded when they are visited');
  for (const page of pages) {
    const size = packedSize(filesOf([...entry, page]));
    assert.ok(size <= limit, `${page}: ${size} bytes of ${limit}`);
    const files = filesOf([...entry, page]).size;
    assert.ok(files <= mostFiles, `${page}: ${files} files, of ${mostFiles} at most`);
  }
});

test('every component of Mantine that the UI uses has its styles', () => {
  const source = join(import.meta.dirname, '..', 'ui', 'src');
  const styles = readFileSync(join(source, 'app', 'mantine-styles.ts'), 'utf8');
  const folder = join(import.meta.dirname, '..', 'node_modules', '@mantine', 'core', 'styles');
  for (const file of globSync(join(source, '**', '*.tsx'))) {
    for (const [, names] of readFileSync(file, 'utf8').matchAll(/import \{([^}]*)\} from '@mantine\/core'/g)) {
      for (const name of names!.split(',').map((each) => each.trim())) {
        if (existsSync(join(folder, `${name}.css`))) assert.ok(styles.includes(`/${name}.css'`), `${name} in ${file}`);
      }
    }
  }
});
