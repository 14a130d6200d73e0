import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useGateway } from '../support/harness.ts';
import { RawClient } from '../support/raw-client.ts';
import { answerOk } from '../support/scripted-upstream.ts';

const harness = useGateway();

test('a client that lists Expect in Connection still gets the 100 that it waits for', async () => {
  harness.upstream.script = async (request, connection) => {
    assert.equal(request.value('expect'), '100-continue');
    await connection.write('HTTP/1.1 100 Continue\r\n\r\n');
    await request.complete;
    await answerOk(request, connection);
  };
  using client = await RawClient.connect(harness.port);
  await client.send('POST / HTTP/1.1\r\nHost: a.example\r\nConnection: expect\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
  assert.match(await client.stream.line(performance.now() + 3_000, 'the interim answer'), /^HTTP\/1\.1 100 /);
  await client.send('hello');
  assert.equal(await client.stream.line(performance.now() + 3_000, 'the end of the interim answer'), '');
  assert.equal((await client.response()).body.toString(), 'POST / 5');
});
