import assert from 'node:assert/strict';
import type http from 'node:http';
import { suite, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { startNodeServer, type NodeServer } from '../support/node-server.ts';
import { peer, unlessPeers } from '../support/peers.ts';
import { scopedFetch } from '../support/undici-peer.ts';

const skip = unlessPeers();
const harness = useGateway({ admin: true, script: false });

interface EventSourcePackage {
  readonly EventSource: new (address: string, options: { readonly fetch: typeof fetch }) => EventSource;
}

interface EventSource extends EventTarget {
  readonly readyState: number;
  close(): void;
}

/** Puts a route that needs a key before the server; answers its address and the key. */
async function guarded(server: NodeServer): Promise<{ address: string; key: string }> {
  const { admin, url } = harness.gateway;
  const { path } = await admin.expose({ base_url: server.url }, { auth_required: true });
  const { key } = (await admin.must('POST', '/keys', { name: `reader of ${path}` })) as { key: string };
  harness.invariants.canaries.push(key);
  return { address: url + path, key };
}

function openEventSource(address: string, fetcher: typeof fetch): EventSource {
  return new (peer('eventsource') as EventSourcePackage).EventSource(address, { fetch: fetcher });
}

suite('eventsource as client', { skip }, () => {
  test('events come one by one, and after the stream was cut or ended the client goes on behind the last one', async () => {
    const requests: http.IncomingHttpHeaders[] = [];
    let acknowledge = (): void => undefined;
    await using server = await startNodeServer((request, response) => {
      requests.push(request.headers);
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      void (async () => {
        const from = Number(request.headers['last-event-id'] ?? 0);
        response.write('retry: 20\n\n: hello\n\n');
        for (let id = from + 1; id <= from + 3; id += 1) {
          // The next is not sent before the client has this one: a gateway that gathers events would stand still.
          const acknowledged = new Promise<void>((resolve) => (acknowledge = resolve));
          response.write(`event: tick\nid: ${id}\ndata: {"n":${id},\ndata: "é":"€𝄞"}\n\n`);
          await acknowledged;
        }
        if (requests.length % 2 === 0) response.end();
        else response.destroy();
      })();
    });
    const { address, key } = await guarded(server);
    await using reader = scopedFetch({ 'X-API-Key': key });
    const source = openEventSource(address, reader.fetch);
    const seen: string[] = [];
    source.addEventListener('tick', (event) => {
      const { data, lastEventId } = event as Event & { readonly data: string; readonly lastEventId: string };
      seen.push(`${lastEventId} ${data}`);
      acknowledge();
    });
    await eventually(
      () => seen.length >= 12,
      () => `twelve events; there are ${seen.join(' | ')}`,
      10_000,
    );
    source.close();
    assert.deepEqual(
      seen.slice(0, 12),
      Array.from({ length: 12 }, (_, i) => `${i + 1} {"n":${i + 1},\n"é":"€𝄞"}`),
    );
    assert.deepEqual(
      requests.slice(0, 4).map((headers) => headers['last-event-id']),
      [undefined, '3', '6', '9'],
    );
    for (const headers of requests) {
      assert.equal(headers.accept, 'text/event-stream');
      assert.equal(headers['x-api-key'], undefined);
      assert.ok(headers['x-key-id'] !== undefined);
      assert.ok(!JSON.stringify(headers).includes(key), 'the key stays here');
    }
  });

  test('a client that closes ends the stream at the server at once', async () => {
    let open = 0;
    await using server = await startNodeServer((_request, response) => {
      open += 1;
      response.once('close', () => (open -= 1));
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
    });
    const { address, key } = await guarded(server);
    await using reader = scopedFetch({ Authorization: `Bearer ${key}` });
    const source = openEventSource(address, reader.fetch);
    await new Promise((resolve) => source.addEventListener('message', resolve));
    assert.equal(open, 1);
    source.close();
    await eventually(() => open === 0, 'the end of the stream at the server', 10_000);
  });

  test('a status other than 200 stops the client, with and without the gateway', async () => {
    let count = 0;
    await using server = await startNodeServer((_request, response) => {
      count += 1;
      response.writeHead(204).end();
    });
    const { address, key } = await guarded(server);
    await using reader = scopedFetch({ 'X-API-Key': key });
    const codes: unknown[] = [];
    for (const each of [server.url, address, harness.gateway.url]) {
      const source = openEventSource(each, reader.fetch);
      const error = await new Promise<Event>((resolve) => source.addEventListener('error', resolve));
      assert.equal(source.readyState, 2, 'closed for good');
      codes.push((error as Event & { readonly code?: number }).code);
    }
    assert.deepEqual(codes, [204, 204, 404]);
    assert.equal(count, 2);
  });
});
