import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hashOf, PersistentMap } from './persistent-map.ts';

test('behaves as a Map under any series of changes, and old versions keep their content', () => {
  const key = fc.oneof(fc.constantFrom('', 'a', 'b', '/api', '/api/v1', '/api/v2'), fc.string({ maxLength: 3 }));
  const step = fc.record({ key, remove: fc.boolean(), value: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let map = PersistentMap.empty<number>();
      const model = new Map<string, number>();
      const versions: [PersistentMap<number>, Map<string, number>][] = [];
      for (const { key, remove, value } of steps) {
        if (remove) model.delete(key);
        else model.set(key, value);
        map = remove ? map.delete(key) : map.set(key, value);
        versions.push([map, new Map(model)]);
      }
      for (const [version, expected] of versions) {
        assert.equal(version.size, expected.size);
        assert.deepEqual(new Map(version.entries()), expected);
        for (const { key } of steps) assert.equal(version.get(key), expected.get(key));
      }
    }),
    { numRuns: 300 },
  );
});

test('keys whose hashes are the same do not disturb one another', () => {
  const byHash = new Map<number, string>();
  let twins: [string, string] | undefined;
  for (let i = 0; twins === undefined; i++) {
    const key = `k${i}`;
    const twin = byHash.get(hashOf(key, 0, key.length));
    if (twin !== undefined) twins = [twin, key];
    byHash.set(hashOf(key, 0, key.length), key);
  }
  const [a, b] = twins;
  const both = PersistentMap.empty<number>().set('other', 0).set(a, 1).set(b, 2);
  assert.deepEqual([both.get(a), both.get(b), both.size], [1, 2, 3]);
  assert.deepEqual([both.set(a, 3).get(a), both.set(a, 3).get(b), both.set(a, 3).size], [3, 2, 3]);
  assert.deepEqual([both.delete(a).get(a), both.delete(a).get(b), both.delete(b).get(a)], [undefined, 2, 1]);
});

test('a part of a longer text finds its key without becoming a string', () => {
  const map = PersistentMap.empty<number>().set('/api', 1).set('api', 2).set('', 3);
  assert.equal(map.getPart('/api/users', 0, 4), 1);
  assert.equal(map.getPart('/api/users', 1, 4), 2);
  assert.equal(map.getPart('/api/users', 5, 5), 3);
  assert.equal(map.getPart('/api/users', 0, 5), undefined);
});

test('ten thousand entries and back to none', () => {
  let map = PersistentMap.empty<number>();
  for (let i = 0; i < 10_000; i++) map = map.set(`/service/${i}`, i);
  for (let i = 0; i < 10_000; i++) assert.equal(map.get(`/service/${i}`), i);
  for (let i = 0; i < 10_000; i++) map = map.delete(`/service/${i}`);
  assert.equal(map.size, 0);
  assert.deepEqual([...map.entries()], []);
});
