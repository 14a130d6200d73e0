import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RouteConfig } from '../../model/gateway-config.ts';
import { checkRoute, compileRoute } from './compile-route.ts';
import { route } from './route-fixture.ts';

/** Each case: what is wrong, the field that says so, and words that the message must hold. */
const refusals: [Partial<RouteConfig>, string, RegExp][] = [
  [{ path_pattern: '' }, 'path_pattern', /start with \//],
  [{ path_pattern: 'users' }, 'path_pattern', /start with \//],
  [{ path_pattern: '/a?b=1' }, 'path_pattern', /query/],
  [{ path_pattern: '/a#b' }, 'path_pattern', /fragment/],
  [{ path_pattern: '/a b' }, 'path_pattern', /spaces/],
  [{ path_pattern: '/a\nb' }, 'path_pattern', /control/],
  [{ path_pattern: '/../etc' }, 'path_pattern', /dot-segments/],
  [{ path_pattern: '/%2e%2e/etc' }, 'path_pattern', /dot-segments/],
  [{ path_pattern: '/a\\b' }, 'path_pattern', /backslash/],
  [{ path_pattern: '/100%' }, 'path_pattern', /hexadecimal/],
  [{ path_pattern: '/a*' }, 'path_pattern', /whole last segment/],
  [{ path_pattern: '/*/b' }, 'path_pattern', /whole last segment/],
  [{ path_pattern: '/x/*', match_type: 'exact' }, 'path_pattern', /prefix/],
  [{ path_pattern: '/{id}.json' }, 'path_pattern', /whole segment/],
  [{ path_pattern: '/{}' }, 'path_pattern', /whole segment/],
  [{ path_pattern: '/{a-b}' }, 'path_pattern', /whole segment/],
  [{ path_pattern: '/{id}/{id}' }, 'path_pattern', /twice/],
  [{ path_pattern: '^/(a', match_type: 'regex' }, 'path_pattern', /regular expression.*\)/],
  [{ path_pattern: '^/(?=a)', match_type: 'regex' }, 'path_pattern', /lookaround/],
  [{ path_pattern: '', match_type: 'regex' }, 'path_pattern', /empty/],
  [{ path_pattern: `^/${'a'.repeat(2000)}`, match_type: 'regex' }, 'path_pattern', /longer than/],
  [{ path_pattern: '(a{1,300}){1,300}', match_type: 'regex' }, 'path_pattern', /repetition|repeat/],
  [{ path_pattern: '.*a.{300}$', match_type: 'regex' }, 'path_pattern', /too slow/],
  [{ host_pattern: 'example.com', host_match_type: 'wildcard' }, 'host_pattern', /\*\./],
  [{ host_pattern: '*.*.com' }, 'host_pattern', /first label/],
  [{ host_pattern: '*' }, 'host_pattern', /first label/],
  [{ host_pattern: 'a.*.com' }, 'host_pattern', /first label/],
  [{ host_pattern: 'example.com:8080' }, 'host_pattern', /port/],
  [{ host_pattern: 'exa mple' }, 'host_pattern', /./],
  [{ host_pattern: 'http://example.com' }, 'host_pattern', /./],
  [{ host_pattern: 'münchen.de' }, 'host_pattern', /xn--mnchen-3ya\.de/],
  [{ host_pattern: '(', host_match_type: 'regex' }, 'host_pattern', /regular expression/],
  [{ methods: ['GET', 'G T'] }, 'methods.1', /method/],
  [{ methods: [''] }, 'methods.0', /method/],
  [{ methods: ['get'] }, 'methods.0', /GET/],
  [{ methods: ['CONNECT'] }, 'methods.0', /never/],
  [{ headers: [{ name: 'X Y', value: 'a', is_regex: false, required: true }] }, 'headers.0.name', /header/],
  [{ headers: [{ name: 'X', value: '[', is_regex: true, required: true }] }, 'headers.0.value', /regular expression/],
  [{ headers: [{ name: 'X', value: 'a\r\nb', is_regex: false, required: true }] }, 'headers.0.value', /control/],
  [{ headers: [{ name: 'X', value: ' a', is_regex: false, required: true }] }, 'headers.0.value', /blank/],
];

for (const [fields, field, words] of refusals) {
  test(`refused with a reason: ${JSON.stringify(fields).slice(0, 70)}`, () => {
    const errors = checkRoute(route(fields));
    assert.deepEqual(
      errors.map((error) => error.field),
      [field],
    );
    assert.match(errors[0]!.message, words);
  });
}

test('every error of a route is told at once', () => {
  const errors = checkRoute(route({ path_pattern: 'x', host_pattern: '*', methods: ['get', 'TRACE'] }));
  assert.deepEqual(
    errors.map((error) => error.field),
    ['host_pattern', 'path_pattern', 'methods.0', 'methods.1'],
  );
});

test('what passes the check compiles', () => {
  const good: Partial<RouteConfig>[] = [
    { path_pattern: '/' },
    { path_pattern: '/*' },
    { path_pattern: '/api/v1/*' },
    { path_pattern: '/users/{id}/orders/{order_id}' },
    { path_pattern: '/café' },
    { path_pattern: '/a/b/', match_type: 'exact' },
    { path_pattern: '//a' },
    { path_pattern: '/%7Euser' },
    { path_pattern: '/\ud800' },
    { path_pattern: '^/v(?P<version>[0-9]+)/(?<rest>.*)$', match_type: 'regex' },
    { path_pattern: '(a+)+$', match_type: 'regex' },
    { host_pattern: '*.example.com' },
    { host_pattern: '*.example.com', host_match_type: 'wildcard' },
    { host_pattern: 'my_service' },
    { host_pattern: '192.0.2.1' },
    { host_pattern: '[::1]' },
    { host_pattern: 'example.com.' },
    { host_pattern: '.*\\.example\\.com', host_match_type: 'regex' },
    { methods: ['GET', 'PROPFIND', 'M-SEARCH', 'foo'] },
    { headers: [{ name: 'X-Y', value: '', is_regex: false, required: true }] },
  ];
  for (const fields of good) {
    assert.deepEqual(checkRoute(route(fields)), [], JSON.stringify(fields));
    assert.ok(compileRoute(route(fields)));
  }
});

test('what the check refuses does not compile in silence', () => {
  assert.throws(() => compileRoute(route({ id: 'rt_0000000000000001', path_pattern: 'users' })), /rt_0000000000000001/);
  assert.throws(() => compileRoute(route({ path_pattern: '(', match_type: 'regex' })));
});
