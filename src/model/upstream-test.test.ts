import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorCatalogue } from '../errors/catalogue.ts';
import { upstreamProblems } from './upstream-problems.ts';
import { testPathProblem } from './upstream-test.ts';

test('a path of a test stays below base_url and is sent as it is written', () => {
  for (const path of ['', '/', '/health', '/a/b?x=../y&z=%2e%2e', '/a..b/...', '/%20'])
    assert.equal(testPathProblem(path), undefined, path);
  for (const path of [
    'health',
    '/a/../b',
    '/%2E./x',
    '/..;/x',
    '/a\\b',
    '/%5c',
    '/%0d',
    '/a b',
    '/a\n',
    '/ü',
    '/a#b',
    `/${'a'.repeat(2048)}`,
  ])
    assert.notEqual(testPathProblem(path), undefined, path);
});

test('every kind of problem has words, something to do, and a code of the catalogue', () => {
  for (const [kind, { code, title, example, next }] of Object.entries(upstreamProblems)) {
    assert.ok(code === null || code in errorCatalogue, kind);
    assert.ok(Math.min(title.length, example.length, next.length) > 0, kind);
  }
});

test('the words of the original product are in the texts', () => {
  assert.match(upstreamProblems.connection_refused.example, /connection refused/i);
  for (const kind of ['connect_timeout', 'dns_timeout', 'answer_timeout'] as const)
    assert.match(upstreamProblems[kind].example, /deadline exceeded/);
  assert.match(upstreamProblems.tls_untrusted.example, /signed by unknown authority/);
});
