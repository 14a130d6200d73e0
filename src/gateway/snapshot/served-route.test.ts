import assert from 'node:assert/strict';
import { test } from 'node:test';
import { route } from '../match/route-fixture.ts';
import { serveRoute } from './served-route.ts';

const settings = { bodyLimit: 1_000, environment: new Map<string, string>() };
const constant = { headers: { set: { 'X-Served-By': 'apigate', 'X-Client': '${client_ip}' } } };

test('routes that do the same to their messages share its compiled form; others do not', () => {
  const first = serveRoute(route({ path_pattern: '/a', request_transform: constant }), settings);
  assert.ok(first.transform !== null);
  assert.equal(serveRoute(route({ path_pattern: '/b/{id}', request_transform: { ...constant } }), settings).transform, first.transform);
  for (const other of [
    route({ path_pattern: '/c', response_transform: constant }),
    route({ path_pattern: '/d', request_transform: constant, api_key_query: true }),
    route({ path_pattern: '/e', request_transform: constant, method_override: 'POST' }),
    route({ path_pattern: '/f', request_transform: constant, path_rewrite: '/g' }),
    route({ path_pattern: '/g', request_transform: { headers: { set: { 'X-Served-By': 'apigate' } } } }),
  ]) {
    assert.notEqual(serveRoute(other, settings).transform, first.transform, other.path_pattern);
  }
  assert.equal(serveRoute(route(), settings).transform, null);
});

test('what is made of a path’s parts is the route’s own: the same words mean other segments elsewhere', () => {
  for (const fields of [
    { path_rewrite: '/v2/$1' },
    { request_transform: { headers: { set: { 'X-Id': '${pathParams.id}' } } } },
    { response_transform: { headers: { set: { 'X-Id': '${pathParams.id}' } } } },
  ]) {
    const one = serveRoute(route({ path_pattern: '/users/{id}', ...fields }), settings).transform!;
    const other = serveRoute(route({ path_pattern: '/a/b/{id}', ...fields }), settings).transform!;
    assert.notEqual(one, other);
    assert.notEqual(one.captures, other.captures);
  }
});

test('other settings, as those of a preview that is traced, have compiled forms of their own', () => {
  const config = route({ path_pattern: '/h', request_transform: constant });
  const trace = (): void => {};
  assert.equal(serveRoute(config, { ...settings, trace }).transform?.trace, trace);
  assert.equal(serveRoute(config, settings).transform?.trace, null);
});
