import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complete, variableAt, variablesFor } from './template-variables.ts';

test('a variable is what stands between ${ and the caret, and nothing else', () => {
  assert.deepEqual(variableAt('/v2/${pa', 8), { start: 6, typed: 'pa' });
  assert.deepEqual(variableAt('${', 2), { start: 2, typed: '' });
  assert.deepEqual(variableAt('a${header.X-A', 13), { start: 3, typed: 'header.X-A' });
  for (const [text, caret] of [
    ['${path}', 7],
    ['$path', 5],
    ['path', 4],
    ['${path', 0],
    ['${a b', 5],
  ] as const)
    assert.equal(variableAt(text, caret), undefined, text);
});

test('a completed variable has its brace once, and the caret behind it, or where its name goes', () => {
  assert.deepEqual(complete('/v2/${pa', 8, 'path'), { text: '/v2/${path}', caret: 11 });
  assert.deepEqual(complete('${pa}/x', 4, 'path'), { text: '${path}/x', caret: 7 });
  assert.deepEqual(complete('${he', 4, 'header.'), { text: '${header.}', caret: 9 });
  assert.deepEqual(complete('a ${ho b', 6, 'host'), { text: 'a ${host} b', caret: 9 });
});

test('what the path pattern captures comes first', () => {
  assert.deepEqual(
    variablesFor('/users/{id}/orders/{order}')
      .slice(0, 3)
      .map(({ name }) => name),
    ['pathParams.id', 'pathParams.order', 'path'],
  );
  assert.equal(variablesFor('^/v(?<version>[0-9]+)')[0]!.name, 'pathParams.version');
});
