import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PathCaptures } from './path-captures.ts';

function captured(pattern: string, matchType: 'exact' | 'prefix' | 'regex', path: string): Record<string, string> {
  const captures = PathCaptures.of({ path_pattern: pattern, match_type: matchType });
  const values = captures.read(path);
  const numbered = Array.from({ length: captures.numbered }, (_, i) => [`$${i + 1}`, values[i]!]);
  return Object.fromEntries([...numbered, ...[...captures.named].map(([name, slot]) => [name, values[slot]!])]) as Record<string, string>;
}

test('$1 of a prefix is what follows it, without the slash between', () => {
  assert.deepEqual(captured('/x', 'prefix', '/x/a/b'), { $1: 'a/b' });
  assert.deepEqual(captured('/x/*', 'prefix', '/x/a/b'), { $1: 'a/b' });
  assert.deepEqual(captured('/x/*', 'prefix', '/x'), { $1: '' });
  assert.deepEqual(captured('/x/*', 'prefix', '/x/'), { $1: '' });
  assert.deepEqual(captured('/*', 'prefix', '/a/b'), { $1: 'a/b' });
  assert.deepEqual(captured('/*', 'prefix', '/'), { $1: '' });
});

test('segments in braces are captured by name, in exact and prefix patterns', () => {
  assert.deepEqual(captured('/users/{id}/posts/{post}', 'exact', '/users/42/posts/7'), { id: '42', post: '7' });
  assert.deepEqual(captured('/users/{id}', 'prefix', '/users/42/posts/7'), { $1: 'posts/7', id: '42' });
  assert.deepEqual(captured('/users/{id}', 'prefix', '/users/a%2Fb'), { $1: '', id: 'a%2Fb' });
});

test('groups of an expression are captured by number and by name; one that took no part is empty', () => {
  assert.deepEqual(captured('^/v(?P<version>[0-9]+)/(.*)$', 'regex', '/v2/a/b'), { $1: '2', $2: 'a/b', version: '2' });
  assert.deepEqual(captured('^/(a)?(b)?$', 'regex', '/b'), { $1: '', $2: 'b' });
});
