import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonSteps } from '../../model/transformation.ts';
import { RequestHead } from '../../http/request-head.ts';
import { PathCaptures } from '../path-captures.ts';
import { applyJson, compileJson } from './json-steps.ts';
import { TransformFacts } from './transform-facts.ts';

const captures = PathCaptures.of({ path_pattern: '/', match_type: 'prefix' });
const subject = { method: 'GET', host: '', path: '/', remoteAddress: '', requestId: '', keyId: '', keyPrefix: '' };
const facts = new TransformFacts(subject, new RequestHead({ maxTarget: 1024, maxHead: 1024, maxFields: 10 }), captures, false);

function compile(steps: JsonSteps) {
  const errors: Record<string, string> = {};
  const scope = { captures, environment: new Map<string, string>(), headers: new Set<string>(), query: false, capturesUsed: false };
  const compiled = compileJson(steps, scope, 'json', (field, message) => (errors[field] = message));
  return { compiled, errors };
}

function applied(body: unknown, steps: JsonSteps): unknown {
  const { compiled, errors } = compile(steps);
  assert.deepEqual(errors, {});
  return JSON.parse(JSON.stringify(applyJson(structuredClone(body), compiled === null ? [] : [compiled], facts)));
}

test('inject merges objects, replaces everything else, and leaves a body that is no object alone', () => {
  assert.deepEqual(applied({ a: { b: 1, c: [1] }, d: 1 }, { inject: { a: { c: [2], e: null }, d: { f: true } } }), {
    a: { b: 1, c: [2], e: null },
    d: { f: true },
  });
  assert.deepEqual(applied([{ a: 1 }], { inject: { b: 2 } }), [{ a: 1 }]);
  assert.deepEqual(applied('text', { inject: { b: 2 } }), 'text');
});

test('what is injected is new for each message: later steps never change the route', () => {
  const { compiled } = compile({
    inject: { user: { email: 'user@domain.com', list: [{ email: 'a@b.c' }] } },
    mask: ['user.email', 'user.list.email'],
    remove: ['user.gone'],
  });
  const first = JSON.stringify(applyJson({}, [compiled!], facts));
  assert.equal(JSON.stringify(applyJson({}, [compiled!], facts)), first);
  const { compiled: plain } = compile({ inject: { user: { email: 'user@domain.com' } } });
  const { compiled: mask } = compile({ mask: ['user.email'] });
  applyJson({}, [plain!, mask!], facts);
  assert.deepEqual(applyJson({}, [plain!], facts), { user: { email: 'user@domain.com' } });
});

test('paths go into every element of lists, of lists of lists too; what is not there is passed over', () => {
  const body = [[{ a: [{ b: 'secret' }, { b: 'secret' }] }], { a: { b: 'secret' } }, { a: 'secret' }, null];
  assert.deepEqual(applied(body, { mask: ['a.b'] }), [
    [{ a: [{ b: 's***t' }, { b: 's***t' }] }],
    { a: { b: 's***t' } },
    { a: 'secret' },
    null,
  ]);
  assert.deepEqual(applied({ a: 1 }, { remove: ['a.b', 'toString', 'a.length'], rename: { hasOwnProperty: 'x' }, mask: ['constructor'] }), {
    a: 1,
  });
});

test('a dot within a name is written with a backslash', () => {
  assert.deepEqual(applied({ 'a.b': { c: 'secret' }, a: { b: { c: 'secret' } } }, { mask: ['a\\.b.c'] }), {
    'a.b': { c: 's***t' },
    a: { b: { c: 'secret' } },
  });
});

test('rename takes the place of a field of the new name', () => {
  assert.deepEqual(applied({ old: 1, new: 2 }, { rename: { old: 'new' } }), { new: 1 });
  assert.deepEqual(applied({ u: { old: 1 } }, { rename: { 'u.old': 'u.new' } }), { u: { new: 1 } });
});

test('nothing is inherited from what a body or a step says', () => {
  const body = JSON.parse('{"__proto__":{"x":1},"a":{"__proto__":{"email":"secret"}}}') as unknown;
  const { compiled } = compile({ mask: ['a.__proto__.email', '__proto__.x'], remove: ['__proto__.none'] });
  assert.equal(JSON.stringify(applyJson(body, [compiled!], facts)), '{"__proto__":{"x":"***"},"a":{"__proto__":{"email":"s***t"}}}');
  assert.equal(({} as Record<string, unknown>)['email'], undefined);
});

test('paths that would silently never fit are refused', () => {
  const { errors } = compile({
    remove: ['$.a', 'a..b', '.a'],
    mask: ['items[0].email', 'items[*].email', 'items[].email', '$'],
    rename: { 'a.b': 'c.d', x: 'y', y: 'z', p: '__proto__' },
    inject: { a: { b: ['${nothing}'] } },
  });
  assert.deepEqual(Object.keys(errors).toSorted(), [
    'json.inject.a.b.0',
    'json.mask.0',
    'json.mask.1',
    'json.mask.2',
    'json.mask.3',
    'json.remove.0',
    'json.remove.1',
    'json.remove.2',
    'json.rename.a.b',
    'json.rename.p',
    'json.rename.x',
  ]);
});
