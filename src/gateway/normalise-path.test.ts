import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalisePath } from './normalise-path.ts';

test('ordinary paths are their own view', () => {
  for (const path of ['/', '/users', '/users/', '/a.b/c-d_e~f', '/a..b', '/x.', '/a;b=1/c', "/!$&'()*+,;=:@"]) {
    assert.equal(normalisePath(path), path);
  }
  for (const path of ['/.well-known/x', '/...', '/..a', '/.a/..b', '/a%2Fb', '/caf%C3%A9']) assert.equal(normalisePath(path), path);
});

test('an encoding of an ordinary character, or another slash, does not slip past a route', () => {
  assert.equal(normalisePath('/%70rivate'), '/private');
  assert.equal(normalisePath('/%70%72%69%76%61%74%65'), '/private');
  assert.equal(normalisePath('//private'), '/private');
  assert.equal(normalisePath('/a///b//'), '/a/b/');
  assert.equal(normalisePath('/%7Euser'), '/~user');
  assert.equal(normalisePath('/caf%c3%a9'), '/caf%C3%A9');
  assert.equal(normalisePath('/a%2fb'), '/a%2Fb');
});

test('decoding happens once', () => {
  assert.equal(normalisePath('/%252e%252e/x'), '/%252e%252e/x');
  assert.equal(normalisePath('/%2570rivate'), '/%2570rivate');
});

test('dot-segments in any encoding, backslash, control bytes and broken triplets are refused', () => {
  const refused = [
    '/..',
    '/../',
    '/a/..',
    '/a/../b',
    '/.',
    '/./a',
    '/a/.',
    '/%2e',
    '/%2E%2e',
    '/.%2E/',
    '/%2e./x',
    '/..;/x',
    '/..;a=b',
    '/.;',
    '/%2e%2e;x',
    '/..%3bx',
    '/..%2f',
    '/..%2Fx',
    '/a%2f..',
    '/a%2F%2e%2e%2Fb',
    '/x/..%2f..',
    '//..',
    '/.//',
    '/\\',
    '/a\\..\\b',
    '/%5c',
    '/..%5C',
    '/%00',
    '/a%0d%0a',
    '/%1f',
    '/%7f',
    '/a b',
    '/a\tb',
    '/a\u0000',
    '/\u00e9',
    '/%',
    '/%4',
    '/%zz',
    '/a%2',
    '/%%32e',
    '',
    'a',
    '*',
    '%2f',
  ];
  for (const path of refused) assert.equal(normalisePath(path), null, JSON.stringify(path));
});

test('the view of a view is itself, never holds a dot-segment, and never grows', () => {
  const piece = fc.constantFrom('/', '/', '.', '%2e', '%2F', ';', '%3B', 'a', '%61', '%25', '%C3', '%c3', 'b', '%5B', '..', '%', '2e');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const raw = `/${pieces.join('')}`;
      const view = normalisePath(raw);
      if (view === null) return;
      assert.ok(view.length <= raw.length);
      assert.doesNotMatch(view, /\/\/|(^|\/|%2F)\.{1,2}(\/|%2F|;|%3B|$)/);
      assert.equal(normalisePath(view), view);
    }),
    { numRuns: 5000 },
  );
});

test('long hostile paths take less than a millisecond', () => {
  const hostile = [
    '/'.repeat(8192),
    '/%25'.repeat(2048),
    '%25'.repeat(2731).replace(/^/, '/'),
    '/a%2F.a'.repeat(1170),
    `/${'.'.repeat(8191)}`,
    '/%2e%2e%2e'.repeat(819),
  ];
  for (const path of hostile) for (let i = 0; i < 20; i++) normalisePath(path);
  for (const path of hostile) {
    let best = Infinity;
    for (let i = 0; i < 5; i++) {
      const start = performance.now();
      normalisePath(path);
      best = Math.min(best, performance.now() - start);
    }
    assert.ok(best < 1, `${path.slice(0, 12)}… took ${best} ms`);
  }
});
