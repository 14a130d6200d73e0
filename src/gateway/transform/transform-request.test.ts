import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestHead } from '../../http/request-head.ts';
import type { RouteConfig } from '../../model/gateway-config.ts';
import { routeDefaults } from '../../model/route.ts';
import { checkTransform, compileTransform } from './compile-transform.ts';
import { transformRequest } from './transform-request.ts';

const subject = { method: 'GET', host: 'x', path: '/a/b', remoteAddress: '::1', requestId: 'r', keyId: '', keyPrefix: '' };

function route(fields: Partial<RouteConfig> & { readonly protocol?: string }): RouteConfig {
  return { ...routeDefaults, id: 'rt_1', name: 'r', path_pattern: '/a/*', upstream_id: 'up_1', managed: false, ...fields };
}

function headOf(text: string): RequestHead {
  const head = new RequestHead({ maxTarget: 1024, maxHead: 4096, maxFields: 50 });
  const bytes = Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1');
  assert.ok(head.parse(bytes, 0, bytes.length) > 0, head.reason);
  return head;
}

const settings = { bodyLimit: 1024, environment: new Map([['STAGE', 'prod']]) };

test('a route that changes nothing has no transformation at all', () => {
  assert.equal(compileTransform(route({}), settings), null);
});

test('a WebSocket handshake stays GET; its header, query and path steps are done, and its body is nobody else’s business', () => {
  const transform = compileTransform(
    route({
      path_rewrite: '/ws/$1',
      method_override: 'POST',
      request_transform: { headers: { set: { 'X-A': '1' } }, body: { json: { mask: ['a'] } } },
    }),
    settings,
  )!;
  const handshake = 'GET /a/b HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: websocket\nContent-Type: application/json\n\n';
  const upgraded = transformRequest(subject, headOf(handshake), transform, '');
  assert.deepEqual([upgraded.method, upgraded.target, upgraded.fields, upgraded.body], ['', '/ws/b', 'X-A: 1\r\n', null]);
  const plain = transformRequest(subject, headOf(handshake.replace('websocket', 'h2c')), transform, '');
  assert.equal(plain.method, 'POST');
});

test('a variable that the settings no longer allow is empty; a new route may not name it', () => {
  const old = route({ request_transform: { headers: { set: { 'X-Stage': '[${env.GONE}${env.STAGE}]' } } } });
  const transform = compileTransform(old, settings)!;
  assert.equal(transformRequest(subject, headOf('GET /a/b HTTP/1.1\nHost: x\n\n'), transform, '').fields, 'X-Stage: [prod]\r\n');
  assert.match(checkTransform(old, settings, null)[0]?.message ?? '', /GONE is not in APIGATE_TRANSFORM_ENV/);
});

test('body steps are refused where a protocol streams', () => {
  const body = { body: { json: { mask: ['a'] } } };
  for (const protocol of ['http_stream', 'sse', 'websocket'] as const) {
    const errors = checkTransform(
      route({ protocol, request_transform: { conditions: [{ when: { method: 'GET' }, ...body }] }, response_transform: body }),
      settings,
      null,
    );
    assert.deepEqual(
      errors.map(({ field }) => field),
      ['request_transform.body', 'response_transform.body'],
      protocol,
    );
  }
  assert.deepEqual(checkTransform(route({ protocol: 'http', response_transform: body }), settings, null), []);
  assert.deepEqual(checkTransform(route({ protocol: 'sse', response_transform: { headers: { remove: ['Server'] } } }), settings, null), []);
});

test('captures of an expression that take too long to read are refused at save, but only where they are used', () => {
  const slow = { path_pattern: '^/.*x(.{90})(.{90})(.{90})$', match_type: 'regex' } as const;
  const errors = checkTransform(route({ ...slow, path_rewrite: '/$1' }), settings, null);
  assert.match(errors[0]?.message ?? '', /too slow on long paths to read its groups/);
  assert.deepEqual(checkTransform(route({ ...slow, path_rewrite: '/fixed' }), settings, null), []);
});
