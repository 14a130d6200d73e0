import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');

interface NamedTest {
  readonly row: string;
  readonly file: string;
  readonly name: string;
}

/** The tests that a page names: `[file](../file): “name”; “name”<br>…` in the last column of its tables. */
function namedTests(page: string): NamedTest[] {
  return page.split('\n').flatMap((line) => {
    const [, row, , tests] = /^\| (.*?) \| (.*?) \| (.*) \|$/.exec(line) ?? [];
    if (tests === undefined || !tests.startsWith('[')) return [];
    return tests.split('<br>').flatMap((part) => {
      const [, file, link, names] = /^\[(.+?)\]\(\.\.\/(.+?)\): (.+)$/.exec(part) ?? [];
      assert.ok(file !== undefined && file === link, `a test that cannot be read: ${part}`);
      return [...names!.matchAll(/“(.+?)”/g)].map((match) => ({ row: row!, file, name: match[1]!.replaceAll('\\|', '|') }));
    });
  });
}

/** What is wrong with them: no such file, or none of its strings says that. */
function missing(tests: readonly NamedTest[], read: (file: string) => string): string[] {
  return tests
    .filter(({ file, name }) => {
      try {
        return !["'", '"', '`'].some((quote) => read(file).includes(`${quote}${name}${quote}`));
      } catch {
        return true;
      }
    })
    .map(({ row, file, name }) => `${row}: ${file} has no test “${name}”`);
}

const read = (file: string): string => readFileSync(join(root, file), 'utf8');

test('each promise about failures names tests that there are', () => {
  const tests = namedTests(read('docs/failure-scenarios.md'));
  assert.ok(tests.length > 150, String(tests.length));
  assert.ok(tests.every(({ file }) => file.endsWith('.test.ts')));
  assert.deepEqual(missing(tests, read), []);
  const rows = [...new Set(tests.map(({ row }) => row))].filter((row) => row !== '');
  assert.ok(rows.length > 110 && rows.every((row) => /^[A-OW]\d\d$/.test(row)), `${rows.length} rows`);
});

test('a test that is gone is noticed, and so is a file', () => {
  const page = '| X01 | p | [a.test.ts](../a.test.ts): “one”; “two”<br>[b.test.ts](../b.test.ts): “three” |';
  const files: Record<string, string> = { 'a.test.ts': "test('one', …); // two" };
  assert.deepEqual(
    missing(namedTests(page), (file) => {
      const text = files[file];
      if (text === undefined) throw new Error('no such file');
      return text;
    }),
    ['X01: a.test.ts has no test “two”', 'X01: b.test.ts has no test “three”'],
  );
});
