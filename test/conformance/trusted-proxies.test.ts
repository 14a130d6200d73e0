import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useGateway } from '../support/harness.ts';
import type { Field } from '../support/message-reader.ts';
import { RawClient } from '../support/raw-client.ts';
import type { UpstreamRequest } from '../support/scripted-upstream.ts';

// 127.0.0.1 is a trusted proxy, 127.0.0.2 is a stranger.
const harness = useGateway({ env: { APIGATE_TRUSTED_PROXIES: '127.0.0.1/32,10.0.0.0/8' } });

async function forwarded(fields: readonly Field[], localAddress = '127.0.0.1'): Promise<UpstreamRequest> {
  const before = harness.upstream.requests.length;
  using client = await RawClient.connect(harness.port, { localAddress });
  const response = await client.request('GET', { fields });
  assert.equal(response.status, 200);
  return harness.upstream.requests[before]!;
}

test('A25 a trusted proxy is believed and appended to', async () => {
  const request = await forwarded([
    ['X-Forwarded-For', '203.0.113.9'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', 'shop.example'],
    ['X-Forwarded-Port', '443'],
    ['Forwarded', 'for=203.0.113.9;proto=https;host=shop.example'],
  ]);
  assert.equal(request.values('x-forwarded-for').join(', '), '203.0.113.9, 127.0.0.1');
  assert.equal(request.value('x-forwarded-proto'), 'https');
  assert.equal(request.value('x-forwarded-host'), 'shop.example');
  assert.equal(request.value('x-forwarded-port'), '443');
  assert.match(request.values('forwarded').join(', '), /^for=203\.0\.113\.9;proto=https;host=shop\.example, .*for="?127\.0\.0\.1"?/i);
});

test("a trusted proxy's X-Request-Id is kept", async () => {
  assert.equal((await forwarded([['X-Request-Id', 'edge-1234-abcd']])).value('x-request-id'), 'edge-1234-abcd');
});

test('a trusted proxy that sends nothing leaves its own address', async () => {
  const request = await forwarded([]);
  assert.equal(request.value('x-forwarded-for'), '127.0.0.1');
  assert.equal(request.value('x-forwarded-proto'), 'http');
});

test('A25 a stranger is not believed even though some proxies are', async () => {
  const request = await forwarded(
    [
      ['X-Forwarded-For', '203.0.113.9'],
      ['X-Forwarded-Proto', 'https'],
      ['Forwarded', 'for=203.0.113.9'],
      ['X-Request-Id', 'stranger-1'],
    ],
    '127.0.0.2',
  );
  assert.equal(request.value('x-forwarded-for'), '127.0.0.2');
  assert.equal(request.value('x-forwarded-proto'), 'http');
  assert.ok(!request.value('forwarded')!.includes('203.0.113.9'));
  assert.notEqual(request.value('x-request-id'), 'stranger-1');
});
