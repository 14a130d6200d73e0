import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { networkSocketsOf, residentMemoryOf } from '../support/tcp-sockets.ts';

const count = process.env['APIGATE_TEST_LONG'] === '1' ? 8_000 : 1_000;
const harness = useGateway({ env: { APIGATE_MAX_CONNECTIONS: String(count + 50) } });

async function connectAll(howMany: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  for (let made = 0; made < howMany; made += 100)
    clients.push(...(await Promise.all(Array.from({ length: Math.min(100, howMany - made) }, () => RawClient.connect(harness.port)))));
  return clients;
}

async function requestOnEach(clients: readonly RawClient[]): Promise<void> {
  for (let from = 0; from < clients.length; from += 50)
    await Promise.all(clients.slice(from, from + 50).map(async (client) => assert.equal((await client.request('GET')).status, 200)));
}

describe('O02 idle keep-alive connections', () => {
  test(`O02 ${count} of them cost at most 10 KiB each`, async () => {
    // A first round, so that what grows once is not counted.
    const warm = await connectAll(count);
    await requestOnEach(warm);
    for (const client of warm) client.destroy();
    await eventually(() => networkSocketsOf(harness.gateway.pid) < 200, 'the first round is closed', 10_000);
    const before = residentMemoryOf(harness.gateway.pid);
    const clients = await connectAll(count);
    await requestOnEach(clients);
    const each = (residentMemoryOf(harness.gateway.pid) - before) / count;
    assert.ok(clients.every((client) => client.open));
    for (const client of clients) client.destroy();
    assert.ok(each <= 10 * 1024, `${Math.round(each)} bytes each`);
  });

  test('O02 beyond APIGATE_MAX_CONNECTIONS the oldest idle ones go first, and new clients are served', async () => {
    const clients = await connectAll(count);
    await requestOnEach(clients);
    const more = await connectAll(100);
    await requestOnEach(more);
    await eventually(
      () => clients.filter((client) => client.stream.ending !== undefined).length >= 45,
      () => `the oldest are closed; ${clients.filter((client) => client.stream.ending !== undefined).length} are`,
    );
    const closed = clients.map((client, index) => (client.stream.ending === undefined ? -1 : index)).filter((index) => index >= 0);
    assert.ok(closed.length <= 60, `no more than needed: ${closed.length}`);
    assert.ok(Math.max(...closed) < 160, `the oldest ones: the youngest closed is number ${Math.max(...closed)}`);
    assert.ok(more.every((client) => client.open));
    for (const client of [...clients, ...more]) client.destroy();
  });
});

test('O03 a gateway that was stopped for two seconds does not time out answers that already arrived', async () => {
  let arrived = 0;
  harness.upstream.script = async (request, connection) => {
    arrived += 1;
    await new Promise((resolve) => setTimeout(resolve, 500));
    await connection.write(`HTTP/1.1 200 OK\r\n${request.nonceEcho}Content-Length: 2\r\n\r\nok`);
  };
  const answers = Array.from({ length: 20 }, () => fetchRaw(harness.port, 'GET', { timeoutMs: 10_000 }));
  await eventually(() => arrived === 20, 'all requests upstream');
  harness.gateway.process.kill('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  harness.gateway.process.kill('SIGCONT');
  assert.deepEqual([...new Set((await Promise.all(answers)).map((response) => response.status))], [200]);
});
