import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useGateway } from '../support/harness.ts';
import { assertOneOf, passes, refuses } from '../support/request-cases.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';

const harness = useGateway();
const malformed = { status: 400, code: 'request_malformed' } as const;
const rest = 'Host: a.test\r\n\r\n';

for (const [what, line] of [
  ['two spaces before the target', 'GET  / HTTP/1.1\r\n'],
  ['two spaces before the version', 'GET /  HTTP/1.1\r\n'],
  ['a tab for a space', 'GET\t/ HTTP/1.1\r\n'],
  ['a tab before the version', 'GET /\tHTTP/1.1\r\n'],
  ['a leading space', ' GET / HTTP/1.1\r\n'],
  ['a trailing space', 'GET / HTTP/1.1 \r\n'],
  ['a fourth word', 'GET / HTTP/1.1 x\r\n'],
  ['a space in the target', 'GET /a b HTTP/1.1\r\n'],
  ['no version', 'GET /\r\n'],
  ['no target', 'GET HTTP/1.1\r\n'],
  ['an empty method', ' / HTTP/1.1\r\n'],
  ['a method that is no token', 'GE(T / HTTP/1.1\r\n'],
  ['a method with a control byte', 'GE\x01T / HTTP/1.1\r\n'],
  ['a method with a byte above 0x7F', 'GE\xc9T / HTTP/1.1\r\n'],
  ['version HTTP/1.2', 'GET / HTTP/1.2\r\n'],
  ['version HTTP/2.0', 'GET / HTTP/2.0\r\n'],
  ['version HTTP/0.9', 'GET / HTTP/0.9\r\n'],
  ['version HTTP/1', 'GET / HTTP/1\r\n'],
  ['version HTTP/1.10', 'GET / HTTP/1.10\r\n'],
  ['version HTTP/01.1', 'GET / HTTP/01.1\r\n'],
  ['a lower-case version', 'GET / http/1.1\r\n'],
  ['another protocol', 'GET / ICE/1.0\r\n'],
  ['a bare LF at its end', 'GET / HTTP/1.1\n'],
  ['a bare CR at its end', 'GET / HTTP/1.1\r'],
  ['two CRs at its end', 'GET / HTTP/1.1\r\r\n'],
  ['a NUL in the target', 'GET /a\0b HTTP/1.1\r\n'],
] as const) {
  refuses(harness, `a request line with ${what} is 400 and closes`, `${line}${rest}`, malformed);
}

passes(harness, 'one empty line before the request line is skipped', `\r\nGET /one HTTP/1.1\r\n${rest}`, (request) =>
  assert.equal(request.target, '/one'),
);
passes(harness, 'two empty lines before the request line are skipped', `\r\n\r\nGET /two HTTP/1.1\r\n${rest}`, (request) =>
  assert.equal(request.target, '/two'),
);
refuses(harness, 'three empty lines before the request line are 400', `\r\n\r\n\r\nGET / HTTP/1.1\r\n${rest}`, malformed);
refuses(harness, 'an empty line that is a bare LF is 400', `\nGET / HTTP/1.1\r\n${rest}`, malformed);
refuses(harness, 'the HTTP/2 preface is 400', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', malformed);
refuses(
  harness,
  'C08 a TLS ClientHello on the plain port is answered or closed, never a crash',
  Buffer.from('16030100a5010000a10303' + '5a'.repeat(160) + '0d0a0d0a', 'hex'),
  malformed,
);

test('A18 CONNECT is 405 with Allow, and what follows it is never tunnelled', async () => {
  for (const target of ['example.test:443', 'a.test:80', '127.0.0.1:1']) {
    using client = await RawClient.connect(harness.port);
    const before = harness.upstream.requests.length;
    await client.send(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\nGET /tunnelled HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    const response = await client.response();
    assert.equal(response.status, 405);
    assert.equal(response.json()['code'], 'method_not_allowed');
    assert.ok((response.value('allow') ?? '').length > 0, 'Allow names methods');
    const after = await fetchRaw(harness.port, 'GET', { target: '/after' });
    assert.equal(after.status, 200);
    assert.ok(harness.upstream.requests.slice(before).every((request) => request.method !== 'CONNECT'));
  }
});

test('A18 TRACE is 405 with Allow and goes nowhere', async () => {
  const before = harness.upstream.requests.length;
  const response = await fetchRaw(harness.port, 'TRACE', { target: '/x', fields: [['Cookie', 'secret=1']] });
  assert.equal(response.status, 405);
  assert.ok((response.value('allow') ?? '').length > 0);
  assert.ok(!response.body.includes('secret=1'), 'TRACE never echoes');
  assert.equal(harness.upstream.requests.length, before);
});

for (const method of ['FOO', 'M-SEARCH', 'PROPFIND', 'get', 'Get', "A!#$%&'*+-.^_`|~9"]) {
  passes(
    harness,
    `A18 the method ${method} is forwarded as it is`,
    `${method} /m HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n`,
    (request) => assert.equal(request.method, method),
  );
}

// ---- A14: forms of the target
for (const [what, target, status = 400] of [
  ['GET *', '*'],
  ['authority-form with GET', 'a.test:80'],
  ['absolute-form for another host', 'http://b.test/x'],
  ['absolute-form for another port', 'http://a.test:81/x'],
  ['absolute-form with user information', 'http://u:p@a.test/x'],
  ['absolute-form of another scheme', 'ftp://a.test/x'],
  ['a target without a slash', 'x'],
  ['an empty absolute host', 'http:///x'],
  ['a fragment', '/a#b'],
  ['a fragment in the query', '/a?b#c'],
  ['a raw byte 0xFF in the path', '/a\xff'],
  ['a raw byte 0x80 in the query', '/a?b=\x80'],
  ['DEL in the path', '/a\x7fb'],
  ['DEL in the query', '/a?\x7f'],
  ['%00 in the path', '/a%00b'],
  ['a backslash in the path', '/a\\b'],
  ['a segment ..', '/a/../b'],
  ['a final segment ..', '/a/..'],
  ['a first segment ..', '/../a'],
  ['a segment .', '/a/./b'],
  ['a final segment .', '/a/.'],
  ['a segment %2e%2e', '/a/%2e%2e/b'],
  ['a segment %2E%2E', '/a/%2E%2E/b'],
  ['a segment .%2e', '/a/.%2e/b'],
  ['a segment .%2E at the end', '/a/.%2E'],
  ['a segment %2e', '/a/%2e/b'],
  ['a segment ..;', '/a/..;/b'],
  ['a segment ..;x=y', '/a/..;x=y/b'],
  ['a segment %2e%2e;x', '/a/%2e%2e;x/b'],
  ['..%2f within a segment', '/a/..%2fb'],
  ['..%2F within a segment', '/a/..%2Fb'],
  ['%2f..%2f within a segment', '/a%2f..%2fb'],
  ['%2e%2e%2f within a segment', '/a/%2e%2e%2fb'],
  ['a dot-segment in absolute-form', 'http://a.test/a/../b'],
] as const) {
  refuses(harness, `A14 ${what} is ${status}, nothing upstream`, `GET ${target} HTTP/1.1\r\n${rest}`, malformed);
}

for (const [what, target, expected = target] of [
  ['dots inside a segment', '/a..b/.c/d./...'],
  ['a dot-segment in the query', '/a?x=/../y'],
  ['a backslash in the query', '/a?x=\\y'],
  ['%00 in the query', '/a?x=%00'],
  ['percent-encoding is never decoded nor normalised', '/%70rivate/%c3%A9?%41=%zz'],
  ['repeated slashes stay', '//a///b//'],
  ['quotes and bars', '/with_"lovely"_|quotes?a=|"'],
  ['sub-delims and brackets', "/a!$&'()*+,;=:@[]{}^`<>~?!$&'()*+,;=:@/?[]"],
  ['a second question mark', '/a?b?c'],
  ['an empty query', '/a?'],
  ['absolute-form for the same host', 'http://a.test/x?y=1', '/x?y=1'],
  ['absolute-form without a path', 'http://a.test', '/'],
  ['absolute-form without a path but a query', 'http://a.test?q=1', '/?q=1'],
  ['absolute-form with the host in capitals', 'HTTP://A.TEST/x', '/x'],
] as const) {
  passes(harness, `A14 ${what}: the target goes upstream byte for byte`, `GET ${target} HTTP/1.1\r\n${rest}`, (request) =>
    assert.equal(request.target, expected),
  );
}

test('A14 OPTIONS * is answered by the gateway itself', async () => {
  const before = harness.upstream.requests.length;
  const response = await fetchRaw(harness.port, 'OPTIONS', { target: '*' });
  assertOneOf(response.status, [200, 204, 405], 'status');
  assert.equal(harness.upstream.requests.length, before);
});

passes(harness, 'OPTIONS of a path is forwarded', `OPTIONS /x HTTP/1.1\r\n${rest}`, (request) => assert.equal(request.method, 'OPTIONS'));

// ---- Host
for (const [what, fields] of [
  ['no Host on 1.1', 'X: y\r\n'],
  ['two different Hosts', 'Host: a.test\r\nHost: b.test\r\n'],
  ['two equal Hosts', 'Host: a.test\r\nhost: a.test\r\n'],
  ['an empty Host', 'Host:\r\n'],
  ['a Host of spaces', 'Host:   \r\n'],
  ['a Host with a path', 'Host: a/b\r\n'],
  ['a Host with user information', 'Host: u:p@a\r\n'],
  ['a list as Host', 'Host: a, b\r\n'],
  ['a space inside Host', 'Host: a b\r\n'],
  ['a query in Host', 'Host: a?b\r\n'],
  ['a fragment in Host', 'Host: a#b\r\n'],
  ['a backslash in Host', 'Host: a\\b\r\n'],
  ['a port that is no number', 'Host: a:b\r\n'],
  ['two ports', 'Host: a:1:2\r\n'],
  ['an unclosed bracket', 'Host: [::1\r\n'],
  ['brackets around no address', 'Host: [zz]\r\n'],
  ['text after the bracket', 'Host: [::1]x\r\n'],
  ['a bare IPv6 address', 'Host: ::1\r\n'],
  ['a byte above 0x7F', 'Host: \xe4.test\r\n'],
  ['a quote in Host', 'Host: "a"\r\n'],
  ['angle brackets in Host', 'Host: <a>\r\n'],
  ['a port without a host', 'Host: :80\r\n'],
  ['a bad percent-escape', 'Host: a%zz\r\n'],
] as const) {
  refuses(harness, `A07 ${what} is 400 and closes`, `GET / HTTP/1.1\r\n${fields}\r\n`, malformed);
}

for (const host of [
  'a.test',
  'A.Test:80',
  'a.test:',
  '[::1]',
  '[2001:db8::1]:8080',
  '127.0.0.1:9',
  'under_score',
  'trailing.dot.',
  '0.0.0.0=5000',
  'a%20b',
]) {
  passes(harness, `A07 Host: ${host} is valid`, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
}

passes(harness, "HTTP/1.0 needs no Host, and the upstream gets its base_url's", 'GET /old HTTP/1.0\r\n\r\n', (request, response) => {
  assert.equal(request.value('host'), `127.0.0.1:${harness.upstream.port}`);
  assert.notEqual(response.framing, 'chunked');
});
