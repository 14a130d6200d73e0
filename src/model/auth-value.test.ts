import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authHeaderProblem, authValueProblem } from './auth-value.ts';

test('values that a header can carry are accepted', () => {
  for (const value of ['x', 'a b', 'a\tb', 'é\u00ff', '~!@#$%^&*()', 'x'.repeat(16_384)])
    assert.equal(authValueProblem('bearer', value), undefined, value.slice(0, 20));
  assert.equal(authValueProblem('basic', 'user:pass:word'), undefined);
  assert.equal(authValueProblem('basic', ':'), undefined);
});

test('values that would break or change the message are refused with the reason', () => {
  const refused: [string, RegExp][] = [
    ['', /empty/],
    ['a\rb', /line ends or NUL/],
    ['a\nb', /line ends or NUL/],
    ['a\0b', /line ends or NUL/],
    ['a\u0007', /control/],
    ['a\u007f', /control/],
    ['Ł', /Latin-1/],
    ['😀', /Latin-1/],
    [' a', /begin or end/],
    ['a\t', /begin or end/],
    ['x'.repeat(16_385), /16384 bytes/],
    ['x'.repeat(100 * 1024), /16384 bytes/],
  ];
  for (const [value, reason] of refused) assert.match(authValueProblem('header', value) ?? '', reason, JSON.stringify(value.slice(0, 20)));
  assert.match(authValueProblem('basic', 'userpass') ?? '', /colon/);
});

test('a credential goes into no header that frames or routes the message', () => {
  for (const name of ['X-API-Key', 'x_api_key', 'Authorization', 'Cookie', 'api-key', 'PRIVATE-TOKEN'])
    assert.equal(authHeaderProblem(name), undefined, name);
  const refused = [
    'Host',
    'content-length',
    'Content_Length',
    'Transfer-Encoding',
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authorization',
    'TE',
    'Trailer',
    'Upgrade',
    'Expect',
    'Via',
    'Forwarded',
    'X-Forwarded-For',
    'X_Forwarded_Host',
    'X-Request-Id',
  ];
  for (const name of refused) assert.match(authHeaderProblem(name) ?? '', /frames or routes/, name);
  for (const name of ['', 'a b', 'a:b', 'a\n', 'ä', 'x'.repeat(101)]) assert.notEqual(authHeaderProblem(name), undefined, name);
});
