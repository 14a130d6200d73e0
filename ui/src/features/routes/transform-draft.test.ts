import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { requestTransformSchema, responseTransformSchema } from '../../../../src/model/transformation-schema.ts';
import { draftOfTransform, draftProblems, isHeldWhole, transformOfDraft } from './transform-draft.ts';

const name = fc.constantFrom('X-A', 'X-B', 'x-a', 'page', 'a.b', '1');
const value = fc.constantFrom('', 'text', '${host}', '$1', ' spaced ');
const named = fc.record({ add: fc.dictionary(name, value), set: fc.dictionary(name, value), remove: fc.array(name) }, { requiredKeys: [] });
const json = fc.record(
  {
    inject: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom<unknown>(1, 'x', null, true, ['one'], { deep: ['${path}'] })),
    remove: fc.array(name),
    rename: fc.dictionary(name, fc.constantFrom('c', 'd')),
    mask: fc.array(name),
  },
  { requiredKeys: [] },
);
const steps = {
  headers: named,
  query: named,
  body: fc.record({ json }, { requiredKeys: [] }),
  path_rewrite: fc.constantFrom('/v2/$1', '/x${path}'),
};
const oneOrSome = (one: fc.Arbitrary<unknown>) => fc.oneof(one, fc.array(one, { minLength: 1, maxLength: 3 }));
const when = {
  method: oneOrSome(fc.constantFrom('GET', 'POST')),
  path_matches: fc.constantFrom('^/a', 'b$'),
  header_exists: oneOrSome(fc.constantFrom('X-A', 'X-B')),
  header_equals: fc.dictionary(name, value),
};
const request = fc.record(
  {
    ...steps,
    conditions: fc.array(fc.record({ when: fc.record(when, { requiredKeys: [] }), ...steps }, { requiredKeys: ['when'] }), {
      maxLength: 3,
    }),
  },
  { requiredKeys: [] },
);

test('a transformation goes into the form and comes out saying the same, every field of it', () => {
  fc.assert(
    fc.property(request, (transform) => {
      fc.pre(requestTransformSchema.safeParse(transform).success);
      assert.ok(isHeldWhole(transform, 'request'), JSON.stringify(transform));
      const out = transformOfDraft(draftOfTransform(transform), 'request');
      assert.equal(requestTransformSchema.nullable().safeParse(out).success, true, JSON.stringify(out));
      // Once more changes nothing: what is not touched is not sent.
      assert.deepEqual(transformOfDraft(draftOfTransform(out), 'request'), out);
    }),
  );
});

test('statuses of a response stay numbers, classes and lists', () => {
  const transform = { conditions: [{ when: { status: [404, '5xx'] }, headers: { remove: ['Server'] } }, { when: { status: 200 } }] };
  assert.equal(responseTransformSchema.safeParse(transform).success, true);
  assert.deepEqual(transformOfDraft(draftOfTransform(transform), 'response'), transform);
});

test('what the form could not show is told, rather than lost', () => {
  for (const transform of [
    { header: { set: { a: 'b' } } },
    { headers: { set: { a: 'b' }, replace: {}, append: { c: 'd' } } },
    { headers: 'X-A' },
    { body: { xml: { remove: ['a'] } } },
    { conditions: [{ when: { weekday: 'Monday' } }] },
    [],
    'text',
  ])
    assert.equal(isHeldWhole(transform, 'request'), false, JSON.stringify(transform));
  assert.ok(!isHeldWhole({ query: { remove: ['a'] } }, 'response'), 'responses have no query');
});

test('rows that JSON could not hold both of are refused before anything is sent, and so is what is no JSON', () => {
  const draft = draftOfTransform({ headers: { set: { 'X-A': '1' } } });
  const twice = { ...draft, headers: [...draft.headers, ...draft.headers], inject: '{"a":' };
  assert.deepEqual(
    draftProblems(twice, 'request_transform').map(({ field }) => field),
    ['request_transform.headers.set.X-A', 'request_transform.body.json.inject'],
  );
  assert.deepEqual(draftProblems(draft, 'request_transform'), []);
});
