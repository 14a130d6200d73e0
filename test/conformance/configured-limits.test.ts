import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useGateway } from '../support/harness.ts';
import { assertRefused, passes, refuses } from '../support/request-cases.ts';
import { RawClient } from '../support/raw-client.ts';
import { answerOk, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { startGateway } from '../support/start-gateway.ts';

const harness = useGateway({ env: { APIGATE_MAX_HEAD: '90000', APIGATE_MAX_HEADERS: '300', APIGATE_MAX_TARGET: '70000' } });
const start = 'GET /f HTTP/1.1\r\nHost: a.test\r\n';

function headOf(bytes: number): string {
  return `${start}X: ${'y'.repeat(bytes - start.length - 7)}\r\n\r\n`;
}

passes(
  harness,
  'A09 APIGATE_MAX_HEAD raised beyond 64 KiB: a head of exactly that passes',
  () => headOf(90_000),
  (request) => assert.equal(request.value('x')?.length, 90_000 - start.length - 7),
);
refuses(harness, 'A09 and one byte more is 431', () => headOf(90_001), { status: 431, code: 'headers_too_large' });
passes(harness, 'A09 APIGATE_MAX_HEADERS raised: 300 fields pass', () => `${start}${'X: y\r\n'.repeat(299)}\r\n`);
refuses(harness, 'A09 and 301 are 431', () => `${start}${'X: y\r\n'.repeat(300)}\r\n`, { status: 431, code: 'headers_too_large' });
passes(
  harness,
  'A09 APIGATE_MAX_TARGET raised: a target of 70,000 bytes passes',
  () => `GET /${'a'.repeat(69_999)} HTTP/1.1\r\nHost: a\r\n\r\n`,
);
refuses(harness, 'A09 and one byte more is 414', () => `GET /${'a'.repeat(70_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, {
  status: 414,
  code: 'target_too_long',
});

test('a large head that arrives in pieces is the same head', async () => {
  using client = await RawClient.connect(harness.port);
  const bytes = headOf(89_000);
  await client.sendPieces(bytes.match(/[^]{1,5000}/g) ?? []);
  assert.equal((await client.response()).status, 200);
});

test('two large pipelined heads are two requests', async () => {
  using client = await RawClient.connect(harness.port);
  await client.send(headOf(60_000) + headOf(60_000) + headOf(200));
  for (let round = 0; round < 3; round += 1) assert.equal((await client.response()).status, 200);
});

test('a refusal after a large head closes cleanly', async () => {
  await assertRefused(harness, headOf(200_000), { status: 431 });
});

test('on an IPv6 listener an IPv4 client has its IPv4 address, and an IPv6 client is quoted in Forwarded', async (context) => {
  const upstream = await startScriptedUpstream(answerOk);
  const gateway = await startGateway({ upstream: upstream.url, flags: ['--host', '::'] }).catch(() => undefined);
  if (gateway === undefined) {
    await upstream.close();
    return context.skip('no IPv6 here');
  }
  try {
    using four = await RawClient.connect(gateway.port);
    assert.equal((await four.request('GET')).status, 200);
    assert.equal(upstream.requests[0]!.value('x-forwarded-for'), '127.0.0.1');
    assert.match(upstream.requests[0]!.value('forwarded')!, /for="?127\.0\.0\.1"?/);
    using six = await RawClient.connect(gateway.port, { host: '::1' });
    assert.equal((await six.request('GET')).status, 200);
    assert.equal(upstream.requests[1]!.value('x-forwarded-for'), '::1');
    assert.match(upstream.requests[1]!.value('forwarded')!, /for="\[::1\]"/);
  } finally {
    await gateway.stop();
    await upstream.close();
  }
});
