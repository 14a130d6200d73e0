import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { errorCatalogue } from '../src/errors/catalogue.ts';
import { settingKeys } from '../src/settings/settings-table.ts';
import { docsFolder, writtenPages } from './write-docs.ts';

for (const [name, text] of Object.entries(writtenPages)) {
  test(`docs/${name} is current`, () => {
    assert.equal(readFileSync(join(docsFolder, name), 'utf8'), text(), 'run "npm run docs"');
  });
}

test('every error code has a row with cause and remedy', () => {
  const rows = (writtenPages['failure-modes.md']?.() ?? '').split('\n');
  for (const [code, { status, hint }] of Object.entries(errorCatalogue)) {
    assert.equal(rows.filter((row) => row.startsWith(`| ${status} | \`${code}\` |`) && row.includes(hint)).length, 1, code);
  }
});

test('every setting has a row', () => {
  const page = writtenPages['settings.md']?.() ?? '';
  for (const key of settingKeys) assert.equal(page.split(`| \`${key}\` |`).length, 2, key);
});
