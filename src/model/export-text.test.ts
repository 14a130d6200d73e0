import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Document, isMap, isScalar, isSeq, visit } from 'yaml';
import { escapedControls } from './escaped-controls.ts';
import { exportText, exportTextParts } from './export-text.ts';

/** The text that is made of the whole in one go, as exports were made before. */
function textOfTheWhole(config: object): string {
  const document = new Document(config, { aliasDuplicateObjects: false, compat: 'yaml-1.1' });
  assert.ok(isMap(document.contents));
  for (const [at, { key, value }] of document.contents.items.entries()) {
    if (at > 0 && isScalar(key)) key.spaceBefore = true;
    for (const item of isSeq(value) ? value.items : []) {
      const authType = isMap(item) && !item.has('auth_value') ? item.get('auth_type', true) : undefined;
      if (isScalar(authType)) authType.comment = ' auth_value is stored and not exported; apply keeps it';
    }
  }
  visit(document, {
    Scalar(_key, node) {
      const { value } = node;
      if (typeof value !== 'string') return;
      if (/[^\P{C}\n]|[\u2028\u2029]/u.test(value) || (value.includes('\n') && /^\s|\s\n|\s\s$|[^\S\n]$/.test(value)))
        node.type = 'QUOTE_DOUBLE';
    },
  });
  return escapedControls(document.toString({ lineWidth: 0 }));
}

const text = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', ' ', '#', ':', '-', '"', "'", '|', '&', '*', '!', '{', '[', 'ü'), maxLength: 12 }),
  fc.constantFrom(
    '',
    'true',
    'no',
    '0x10',
    '12',
    '~',
    'one\ntwo',
    'one\ntwo\n',
    'one\n\ntwo',
    ' one\ntwo',
    'bell\u0007',
    'c1\u0085',
    '- a',
    'a: b',
    '<<',
    'y',
    '2026-11-26',
  ),
);
const entry = fc.dictionary(
  fc.constantFrom('name', 'description', 'auth_type', 'auth_value', 'headers', 'methods', 'request_transform'),
  fc.oneof(
    text,
    fc.boolean(),
    fc.integer(),
    fc.constant(null),
    fc.array(text, { maxLength: 3 }),
    fc.dictionary(text, text, { maxKeys: 3 }),
  ),
);
const entries = fc.oneof(fc.array(entry, { maxLength: 3 }), fc.array(entry, { minLength: 14, maxLength: 50 }));

describe('an export made in parts', () => {
  test('is the text that the whole makes, byte for byte', () => {
    fc.assert(
      fc.property(entries, entries, entries, (upstreams, routes, keys) => {
        const config = JSON.parse(JSON.stringify({ version: 1, upstreams, routes, keys })) as object;
        assert.equal(exportText(config), textOfTheWhole(config));
      }),
      { numRuns: 100 },
    );
  });

  test('is made of a few objects at a time, when each part is asked for', () => {
    let read = 0;
    const route = { name: 'r' };
    const routes = Array.from({ length: 1_000 }, () => ({
      get name() {
        read += 1;
        return route.name;
      },
    }));
    const parts = exportTextParts({ version: 1, routes });
    const seen: number[] = [];
    for (const _ of parts) seen.push(read);
    assert.ok(seen.length > 50, `${seen.length} parts`);
    const steps = seen.map((count, at) => count - (seen[at - 1] ?? 0));
    assert.ok(Math.max(...steps) < 100, `${Math.max(...steps)} objects in one part`);
  });
});
