import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headIncomplete, headRefused, RequestHead } from './request-head.ts';

const limits = { maxTarget: 8192, maxHead: 16_384, maxFields: 100 };

function parse(text: string): { head: RequestHead; result: number } {
  const head = new RequestHead(limits);
  const bytes = Buffer.from(text, 'latin1');
  return { head, result: head.parse(bytes, 0, bytes.length) };
}

test('a complete head gives the offset of the body and its parts', () => {
  const text = 'POST /a/b?c=d HTTP/1.1\r\nHost: Example.com:8080\r\nContent-Length: 5\r\nX-A:  v \r\n\r\n';
  const { head, result } = parse(`${text}hello`);
  assert.equal(result, text.length);
  assert.equal(head.method, 'POST');
  assert.equal(head.bytes.latin1Slice(head.pathStart, head.pathEnd), '/a/b');
  assert.equal(head.bytes.latin1Slice(head.targetStart, head.targetEnd), '/a/b?c=d');
  assert.equal(head.contentLength, 5);
  assert.equal(head.fields.valueOf('x-a'), 'v');
  assert.equal(head.fields.value(head.host), 'Example.com:8080');
  assert.equal(head.keepAlive, true);
});

test('up to two empty lines before the request line are passed over, a third is refused', () => {
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  assert.equal(parse(`\r\n\r\n${request}`).result, request.length + 4);
  assert.equal(parse(`\r\n\r\n\r\n${request}`).result, headRefused);
});

test('every prefix of a valid head is incomplete, never refused and never complete', () => {
  const text = '\r\nPOST /a%20b?x HTTP/1.1\r\nHost: a:1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nTE: trailers\r\n\r\n';
  for (let length = 0; length < text.length; length++)
    assert.equal(parse(text.slice(0, length)).result, headIncomplete, JSON.stringify(text.slice(0, length)));
  assert.equal(parse(text).result, text.length);
});

const get = (line: string, fields = 'Host: a\r\n'): string => `${line}\r\n${fields}\r\n`;

const refused: Record<string, string> = {
  'bare LF at the end of the request line': 'GET / HTTP/1.1\nHost: a\r\n\r\n',
  'bare LF at the end of a field': 'GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n',
  'bare CR in a value': 'GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n',
  'folded line': 'GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n',
  'space before the colon': 'GET / HTTP/1.1\r\nHost : a\r\n\r\n',
  'empty name': 'GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n',
  'NUL in a value': 'GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n',
  'DEL in a value': 'GET / HTTP/1.1\r\nHost: a\r\nX: a\x7fb\r\n\r\n',
  'no colon': 'GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n',
  'two spaces in the request line': get('GET  / HTTP/1.1'),
  'space behind the version': get('GET / HTTP/1.1 '),
  'HTTP/1.2': get('GET / HTTP/1.2'),
  'HTTP/2.0': get('GET / HTTP/2.0'),
  'lower-case version': get('GET / http/1.1'),
  'HTTP/0.9': 'GET /\r\n\r\n',
  'no Host on 1.1': get('GET / HTTP/1.1', ''),
  'two Hosts': get('GET / HTTP/1.1', 'Host: a\r\nHost: a\r\n'),
  'empty Host': get('GET / HTTP/1.1', 'Host:\r\n'),
  'Host with a path': get('GET / HTTP/1.1', 'Host: a/b\r\n'),
  'Host with userinfo': get('GET / HTTP/1.1', 'Host: u:p@a\r\n'),
  'Host list': get('GET / HTTP/1.1', 'Host: a, b\r\n'),
  'Host with a port too large': get('GET / HTTP/1.1', 'Host: a:65536\r\n'),
  fragment: get('GET /a#b HTTP/1.1'),
  'raw 0xff in the target': get('GET /\xff HTTP/1.1'),
  'asterisk without OPTIONS': get('GET * HTTP/1.1'),
  'authority form': get('GET a:80 HTTP/1.1'),
  'absolute form of another host': get('GET http://b/ HTTP/1.1'),
  'absolute form of another scheme': get('GET ftp://a/ HTTP/1.1'),
  'CL and TE': get('POST / HTTP/1.1', 'Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n'),
  'two equal CLs': get('POST / HTTP/1.1', 'Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n'),
  'listed CL': get('POST / HTTP/1.1', 'Host: a\r\nContent-Length: 1, 1\r\n'),
  'signed CL': get('POST / HTTP/1.1', 'Host: a\r\nContent-Length: +1\r\n'),
  'empty CL': get('POST / HTTP/1.1', 'Host: a\r\nContent-Length:\r\n'),
  'CL of 20 digits': get('POST / HTTP/1.1', 'Host: a\r\nContent-Length: 10000000000000000000\r\n'),
  'CL over 2^53-1': get('POST / HTTP/1.1', 'Host: a\r\nContent-Length: 9007199254740992\r\n'),
  'gzip, chunked': get('POST / HTTP/1.1', 'Host: a\r\nTransfer-Encoding: gzip, chunked\r\n'),
  identity: get('POST / HTTP/1.1', 'Host: a\r\nTransfer-Encoding: identity\r\n'),
  'empty TE': get('POST / HTTP/1.1', 'Host: a\r\nTransfer-Encoding:\r\n'),
  'chunked twice in one field': get('POST / HTTP/1.1', 'Host: a\r\nTransfer-Encoding: chunked, chunked\r\n'),
  'chunked twice in two fields': get('POST / HTTP/1.1', 'Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'),
  'vertical tab in TE': get('POST / HTTP/1.1', 'Host: a\r\nTransfer-Encoding: \x0bchunked\r\n'),
  'chunked on 1.0': get('POST / HTTP/1.0', 'Host: a\r\nTransfer-Encoding: chunked\r\n'),
};

for (const [name, text] of Object.entries(refused)) {
  test(`refused with 400: ${name}`, () => {
    const { head, result } = parse(text);
    assert.equal(result, headRefused);
    assert.equal(head.error, 'request_malformed');
    assert.notEqual(head.reason, '');
  });
}

test('unknown expectations are refused with 417', () => {
  const { head, result } = parse(get('POST / HTTP/1.1', 'Host: a\r\nExpect: x\r\n'));
  assert.equal(result, headRefused);
  assert.equal(head.error, 'expectation_failed');
});

test('limits are exact: at the limit accepted, one over refused', () => {
  const target = (length: number): string => get(`GET /${'a'.repeat(length - 1)} HTTP/1.1`);
  assert.ok(parse(target(8192)).result > 0);
  assert.equal(parse(target(8193)).head.error, 'target_too_long');
  const line = 'GET / HTTP/1.1\r\nHost: a\r\n';
  const head = (length: number): string => `${line}X: ${'a'.repeat(length - line.length - 7)}\r\n\r\n`;
  assert.equal(head(16_384).length, 16_384);
  assert.equal(parse(head(16_384)).result, 16_384);
  const over = parse(head(16_385));
  assert.equal(over.result, headRefused);
  assert.equal(over.head.error, 'headers_too_large');
  const fields = (count: number): string => `${line}${'X: y\r\n'.repeat(count - 1)}\r\n`;
  assert.ok(parse(fields(100)).result > 0);
  assert.equal(parse(fields(101)).head.error, 'headers_too_large');
});

test('an endless head is refused as soon as it is over its limit, complete or not', () => {
  assert.equal(parse(`GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}`).head.error, 'headers_too_large');
  assert.equal(parse(`GET /${'a'.repeat(9000)}`).head.error, 'target_too_long');
});

test('Connection-listed fields are dropped, but never framing, routing or credentials', () => {
  const { head } = parse(
    get('GET / HTTP/1.1', 'Host: a\r\nX-One: 1\r\nConnection: X-One, close, Host, Authorization, content-length\r\nAuthorization: b\r\n'),
  );
  const dropped = [...head.fields.dropped.subarray(0, head.fields.count)];
  assert.deepEqual(dropped, [0, 1, 0, 0]);
  assert.equal(head.keepAlive, false);
});

test('HTTP/1.0 closes unless it asks for keep-alive', () => {
  assert.equal(parse(get('GET / HTTP/1.0')).head.keepAlive, false);
  assert.equal(parse(get('GET / HTTP/1.0', 'Connection: Keep-Alive\r\n')).head.keepAlive, true);
});

test('absolute form counts when its host is that of Host, in any case', () => {
  const { head, result } = parse(get('GET http://A.example:80/x?y HTTP/1.1', 'Host: a.Example:80\r\n'));
  assert.ok(result > 0);
  assert.equal(head.bytes.latin1Slice(head.pathStart, head.pathEnd), '/x');
});

test('a plain path is told from one that must be looked at', () => {
  for (const [path, plain] of [
    ['/a/b.c', true],
    ['/', true],
    ['/a//b', false],
    ['/a/./b', false],
    ['/.a', false],
    ['/%41', false],
    ['/a\\b', false],
  ] as const) {
    assert.equal(parse(get(`GET ${path} HTTP/1.1`)).head.pathIsPlain, plain, path);
  }
});
