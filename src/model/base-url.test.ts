import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBaseUrl } from './base-url.ts';

const accepted: [string, object][] = [
  ['http://api', { protocol: 'http', host: 'api', port: 80, path: '', authority: 'api' }],
  ['HTTPS://API.Example.com/', { protocol: 'https', host: 'api.example.com', port: 443, path: '', authority: 'api.example.com' }],
  ['https://api.example.com:443', { protocol: 'https', host: 'api.example.com', port: 443, path: '', authority: 'api.example.com' }],
  ['https://api.example.com:80', { protocol: 'https', host: 'api.example.com', port: 80, path: '', authority: 'api.example.com:80' }],
  ['http://my_service:8080/v1/', { protocol: 'http', host: 'my_service', port: 8080, path: '/v1', authority: 'my_service:8080' }],
  ['http://example.com./a/b%2Fc', { protocol: 'http', host: 'example.com.', port: 80, path: '/a/b%2Fc', authority: 'example.com.' }],
  ['http://10.0.0.1:9000', { protocol: 'http', host: '10.0.0.1', port: 9000, path: '', authority: '10.0.0.1:9000' }],
  ['http://[2001:DB8:0::1]:8080/x', { protocol: 'http', host: '2001:db8::1', port: 8080, path: '/x', authority: '[2001:db8::1]:8080' }],
  [
    'https://xn--bcher-kva.example',
    { protocol: 'https', host: 'xn--bcher-kva.example', port: 443, path: '', authority: 'xn--bcher-kva.example' },
  ],
];

for (const [text, value] of accepted) {
  test(`base_url ${text} is read into its parts`, () => {
    assert.deepEqual(parseBaseUrl(text), { ok: true, value });
  });
}

const refused: [string, RegExp][] = [
  ['', /empty/],
  ['api.example.com', /http:\/\/ or https/],
  ['file:///etc/passwd', /not file:/],
  ['gopher://x', /not gopher:/],
  ['ftp://x', /not ftp:/],
  ['javascript:alert(1)', /http:\/\/ or https/],
  ['http:/x', /http:\/\/ or https/],
  ['http://', /host is missing/],
  ['http:///x', /host is missing/],
  ['http://user:pw@x', /user name or password/],
  ['http://@x', /user name or password/],
  ['http://x?a=b', /query/],
  ['http://x/?', /query/],
  ['http://x#a', /fragment/],
  ['http://x/#', /fragment/],
  ['http://x:0', /between 1 and 65535/],
  ['http://x:65536', /between 1 and 65535/],
  ['http://x:080', /begin with 0/],
  ['http://x:', /port is missing/],
  ['http://x:8a', /not a number/],
  ['http://0177.0.0.1', /unusual spelling/],
  ['http://2130706433', /unusual spelling/],
  ['http://127.1', /unusual spelling/],
  ['http://0x7f000001', /unusual spelling/],
  ['http://0x7f.0.0.1', /unusual spelling/],
  ['http://127.0.0.1.', /unusual spelling/],
  ['http://1.2.3.256', /unusual spelling/],
  ['http://１２７.0.0.1', /outside ASCII/],
  ['http://bücher.example', /xn--/],
  ['http://%31%32%37.0.0.1', /percent-encoded/],
  ['http://a..b', /empty part/],
  ['http://.a', /empty part/],
  ['http://-a', /not a name/],
  ['http://a!b', /not a name/],
  [`http://${'a'.repeat(64)}`, /63 characters/],
  [`http://${'a.'.repeat(130)}com`, /253 characters/],
  ['http://::1', /brackets/],
  ['http://[::1', /closing bracket/],
  ['http://[::1]x', /only a port/],
  ['http://[fe80::1%25eth0]', /zone/],
  ['http://[1.2.3.4]', /not an IPv6 address/],
  ['http://a b', /spaces/],
  ['http://a\n', /control characters/],
  ['http://a\0.b', /control characters/],
  ['http:\\\\a', /backslash/],
  ['http://a/b\\c', /backslash/],
  ['http://a//', /two slashes/],
  ['http://a/x//y', /two slashes/],
  ['http://a/../b', /\. or \.\./],
  ['http://a/%2e%2E/b', /\. or \.\./],
  ['http://a/%zz', /two hexadecimal/],
  ['http://a/%00', /encoded control/],
  ['http://a/%5c', /encoded control character or backslash/],
  ['http://a/ü', /percent-encoded/],
  [`http://a/${'x'.repeat(2048)}`, /2048/],
];

for (const [text, reason] of refused) {
  test(`N01 base_url ${JSON.stringify(text.slice(0, 40))} is refused with the reason`, () => {
    const result = parseBaseUrl(text);
    assert.equal(result.ok, false);
    assert.match(result.ok ? '' : result.message, reason);
  });
}
