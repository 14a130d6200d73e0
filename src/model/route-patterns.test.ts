import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostMatchType, PathMatchType } from './route.ts';
import { defaultHostMatchType, hostPatternProblem, pathPatternProblem } from './route-patterns.ts';

test('a host pattern without a type is a wildcard when it begins with *., else exact', () => {
  assert.equal(defaultHostMatchType('*.example.com'), 'wildcard');
  for (const pattern of ['', 'example.com', 'a.*.b', '*']) assert.equal(defaultHostMatchType(pattern), 'exact');
});

const goodHosts: [string, HostMatchType][] = [
  ['', 'exact'],
  ['api.example.com', 'exact'],
  ['localhost', 'exact'],
  ['my_host', 'exact'],
  ['10.0.0.1', 'exact'],
  ['::1', 'exact'],
  ['[2001:db8::1]', 'exact'],
  ['*.example.com', 'wildcard'],
  ['^a+$', 'regex'],
];

const badHosts: [string, HostMatchType, RegExp][] = [
  ['api.example.com:8080', 'exact', /without a port/],
  ['http://a', 'exact', /host/],
  ['a/b', 'exact', /without scheme or path/],
  ['a.', 'exact', /dot at the end/],
  ['*.example.com', 'exact', /host_match_type wildcard/],
  ['a.*.com', 'exact', /wildcard/],
  ['a b', 'exact', /host name/],
  ['bücher.de', 'exact', /xn--/],
  ['127.1', 'exact', /unusual spelling/],
  ['', 'wildcard', /start with \*\./],
  ['example.com', 'wildcard', /start with \*\./],
  ['*.', 'wildcard', /missing/],
  ['*.*.com', 'wildcard', /not a name/],
  ['*.10.0.0.1', 'wildcard', /not an address/],
  ['', 'regex', /empty/],
  ['a\nb', 'regex', /control/],
  ['x'.repeat(2049), 'regex', /2048/],
];

test('host patterns that can match are accepted', () => {
  for (const [pattern, type] of goodHosts) assert.equal(hostPatternProblem(pattern, type), undefined, pattern);
});

for (const [pattern, type, reason] of badHosts) {
  test(`host pattern ${JSON.stringify(pattern.slice(0, 30))} as ${type} is refused with the reason`, () => {
    assert.match(hostPatternProblem(pattern, type) ?? 'accepted', reason);
  });
}

const goodPaths: [string, PathMatchType][] = [
  ['/', 'prefix'],
  ['/*', 'prefix'],
  ['/api/v1', 'prefix'],
  ['/api/*', 'prefix'],
  ['/users/{id}/posts/{post_id}', 'exact'],
  ['/users/', 'exact'],
  ['/caf%C3%A9', 'exact'],
  ['/a:b@c;d=e,f', 'prefix'],
  ['^/v[0-9]+/', 'regex'],
];

const badPaths: [string, PathMatchType, RegExp][] = [
  ['', 'prefix', /empty/],
  ['api', 'prefix', /start with \//],
  ['*', 'prefix', /start with \//],
  ['http://x/y', 'prefix', /start with \//],
  ['/a b', 'exact', /spaces/],
  ['/a\0', 'exact', /control/],
  ['/é', 'exact', /outside ASCII/],
  ['/a?b=c', 'prefix', /query or fragment/],
  ['/a#b', 'prefix', /query or fragment/],
  ['/a\\b', 'prefix', /backslash/],
  ['/a//b', 'prefix', /two slashes/],
  ['//a', 'prefix', /two slashes/],
  ['/a/../b', 'prefix', /\. or \.\./],
  ['/a/.', 'exact', /\. or \.\./],
  ['/%zz', 'prefix', /two hexadecimal/],
  ['/%', 'prefix', /two hexadecimal/],
  ['/%70rivate', 'prefix', /p instead of %70/],
  ['/a/%2e%2e', 'prefix', /\. instead of %2e/],
  ['/%00', 'prefix', /requests with it are refused/],
  ['/%5c', 'prefix', /requests with it are refused/],
  ['/a/*/b', 'prefix', /last segment/],
  ['/a*', 'prefix', /last segment/],
  ['/a/*', 'exact', /match_type exact/],
  ['/users/{id', 'exact', /in braces/],
  ['/users/x{id}', 'exact', /in braces/],
  ['/users/{}', 'exact', /in braces/],
  ['/users/{1a}', 'exact', /in braces/],
  ['/{a}/{a}', 'exact', /twice/],
  ['a\r', 'regex', /control/],
  [`/${'x'.repeat(2048)}`, 'prefix', /2048/],
];

test('path patterns that can match are accepted', () => {
  for (const [pattern, type] of goodPaths) assert.equal(pathPatternProblem(pattern, type), undefined, pattern);
});

for (const [pattern, type, reason] of badPaths) {
  test(`path pattern ${JSON.stringify(pattern.slice(0, 30))} as ${type} is refused with the reason`, () => {
    assert.match(pathPatternProblem(pattern, type) ?? 'accepted', reason);
  });
}
