import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { BrokenMessage, fetchRaw, RawClient } from '../support/raw-client.ts';
import { answerOk, type Script } from '../support/scripted-upstream.ts';
import { startUnacceptingListener } from '../support/unaccepting-listener.ts';

const harness = useGateway({ admin: true, concurrent: true });

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function answerAfter(ms: number): Script {
  return async (request, connection) => {
    await request.complete;
    await pause(ms);
    await connection.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate');
  };
}

/** Not before its time, and soon after. The wheel itself is exact to a tick (timer-wheel.test.ts); here a busy machine has its say. */
function assertDue(took: number, due: number): void {
  assert.ok(took >= due - 100 && took <= due + 1_500, `due after ${due} ms, came after ${Math.round(took)} ms`);
}

describe('timeout_ms', { concurrency: true }, () => {
  test('F01 a head 300 ms before timeout_ms is 200', async () => {
    const { path } = await harness.exposed({ timeout_ms: 1_200 }, answerAfter(900));
    // The upstream's own timer is late where the machine is busy: once in three it has to be in time.
    for (let round = 0; round < 3; round += 1) {
      if ((await fetchRaw(harness.port, 'GET', { target: path })).status === 200) return;
    }
    assert.fail('cut before its time, three times');
  });

  for (const timeout of [500, 1_000, 2_500]) {
    test(`F01 B03 no head: 504 upstream_timeout within 250 ms of timeout_ms ${timeout}, and the upstream socket is destroyed`, async () => {
      const { path, upstream } = await harness.exposed({ timeout_ms: timeout }, answerAfter(timeout + 600));
      const start = performance.now();
      const response = await fetchRaw(harness.port, 'GET', { target: path });
      assertDue(performance.now() - start, timeout);
      assert.equal(response.status, 504);
      assert.equal(response.json()['code'], 'upstream_timeout');
      await eventually(() => upstream.open.length === 0, 'the upstream socket is destroyed');
      assert.equal(upstream.requests.length, 1, 'a timeout is not retried');
      const record = await harness.gateway.record((each) => each.request_id === response.value('x-request-id'));
      assert.equal(record.outcome, 'upstream_timeout');
      assert.match(JSON.stringify(record), /deadline exceeded|timeout/i);
    });
  }

  test('B03 the time counts from when the request was fully sent', async () => {
    const { path } = await harness.exposed({ timeout_ms: 800 }, () => {});
    using client = await RawClient.connect(harness.port);
    await client.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n${'x'.repeat(2_000)}`);
    await pause(1_500);
    assert.ok(client.open, 'while the client still sends, timeout_ms does not run');
    await client.send('x'.repeat(2_000));
    const start = performance.now();
    assert.equal((await client.response()).status, 504);
    assertDue(performance.now() - start, 800);
  });

  test('B03 on a reused connection timeout_ms holds as well', async () => {
    const { path, upstream } = await harness.exposed({ timeout_ms: 600 }, answerOk);
    assert.equal((await fetchRaw(harness.port, 'GET', { target: path })).status, 200);
    upstream.script = () => {};
    const start = performance.now();
    const response = await fetchRaw(harness.port, 'GET', { target: path });
    assertDue(performance.now() - start, 600);
    assert.equal(response.status, 504);
    assert.equal(upstream.connections.length, 1);
  });

  test('B03 an upstream that stops taking the request is 504', async () => {
    const { path } = await harness.exposed({ timeout_ms: 1_000 }, () => {}, {
      onConnection: (connection) => void connection.socket.pause(),
      deaf: true,
    });
    using client = await RawClient.connect(harness.port);
    const size = 64 * 1024 * 1024;
    void client.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    const sending = client.send(Buffer.alloc(size)).catch(() => {});
    const response = await client.response({ timeoutMs: 4_000 });
    assert.equal(response.status, 504);
    client.destroy();
    await sending;
  });

  test('B04 half a status line and then nothing is 504', async () => {
    const { path, upstream } = await harness.exposed({ timeout_ms: 700 }, (_request, connection) => connection.write('HTTP/1.1 20'));
    const start = performance.now();
    const response = await fetchRaw(harness.port, 'GET', { target: path });
    assertDue(performance.now() - start, 700);
    assert.equal(response.status, 504);
    await eventually(() => upstream.open.length === 0, 'the upstream socket is destroyed', 1_000);
  });

  test('B04 a head that dribbles in for longer than timeout_ms is 504: the head is one step', async () => {
    const { path } = await harness.exposed({ timeout_ms: 900 }, async (_request, connection) => {
      for (const letter of 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n') {
        await connection.write(letter);
        await pause(150);
      }
    });
    const start = performance.now();
    const response = await fetchRaw(harness.port, 'GET', { target: path, timeoutMs: 8_000 });
    assert.equal(response.status, 504);
    assertDue(performance.now() - start, 900);
  });

  test('B10 endless 1xx do not hold a request for ever: each is progress, silence after them is not', async () => {
    const { path } = await harness.exposed({ timeout_ms: 700 }, (_request, connection) =>
      connection.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'),
    );
    const response = await fetchRaw(harness.port, 'GET', { target: path });
    assert.equal(response.status, 504);
  });

  test('F02 a body that trickles for more than twice timeout_ms is not cut', async () => {
    const { path } = await harness.exposed({ timeout_ms: 1_500 }, async (_request, connection) => {
      await connection.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
      for (const letter of 'hello') {
        await pause(650);
        await connection.write(letter);
      }
    });
    assert.equal((await fetchRaw(harness.port, 'GET', { target: path })).body.toString(), 'hello');
  });

  for (const framing of ['Content-Length: 10\r\n\r\nhello', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', '\r\nhello']) {
    test(`F03 a body that stalls (${framing.split('\r\n')[0] || 'to the close'}) is cut with an abort, not a clean end`, async () => {
      const { path, upstream } = await harness.exposed({ timeout_ms: 700 }, (_request, connection) =>
        connection.write(`HTTP/1.1 200 OK\r\n${framing}`),
      );
      using client = await RawClient.connect(harness.port);
      const start = performance.now();
      await client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await assert.rejects(client.response(), (error) => error instanceof BrokenMessage && error.response.body.toString() === 'hello');
      assertDue(performance.now() - start, 700);
      await eventually(() => upstream.open.length === 0, 'the upstream socket is destroyed', 1_000);
      const record = await harness.gateway.record((each) => String(each.path).startsWith(path));
      assert.equal(record.outcome, 'upstream_timeout');
    });
  }

  test('F05 a timeout changed during a request: that one keeps the old, the next uses the new', async () => {
    const { path, upstreamId, upstream } = await harness.exposed({ timeout_ms: 30_000 }, answerAfter(3_000));
    const inFlight = fetchRaw(harness.port, 'GET', { target: path });
    await upstream.request(0);
    await harness.gateway.admin.must('PUT', `/upstreams/${upstreamId}`, { timeout_ms: 600 });
    const start = performance.now();
    assert.equal((await fetchRaw(harness.port, 'GET', { target: path })).status, 504);
    assertDue(performance.now() - start, 600);
    assert.equal((await inFlight).status, 200);
  });

  test('B02 a connect that is never answered is 504 upstream_connect_timeout at timeout_ms when that is shorter', async (context) => {
    const listener = await startUnacceptingListener();
    if (listener === undefined) return context.skip('the kernel accepts more than the backlog here');
    try {
      const { path } = await harness.gateway.admin.expose({ base_url: `http://127.0.0.1:${listener.port}`, timeout_ms: 1_000 });
      const start = performance.now();
      const [response, healthy] = await Promise.all([
        fetchRaw(harness.port, 'GET', { target: path }),
        fetchRaw(harness.port, 'GET', { target: '/healthy' }),
      ]);
      assertDue(performance.now() - start, 1_000);
      assert.equal(response.status, 504);
      assert.equal(response.json()['code'], 'upstream_connect_timeout');
      assert.equal(healthy.status, 200, 'other upstreams are not affected');
    } finally {
      await listener.stop();
    }
  });

  test('B02 a connect that is never answered is 504 after 5 s at most', async (context) => {
    const listener = await startUnacceptingListener();
    if (listener === undefined) return context.skip('the kernel accepts more than the backlog here');
    try {
      const { path } = await harness.gateway.admin.expose({ base_url: `http://127.0.0.1:${listener.port}` });
      const start = performance.now();
      const response = await fetchRaw(harness.port, 'GET', { target: path, timeoutMs: 8_000 });
      assertDue(performance.now() - start, 5_000);
      assert.equal(response.status, 504);
      assert.equal(response.json()['code'], 'upstream_connect_timeout');
      assert.equal(
        (await harness.gateway.record((each) => each.request_id === response.value('x-request-id'))).outcome,
        'upstream_connect',
      );
    } finally {
      await listener.stop();
    }
  });
});

describe('F04 timeout_ms as input', () => {
  for (const [index, value] of [0, -1, 2 ** 31, 1e9, 86_400_001, 1.5, '30s', '30000', true, [], {}].entries()) {
    test(`F04 ${JSON.stringify(value)} is 422 with the field's name`, async () => {
      const answer = await harness.gateway.admin.call('POST', '/upstreams', {
        name: `f04-${index}`,
        base_url: 'http://127.0.0.1:1',
        timeout_ms: value,
      });
      assert.equal(answer.status, 422, JSON.stringify(answer.body));
      assert.ok((answer.body['errors'] as { field: string }[]).some(({ field }) => field === 'timeout_ms'));
    });
  }
  test('F04 1 and 86,400,000 are the ends of the range, and the largest is not 1 ms', async () => {
    const { path, upstreamId } = await harness.exposed({ timeout_ms: 86_400_000 }, answerAfter(300));
    assert.equal((await fetchRaw(harness.port, 'GET', { target: path })).status, 200);
    await harness.gateway.admin.must('PUT', `/upstreams/${upstreamId}`, { timeout_ms: 1 });
    assert.equal((await fetchRaw(harness.port, 'GET', { target: path })).status, 504);
  });
});
