import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { answerOk } from '../support/scripted-upstream.ts';

const harness = useGateway({ admin: true });
const leavings: [string, (client: RawClient) => void][] = [
  ['closes', (client) => client.destroy()],
  ['resets', (client) => client.reset()],
];

let paths = 0;
function freshPath(): string {
  return `/leave-${(paths += 1)}`;
}

async function assertAborted(path: string): Promise<void> {
  const record = await harness.gateway.record((each) => String(each.path).startsWith(path));
  assert.equal(record.outcome, 'client_abort');
}

describe('A19 a client that leaves after half its upload', () => {
  for (const [how, leave] of leavings) {
    for (const framing of ['Content-Length: 100000', 'Transfer-Encoding: chunked']) {
      test(`A19 ${how}, ${framing}: the upstream sees an incomplete message, nothing is retried`, async () => {
        const path = freshPath();
        const before = harness.upstream.connections.length;
        const index = harness.upstream.requests.length;
        const client = await RawClient.connect(harness.port);
        const half = 'x'.repeat(50_000);
        await client.send(
          `POST ${path} HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${framing.startsWith('T') ? `c350\r\n${half}\r\n` : half}`,
        );
        const request = await harness.upstream.request(index);
        await eventually(() => request.bodyLength === 50_000, 'the half upstream');
        leave(client);
        assert.equal(await request.ended(3_000), false, 'no last chunk, no full length');
        await assertAborted(path);
        assert.equal(harness.upstream.connections.length, before + 1, 'no retry');
      });
    }
  }
});

describe('A20 a client that leaves while it waits', () => {
  for (const [how, leave] of leavings) {
    test(`A20 ${how} before the response head: the upstream is aborted at once`, async () => {
      const path = freshPath();
      harness.upstream.script = () => {};
      const client = await RawClient.connect(harness.port);
      const index = harness.upstream.requests.length;
      await client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await harness.upstream.request(index);
      leave(client);
      await eventually(() => harness.upstream.open.length === 0, 'the upstream connection is closed', 3_000);
      await assertAborted(path);
      assert.equal(harness.upstream.requests.length, index + 1, 'no retry');
    });

    test(`A20 ${how} in the middle of the response: the upstream is aborted at once`, async () => {
      const path = freshPath();
      harness.upstream.script = (_request, connection) => connection.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\npart');
      const client = await RawClient.connect(harness.port);
      await client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await eventually(() => client.stream.size > 0, 'the head');
      leave(client);
      await eventually(() => harness.upstream.open.length === 0, 'the upstream connection is closed', 3_000);
      await assertAborted(path);
    });
  }

  test('A20 the slot of max_conns is free again', async () => {
    const { path, upstream } = await harness.exposed({ max_conns: 1 }, () => {});
    for (let round = 0; round < 5; round += 1) {
      const client = await RawClient.connect(harness.port);
      await client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await upstream.request(round);
      client.destroy();
      await eventually(() => upstream.open.length === 0, 'the upstream connection is closed', 3_000);
    }
    upstream.script = answerOk;
    assert.equal((await fetchRaw(harness.port, 'GET', { target: path })).status, 200);
  });
});

test('a client that leaves between two requests leaves nothing behind', async () => {
  for (let round = 0; round < 50; round += 1) {
    const client = await RawClient.connect(harness.port);
    assert.equal((await client.request('GET')).status, 200);
    if (round % 2 === 0) client.destroy();
    else client.reset();
  }
});

test('clients that connect and leave without a byte, or in the middle of a head, leave nothing behind', async () => {
  for (const bytes of ['', 'G', 'GET / HTTP/1.1\r\n', 'GET / HTTP/1.1\r\nHost: a\r\nX: ']) {
    for (const [, leave] of leavings) {
      const client = await RawClient.connect(harness.port);
      if (bytes !== '') await client.send(bytes);
      leave(client);
    }
  }
  assert.equal((await fetchRaw(harness.port, 'GET')).status, 200);
});
