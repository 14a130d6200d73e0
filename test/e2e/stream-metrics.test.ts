import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdminSession } from '../support/admin-session.ts';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { shownRequest } from '../support/watched-gateway.ts';

const harness = useGateway({ admin: true, script: false });

test('a stream is counted while it is under way: by its type on any route, by the protocol of its route else', async () => {
  const session = await AdminSession.signIn(harness.gateway);
  const read = async (): Promise<number[]> => {
    const answer = await fetchRaw(harness.port, 'GET', { target: '/metrics', fields: [['Cookie', session.cookie]] });
    const text = answer.body.toString();
    return ['apigate_streams', 'apigate_stream_sent_bytes_total', 'apigate_sse_events_total'].map((name) => {
      const line = text.split('\n').find((each) => each.startsWith(`${name} `));
      assert.ok(line !== undefined, name);
      return Number(line.slice(name.length + 1));
    });
  };
  const body = 'data: 1\n\ndata: 2\n\n';
  for (const [protocol, type, opened, bytes, events] of [
    ['http', 'text/plain', 0, 0, 0],
    ['http', 'text/event-stream', 1, body.length, 2],
    ['websocket', 'text/event-stream;charset=utf-8', 1, body.length, 2],
    ['http_stream', 'application/octet-stream', 1, body.length, 0],
    ['sse', 'application/x-ndjson', 1, body.length, 0],
    ['sse', 'text/event-stream', 1, body.length, 2],
  ] as const) {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const place = await harness.exposed({}, async (request, connection) => {
      await connection.write(
        `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n${request.nonceEcho}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n`,
      );
      await gate;
      await connection.write('0\r\n\r\n');
    });
    await session.must('PUT', `/routes/${place.routeId}`, { protocol });
    const before = await read();
    using client = await RawClient.connect(harness.port);
    const answer = client.request('GET', { target: place.path, timeoutMs: 20_000 });
    await eventually(() => client.stream.ending === undefined && place.upstream.requests.length === 1, 'the request');
    const expected = [before[0]! + opened, before[1]! + bytes, before[2]! + events];
    const what = `${type} on ${protocol}`;
    await eventually(
      async () => JSON.stringify(await read()) === JSON.stringify(expected),
      () => `${what} is counted: ${expected.join()}`,
    );
    release();
    const response = await answer;
    const record = await harness.gateway.record((each) => each.request_id === response.value('x-request-id'));
    assert.equal(record['bytes_out'], body.length);
    const shown = await shownRequest(session, record.request_id);
    assert.deepEqual([shown['events'], shown['frames_in']], [type.startsWith('text/event-stream') ? 2 : null, null], what);
    assert.deepEqual(await read(), [before[0]!, expected[1]!, expected[2]!], `${what} has ended`);
  }
});
