import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deadlineIn } from '../support/byte-stream.ts';
import { eventually } from '../support/eventually.ts';
import { type Exposed, useGateway } from '../support/harness.ts';
import { BrokenMessage, fetchRaw, RawClient } from '../support/raw-client.ts';
import { type Script, startScriptedUpstream, type UpstreamConnection } from '../support/scripted-upstream.ts';
import { startGateway } from '../support/start-gateway.ts';
import { echo, frame, openTunnel } from '../support/websocket.ts';

const harness = useGateway({ admin: true, script: false });
const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

/** Upgrades where it is asked to; else opens a stream of events that the test goes on with. */
const streaming: Script = async (request, connection) => {
  if (request.values('upgrade').length > 0) await echo(request, connection);
  else await connection.write(head);
};

function event(text: string): string {
  const bytes = `data: ${text}\n\n`;
  return `${bytes.length.toString(16)}\r\n${bytes}\r\n`;
}

async function openEvents(port: number, path: string): Promise<RawClient> {
  const client = await RawClient.connect(port);
  await client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n`);
  await client.stream.line(deadlineIn(3_000), 'the head of the stream');
  return client;
}

async function exposeBoth(fields: object = {}): Promise<Exposed> {
  const both = await harness.exposed({ ...fields }, streaming);
  await harness.gateway.admin.must('PUT', `/routes/${both.routeId}`, { protocol: 'websocket' });
  return both;
}

test('streams of events and WebSockets stay open over every change of their route, upstream, credential and key', async () => {
  const { admin } = harness.gateway;
  const both = await exposeBoth({ auth_type: 'bearer', auth_value: 'canary-first' });
  const key = await admin.must('POST', '/keys', { name: 'streaming' });
  await admin.must('PUT', `/routes/${both.routeId}`, { auth_required: true, api_key_query: true });
  const path = `${both.path}?api_key=${String(key['key'])}`;
  using socket = await openTunnel(harness.port, '', path);
  using events = await openEvents(harness.port, path);
  const upstream = both.upstream.open.find((each) => each.requests[0]!.values('upgrade').length === 0)!;
  const elsewhere = await harness.scripted(streaming);
  const changes: [string, string, unknown?][] = [
    ['PUT', `/upstreams/${both.upstreamId}`, { auth_value: 'canary-second' }],
    ['PUT', `/upstreams/${both.upstreamId}`, { timeout_ms: 50 }],
    ['PUT', `/upstreams/${both.upstreamId}`, { base_url: elsewhere.url, auth_value: 'canary-third' }],
    ['PUT', `/routes/${both.routeId}`, { protocol: 'http', methods: ['POST'], path_pattern: '/elsewhere' }],
    ['POST', `/keys/${String(key['id'])}/revoke`],
    ['PUT', `/upstreams/${both.upstreamId}`, { enabled: false }],
    ['DELETE', `/upstreams/${both.upstreamId}?cascade=true`],
  ];
  for (const [index, [method, target, body]] of changes.entries()) {
    await admin.must(method, target, body);
    const sent = frame(`after change ${index}`, true);
    await socket.send(sent);
    assert.ok(sent.equals(await socket.stream.exactly(sent.length, deadlineIn(3_000), `the echo after change ${index}`)));
    await upstream.write(event(`after change ${index}`));
    await eventually(() => events.stream.peek().includes(`data: after change ${index}\n\n`), `the event after change ${index}`);
  }
  await upstream.write('0\r\n\r\n');
  await eventually(() => events.stream.peek().subarray(-5).toString() === '0\r\n\r\n', 'the proper end of the stream');
});

test('a stream of events may be silent for longer than timeout_ms, as may a WebSocket; a plain response may not', async () => {
  const both = await exposeBoth({ timeout_ms: 150 });
  using socket = await openTunnel(harness.port, '', both.path);
  using events = await openEvents(harness.port, both.path);
  const plain = await harness.exposed({ timeout_ms: 150 }, (_request, connection) =>
    connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
  );
  await assert.rejects(fetchRaw(harness.port, 'GET', { target: plain.path }), BrokenMessage);
  // On a route of protocol sse the operator has said that it is a stream, whatever the upstream calls it.
  await harness.gateway.admin.must('PUT', `/routes/${plain.routeId}`, { protocol: 'sse' });
  using named = await openEvents(harness.port, plain.path);
  await new Promise((resolve) => setTimeout(resolve, 500));
  for (const client of [socket, events, named]) assert.equal(client.stream.ending, undefined);
});

for (const how of ['destroy', 'reset'] as const) {
  test(`a client that leaves its stream of events (${how}) ends it at the upstream at once`, async () => {
    const both = await exposeBoth();
    const events = await openEvents(harness.port, both.path);
    const upstream = both.upstream.open[0]!;
    events[how]();
    await eventually(() => !upstream.isOpen, 'the upstream is told', 1_000);
    await eventually(() => harness.gateway.records.at(-1)?.outcome === 'client_abort', 'its record');
  });
}

for (const how of ['end', 'reset'] as const) {
  test(`an upstream that breaks a stream of events off (${how}) makes the client see a broken message`, async () => {
    const both = await exposeBoth();
    using client = await RawClient.connect(harness.port);
    await client.send(`GET ${both.path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await eventually(() => client.stream.size > 0, 'the head');
    const upstream = both.upstream.open[0]!;
    await upstream.write(event('last'));
    await eventually(() => client.stream.peek().includes('data: last\n\n'), 'the last event');
    upstream[how]();
    await assert.rejects(client.response(), BrokenMessage);
  });
}

describe('shutdown', () => {
  /** A stream on a gateway that is told to stop. */
  async function stopping(drain: string, body: (client: RawClient, upstream: UpstreamConnection) => Promise<void>): Promise<number> {
    const upstream = await startScriptedUpstream(streaming);
    const gateway = await startGateway({ upstream: upstream.url, env: { APIGATE_DRAIN_TIMEOUT: drain } });
    try {
      using client = await openEvents(gateway.port, '/events');
      const began = performance.now();
      gateway.process.kill('SIGTERM');
      await body(client, upstream.open[0]!);
      await eventually(() => gateway.exit !== undefined, 'the exit', 5_000);
      assert.equal(gateway.exit, 0);
      return performance.now() - began;
    } finally {
      gateway.process.kill('SIGKILL');
      await gateway.stop();
      await upstream.close();
    }
  }

  test('a stream that ends within the drain deadline ends properly', async () => {
    const took = await stopping('20s', async (client, upstream) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await upstream.write(`${event('last')}0\r\n\r\n`);
      const { rest } = await client.ended();
      assert.ok(rest.toString().endsWith('data: last\n\n\r\n0\r\n\r\n'), rest.toString());
    });
    assert.ok(took < 15_000, 'nothing is waited for any more');
  });

  test('a stream that goes on gets until the drain deadline, and is then cut without a proper end', async () => {
    const took = await stopping('800ms', async (client, upstream) => {
      let events = 0;
      while (client.stream.ending === undefined) {
        await upstream.write(event(String(++events)));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const text = client.stream.takeAll().toString();
      assert.ok(events >= 5 && text.includes('data: 5\n\n'), `${events} events`);
      // Behind the head, whose last field may end in any digit.
      assert.ok(!text.slice(text.indexOf('\r\n\r\n') + 4).includes('0\r\n\r\n'), 'no last chunk');
    });
    assert.ok(took > 700, `${took} ms`);
  });
});
