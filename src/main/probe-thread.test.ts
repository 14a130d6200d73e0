import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { ProbeMessage } from '../gateway/probe/probe-worker.ts';
import { ProbeThread } from './probe-thread.ts';

const server = createServer((_request, response) => response.end('hello'));
before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
after(() => server.close());

function messageFor(baseUrl: string, waitMs = 5_000): Omit<ProbeMessage, 'id'> {
  return {
    options: { dnsServers: [], ownListeners: [], viaToken: 'apigate-test', version: '1' },
    config: {
      id: 'up_0000000000000001',
      name: 'a',
      base_url: baseUrl,
      timeout_ms: 30_000,
      max_idle_conns: 1,
      idle_conn_timeout_ms: 1,
      max_conns: 0,
      auth_type: 'none',
      auth_header: null,
      credential: { kind: 'none' },
      preserve_host: false,
      tls_ca: null,
      tls_server_name: null,
      health_check_path: null,
      health_check_interval_ms: 10_000,
      health_check_timeout_ms: 5_000,
      health_check_status: '200-399',
      enabled: true,
    },
    request: { method: 'GET', path: '', waitMs },
  };
}

const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

test('tests run in the thread, several at once, each with its own result', async () => {
  const thread = new ProbeThread();
  try {
    const [good, refused, again] = await Promise.all([
      thread.probe(messageFor(url())),
      thread.probe(messageFor('http://127.0.0.1:1')),
      thread.probe(messageFor(url())),
    ]);
    assert.deepEqual([good.answer?.body_start, refused.problem?.kind, again.answers], ['hello', 'connection_refused', true]);
  } finally {
    await thread.close();
  }
});

test('a defect in one test is told to its caller, and the thread goes on', async () => {
  const thread = new ProbeThread();
  try {
    await assert.rejects(thread.probe(messageFor('not a url')), /base_url must not contain spaces/);
    assert.equal((await thread.probe(messageFor(url()))).answers, true);
  } finally {
    await thread.close();
  }
});

test('the end of the thread ends the tests that wait, and the next one starts another', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const asked = new Promise((resolve) => silent.once('request', resolve));
  const thread = new ProbeThread(1);
  try {
    const slow = thread.probe(messageFor(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`));
    const ended = assert.rejects(slow, /the thread that tests upstreams ended/);
    await asked;
    await thread.close();
    await ended;
    for (let round = 0; round < 3; round += 1) {
      // Idle for longer than a millisecond, each of them is another thread.
      assert.equal((await thread.probe(messageFor(url()))).answers, true);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } finally {
    await thread.close();
    silent.closeAllConnections();
    silent.close();
  }
});
