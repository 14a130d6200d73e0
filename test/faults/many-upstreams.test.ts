import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useGateway } from '../support/harness.ts';
import { RawClient } from '../support/raw-client.ts';
import { openFilesOf } from '../support/tcp-sockets.ts';

const count = 10_000;
const harness = useGateway({ admin: true, concurrent: true });
const skip = process.env['APIGATE_TEST_LONG'] !== '1' && 'takes half a minute: set APIGATE_TEST_LONG=1';

/** The median time of many requests in a row on one connection, in milliseconds. */
async function usualTime(target: string): Promise<number> {
  using client = await RawClient.connect(harness.port);
  const times: number[] = [];
  for (let round = 0; round < 2_000; round += 1) {
    const start = performance.now();
    assert.equal((await client.request('GET', { target })).status, 200);
    times.push(performance.now() - start);
  }
  return times.toSorted((a, b) => a - b)[times.length / 2]!;
}

test(
  `I04 ${count} upstreams with a route each: the lists have pages, no connection is made before it is needed, requests take as long as before`,
  { skip },
  async () => {
    const { gateway } = harness;
    const { url } = harness.upstream;
    await usualTime('/');
    const before = await usualTime('/');
    const files = openFilesOf(gateway.pid);
    const connections = harness.upstream.connections.length;
    for (let from = 0; from < count; from += 2_000) {
      const names = Array.from({ length: 2_000 }, (_, index) => `u${from + index}`);
      await gateway.admin.must('POST', '/apply', {
        upstreams: names.map((name) => ({ name, base_url: url, auth_type: 'bearer', auth_value: `canary-${name}` })),
        routes: names.map((name) => ({ name, path_pattern: `/many/${name}`, upstream: name, auth_required: false })),
      });
    }
    assert.ok(openFilesOf(gateway.pid) <= files + 4, 'pools are made when they are needed');
    assert.equal(harness.upstream.connections.length, connections);

    const seen = new Set<string>();
    let cursor: string | null = null;
    do {
      const page = (await gateway.admin.must(
        'GET',
        `/upstreams?limit=500${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      )) as {
        data: { name: string }[];
        total: number;
        next_cursor: string | null;
      };
      assert.ok(page.data.length <= 500 && page.total === count + 1);
      for (const { name } of page.data) seen.add(name);
      cursor = page.next_cursor;
    } while (cursor !== null);
    assert.equal(seen.size, count + 1);

    using client = await RawClient.connect(harness.port);
    for (const name of ['u0', 'u4999', 'u9999']) {
      assert.equal((await client.request('GET', { target: `/many/${name}/x` })).status, 200);
      assert.equal(harness.upstream.requests.at(-1)!.value('authorization'), `Bearer canary-${name}`);
    }
    const after = Math.min(await usualTime('/many/u1234'), await usualTime('/many/u1234'));
    // A tenth is promised; the rest is what a shared machine takes.
    assert.ok(after < before * 1.5 + 0.1, `${after.toFixed(3)} ms where it was ${before.toFixed(3)} ms`);
  },
);
