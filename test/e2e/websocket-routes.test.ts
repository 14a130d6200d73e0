import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { AdminSession } from '../support/admin-session.ts';
import { deadlineIn } from '../support/byte-stream.ts';
import { eventually } from '../support/eventually.ts';
import { type Exposed, useGateway } from '../support/harness.ts';
import { fetchRaw, RawClient, type RawResponse } from '../support/raw-client.ts';
import { runApigate } from '../support/run-apigate.ts';
import { answerOk } from '../support/scripted-upstream.ts';
import { echo, echoFrames, frame, handshake, handshakeKey, openTunnel, switching } from '../support/websocket.ts';

const harness = useGateway({ admin: true, script: false, concurrent: true, prepare });

let session: AdminSession;
/** A route of protocol websocket that needs a key, which may come in the query. */
let chat: Exposed;
let id = '';
let key = '';

async function prepare(): Promise<void> {
  session = await AdminSession.signIn(harness.gateway);
  chat = await harness.exposed({ auth_type: 'bearer', auth_value: 'canary-credential' }, echoFrames);
  await session.must('PUT', `/routes/${chat.routeId}`, { auth_required: true, api_key_query: true, protocol: 'websocket' });
  const made = await session.must('POST', '/keys', { name: 'browser' });
  [id, key] = [String(made['id']), String(made['key'])];
  harness.invariants.canaries.push(key, 'canary-credential');
}

async function upgrade(target: string, fields = ''): Promise<RawResponse> {
  using client = await RawClient.connect(harness.port);
  await client.send(handshake(fields, target));
  return await client.response();
}

/** Value of a sample in /metrics. */
async function metric(sample: string): Promise<number> {
  const response = await fetch(`${harness.gateway.url}/metrics`, { headers: { Cookie: session.cookie } });
  const text = await response.text();
  const line = text.split('\n').find((each) => each.startsWith(`${sample} `));
  assert.ok(line !== undefined, `${sample} in\n${text}`);
  return Number(line.slice(sample.length + 1));
}

test('header and path steps apply to an upgrade; its method and frames stay as they are', { timeout: 30_000 }, async () => {
  const place = await harness.exposed({}, echoFrames);
  await session.must('PUT', `/routes/${place.routeId}`, {
    protocol: 'websocket',
    path_rewrite: '/inner/$1',
    path_pattern: `${place.path}/*`,
    method_override: 'POST',
    request_transform: { headers: { set: { 'X-Stage': 'live' } } },
    response_transform: { headers: { set: { 'X-Seen': 'yes' } } },
  });
  // The 101 is this upgrade's response.
  const switched = await upgrade(`${place.path}/room`);
  assert.deepEqual([switched.status, switched.value('x-seen'), switched.value('sec-websocket-protocol')], [101, 'yes', undefined]);
  const socket = new WebSocket(`ws://127.0.0.1:${harness.port}${place.path}/room`);
  await once(socket, 'open');
  socket.send('hello');
  const [event] = (await once(socket, 'message')) as [MessageEvent];
  assert.equal(event.data, 'hello');
  const request = place.upstream.requests.at(-1)!;
  assert.deepEqual([request.method, request.target, request.value('x-stage')], ['GET', '/inner/room', 'live']);
  socket.close(1000);
  await once(socket, 'close');
});

test('what a transformation cannot make of a 101 is 500, and nothing of the 101 gets through', async () => {
  const place = await harness.exposed({}, echo);
  await session.must('PUT', `/routes/${place.routeId}`, {
    protocol: 'websocket',
    response_transform: { headers: { set: { 'X-Asked': '${query.a}' } } },
  });
  const refused = await upgrade(`${place.path}?a=%0d%0aSet-Cookie:x`);
  assert.deepEqual([refused.status, refused.json()['code']], [500, 'transform_error']);
  assert.deepEqual(refused.values('upgrade'), []);
  assert.equal((await upgrade(`${place.path}?a=1`)).value('x-asked'), '1');
});

test("a browser's WebSocket opens with its key in the query, talks, and closes in order", { timeout: 30_000 }, async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${harness.port}${chat.path}/room?a=1&api_key=${key}`);
  await once(socket, 'open');
  for (const text of ['hello', 'x'.repeat(70_000)]) {
    socket.send(text);
    const [event] = (await once(socket, 'message')) as [MessageEvent];
    assert.equal(event.data, text);
  }
  const request = chat.upstream.requests.at(-1)!;
  assert.equal(request.target, `${chat.path}/room?a=1`);
  assert.equal(request.value('x-key-id'), id);
  assert.equal(request.value('authorization'), 'Bearer canary-credential');
  // The upstream echoes the close frame too.
  socket.close(1000);
  const [closed] = (await once(socket, 'close')) as [CloseEvent];
  assert.deepEqual([closed.code, closed.wasClean], [1000, true]);
});

describe('before anything goes upstream', () => {
  async function refusedAtHome(target: string, fields = ''): Promise<string> {
    const before = chat.upstream.connections.length;
    const response = await upgrade(target, fields);
    assert.equal(chat.upstream.connections.length, before, 'no connection for it');
    return `${response.status} ${String(response.json()['code'])}`;
  }

  test('a client must have a key', async () => {
    assert.equal(await refusedAtHome(chat.path), '401 missing_api_key');
    assert.equal(await refusedAtHome(chat.path, `X-API-Key: ak_${'0'.repeat(64)}\r\n`), '401 invalid_api_key');
  });

  test('a client is held to its rate limit', async () => {
    const limited = String((await session.must('POST', '/keys', { name: 'limited', rate_limit_per_minute: 1 }))['key']);
    using client = await openTunnel(harness.port, `X-API-Key: ${limited}\r\n`, chat.path);
    assert.equal(await refusedAtHome(chat.path, `X-API-Key: ${limited}\r\n`), '429 rate_limit_exceeded');
    client.destroy();
  });

  test('an upgrade request with a body is refused', async () => {
    assert.equal(await refusedAtHome(chat.path, `X-API-Key: ${key}\r\nContent-Length: 1\r\n`), '400 request_malformed');
    assert.equal(await refusedAtHome(chat.path, `X-API-Key: ${key}\r\nTransfer-Encoding: chunked\r\n`), '400 request_malformed');
  });
});

for (const protocol of ['http', 'http_stream', 'sse'] as const) {
  test(`an upgrade on a route of protocol ${protocol} is 400 upgrade_not_allowed, and its connection ends`, async () => {
    const plain = await harness.exposed({}, echo);
    await session.must('PUT', `/routes/${plain.routeId}`, { protocol });
    using client = await RawClient.connect(harness.port);
    await client.send(`${handshake('', plain.path)}GET ${plain.path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const response = await client.response();
    assert.deepEqual([response.status, response.json()['code']], [400, 'upgrade_not_allowed']);
    assert.equal(plain.upstream.requests.length, 0);
    assert.equal((await fetchRaw(harness.port, 'GET', { target: plain.path })).status, 200);
  });
}

test('a route of protocol websocket serves plain HTTP like any other', async () => {
  const response = await fetchRaw(harness.port, 'POST', { target: chat.path, body: 'x', fields: [['X-API-Key', key]] });
  assert.equal(response.body.toString(), `POST ${chat.path} 1`);
});

test('the protocol of a route may change: new upgrades are refused, open ones stay', async () => {
  const changing = await harness.exposed({}, echo);
  await session.must('PUT', `/routes/${changing.routeId}`, { protocol: 'websocket' });
  using client = await openTunnel(harness.port, '', changing.path);
  await session.must('PUT', `/routes/${changing.routeId}`, { protocol: 'http' });
  assert.equal((await upgrade(changing.path)).status, 400);
  const sent = frame('still here', true);
  await client.send(sent);
  assert.ok(sent.equals(await client.stream.exactly(sent.length, deadlineIn(3_000), 'the echo')));
});

test('a connection that has seen an upgrade request serves no other, whatever the upstream answered, and is used by none before', async () => {
  const reluctant = await harness.exposed({}, answerOk);
  await session.must('PUT', `/routes/${reluctant.routeId}`, { protocol: 'websocket' });
  const get = async (): Promise<void> => assert.equal((await fetchRaw(harness.port, 'GET', { target: reluctant.path })).status, 200);
  await get();
  assert.equal((await upgrade(reluctant.path)).status, 200);
  await get();
  await get();
  const uses = reluctant.upstream.connections.map(({ requests }) => requests.map((request) => request.values('upgrade').length));
  assert.deepEqual(uses, [[0, 0, 0], [1]]);
});

test('frames and bytes are counted both ways, while the tunnel stands and in its log line', async () => {
  const names = {
    open: 'apigate_websocket_tunnels',
    framesIn: 'apigate_websocket_frames_total{direction="received"}',
    framesOut: 'apigate_websocket_frames_total{direction="sent"}',
    bytesIn: 'apigate_websocket_bytes_total{direction="received"}',
    bytesOut: 'apigate_websocket_bytes_total{direction="sent"}',
  };
  const read = async (): Promise<Record<string, number>> =>
    Object.fromEntries(await Promise.all(Object.entries(names).map(async ([name, sample]) => [name, await metric(sample)] as const)));
  await eventually(async () => (await metric(names.open)) === 0, 'the tunnels of other tests have ended');
  const before = await read();
  const talkative = await harness.exposed({}, async (_request, connection) => {
    await connection.write(`${switching}\r\n`);
    // Three frames in two pieces, cut within a header.
    const frames = Buffer.concat([frame('one', false), frame('y'.repeat(300), false), frame('three', false)]);
    await connection.write(frames.subarray(0, 6));
    await new Promise((resolve) => setTimeout(resolve, 30));
    await connection.write(frames.subarray(6));
    await connection.closed;
  });
  await session.must('PUT', `/routes/${talkative.routeId}`, { protocol: 'websocket' });
  using client = await RawClient.connect(harness.port);
  await client.send(handshake('', talkative.path));
  const response = await client.response();
  await client.stream.exactly(5 + 304 + 7, deadlineIn(3_000), 'all frames');
  await client.send(Buffer.concat([frame('a', true), frame('b'.repeat(200), true)]));
  await eventually(async () => (await metric(names.bytesIn)) === before['bytesIn']! + 7 + 208, 'the bytes of the client');
  const during = await read();
  assert.deepEqual(
    Object.keys(names).map((name) => during[name]! - before[name]!),
    [1, 2, 3, 7 + 208, 5 + 304 + 7],
  );
  client.destroy();
  const record = await harness.gateway.record((each) => each.request_id === response.value('x-request-id'));
  assert.deepEqual([record['frames_in'], record['frames_out']], [2, 3]);
  assert.deepEqual([record['bytes_in'], record['bytes_out']], [215, 316]);
  const shown = await runApigate(['requests', 'show', record.request_id], { cwd: harness.gateway.directory });
  assert.match(shown.stdout, /^frames_in +2\nframes_out +3$/m, 'and `requests show` tells of them');
  await eventually(async () => (await metric(names.open)) === 0, 'the gauge is back');
  const plain = await fetchRaw(harness.port, 'GET', { target: chat.path });
  const other = await harness.gateway.record((each) => each.request_id === plain.value('x-request-id'));
  assert.ok(!('frames_in' in other) && !('events' in other));
});

test('without Sec-WebSocket-Key, or with another method than GET, it is no upgrade but a plain request', async () => {
  const plain = `Connection: Upgrade\r\nUpgrade: websocket\r\nX-API-Key: ${key}\r\n`;
  for (const [method, fields] of [
    ['GET', plain],
    ['POST', `${plain}Sec-WebSocket-Key: ${handshakeKey}\r\n`],
  ] as const) {
    using client = await RawClient.connect(harness.port);
    await client.send(`${method} ${chat.path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
    assert.equal((await client.response()).status, 200);
    assert.deepEqual(chat.upstream.requests.at(-1)!.values('upgrade'), []);
  }
});
