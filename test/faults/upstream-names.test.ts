import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type DnsServer, startDnsServer } from '../support/dns-server.ts';
import { eventually } from '../support/eventually.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { answerOk, type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';

let dns: DnsServer;
let gateway: Gateway;
let healthy: ScriptedUpstream;
/** Two upstreams on one port of different loopback addresses. */
let first: ScriptedUpstream;
let second: ScriptedUpstream;

before(async () => {
  dns = await startDnsServer();
  healthy = await startScriptedUpstream(answerOk);
  first = await startScriptedUpstream((request, connection) =>
    connection.write(`HTTP/1.1 200 OK\r\n${request.nonceEcho}Content-Length: 5\r\n\r\nfirst`),
  );
  second = await startScriptedUpstream(
    (request, connection) => connection.write(`HTTP/1.1 200 OK\r\n${request.nonceEcho}Content-Length: 6\r\n\r\nsecond`),
    { host: '127.0.0.2', port: first.port },
  );
  gateway = await startGateway({ upstream: healthy.url, admin: true, env: { APIGATE_DNS_SERVERS: dns.address } });
});

after(async () => {
  await gateway?.stop();
  await Promise.all([healthy?.close(), first?.close(), second?.close(), dns?.close()]);
});

async function named(name: string, fields: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return (await gateway.admin.expose({ base_url: `http://${name}:${first.port}`, ...fields })).path;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe('names of upstreams', { concurrency: true }, () => {
  test('a name is resolved through APIGATE_DNS_SERVERS and cached for its TTL', async () => {
    // One of its own: dropping the connections of `first` would break the tests that run meanwhile.
    const upstream = await startScriptedUpstream(answerOk);
    try {
      dns.names.set('plain.test', { a: ['127.0.0.1'], ttl: 30 });
      const { path } = await gateway.admin.expose({ base_url: `http://plain.test:${upstream.port}` });
      for (let round = 0; round < 5; round += 1) {
        assert.equal((await fetchRaw(gateway.port, 'GET', { target: path })).status, 200);
        await upstream.dropConnections();
      }
      assert.equal(dns.questions.filter((question) => question === 'plain.test A').length, 1);
      assert.equal(upstream.requests.find((request) => request.target === path)?.value('host'), `plain.test:${upstream.port}`);
    } finally {
      await upstream.close();
    }
  });

  for (const failure of ['nxdomain', 'servfail'] as const) {
    test(`D01 ${failure} is 502 upstream_dns_failure within 2 s, and forgotten within 5 s`, async () => {
      const name = `${failure}.test`;
      dns.names.set(name, { failure });
      const path = await named(name);
      const start = performance.now();
      const response = await fetchRaw(gateway.port, 'GET', { target: path });
      assert.ok(performance.now() - start < 2_000, `${performance.now() - start}`);
      assert.equal(response.status, 502);
      assert.equal(response.json()['code'], 'upstream_dns_failure');
      assert.equal((await gateway.record((each) => each.request_id === response.value('x-request-id'))).outcome, 'upstream_connect');
      dns.names.set(name, { a: ['127.0.0.1'] });
      await eventually(
        async () => (await fetchRaw(gateway.port, 'GET', { target: path })).status === 200,
        'the name is asked for again',
        5_500,
      );
    });
  }

  test('D02 a resolver that never answers is 504 at the connect timeout; others, the admin API and sign-in are unaffected', async () => {
    dns.names.set('silent.test', { failure: 'silent' });
    const path = await named('silent.test', { timeout_ms: 1_500 });
    const start = performance.now();
    const waiting = Array.from({ length: 30 }, () => fetchRaw(gateway.port, 'GET', { target: path }));
    await pause(100);
    let slowest = 0;
    const deadline = performance.now() + 1_000;
    while (performance.now() < deadline) {
      const begin = performance.now();
      assert.equal((await fetchRaw(gateway.port, 'GET', { target: '/healthy' })).status, 200);
      assert.equal((await gateway.admin.call('GET', '/upstreams?limit=1')).status, 200);
      slowest = Math.max(slowest, performance.now() - begin);
    }
    assert.ok(slowest < 3_000, `${slowest}`);
    for (const response of await Promise.all(waiting)) {
      assert.equal(response.status, 504);
      assert.equal(response.json()['code'], 'upstream_connect_timeout');
    }
    const took = performance.now() - start;
    assert.ok(took > 1_400 && took < 4_000, `${took}`);
  });

  test('D03 an address that changes: new connections use the new one within 30 s', async () => {
    dns.names.set('moving.test', { a: ['127.0.0.1'], ttl: 1 });
    const path = await named('moving.test', { idle_conn_timeout_ms: 1_000 });
    assert.equal((await fetchRaw(gateway.port, 'GET', { target: path })).body.toString(), 'first');
    dns.names.set('moving.test', { a: ['127.0.0.2'], ttl: 1 });
    await eventually(
      async () => {
        await pause(1_200);
        return (await fetchRaw(gateway.port, 'GET', { target: path })).body.toString() === 'second';
      },
      'the new address',
      30_000,
    );
  });

  test('I2 of an answer that breaks, nothing reaches a client that waits for the same upstream and cannot be served', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const upstream = await startScriptedUpstream(async (_request, connection) => {
      await gate;
      await connection.write('HTTP/1.1 200 OK\r\nX-Leak: leak\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nleak\r\nzz\r\n');
    });
    try {
      dns.names.set('turning.test', { a: ['127.0.0.1'], ttl: 1 });
      const base = `http://turning.test:${upstream.port}`;
      const { path } = await gateway.admin.expose({ base_url: base, max_conns: 1 });
      const { path: probe } = await gateway.admin.expose({ base_url: base });
      const broken = fetchRaw(gateway.port, 'GET', { target: path });
      await upstream.request(0);
      // From now on the name leads where nothing may go, and the resolver has that at hand.
      dns.names.set('turning.test', { a: ['169.254.1.1'], ttl: 20 });
      await eventually(
        async () => {
          const asked = fetchRaw(gateway.port, 'GET', { target: probe, timeoutMs: 500 }).catch(() => undefined);
          return (await asked)?.status === 502;
        },
        'the new address to be known',
        8_000,
      );
      using waiting = await RawClient.connect(gateway.port);
      await waiting.send(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      // The one worker has taken that request by the time it answers the next.
      for (let round = 0; round < 3; round += 1) await fetchRaw(gateway.port, 'GET', { target: '/healthy' });
      release();
      const [first, second] = await Promise.all([broken, waiting.response()]);
      assert.equal(first.json()['code'], 'upstream_invalid_response');
      assert.equal(second.json()['code'], 'upstream_address_forbidden');
      for (const { fields, body } of [first, second]) assert.ok(!JSON.stringify([fields, body.toString()]).includes('leak'));
    } finally {
      release();
      await upstream.close();
    }
  });

  test('D04 dead addresses are passed over inside the connect budget', async () => {
    dns.names.set('partly.test', { a: ['127.0.0.5', '127.0.0.6', '127.0.0.2'] });
    const path = await named('partly.test');
    const start = performance.now();
    assert.equal((await fetchRaw(gateway.port, 'GET', { target: path })).body.toString(), 'second');
    assert.ok(performance.now() - start < 5_000);
  });

  test('D04 a broken AAAA does not keep a good A from being used', async () => {
    dns.names.set('aaaa-fails.test', { a: ['127.0.0.1'], aaaaFailure: 'servfail' });
    dns.names.set('aaaa-dead.test', { a: ['127.0.0.1'], aaaa: ['::1'] });
    dns.names.set('aaaa-silent.test', { a: ['127.0.0.1'], aaaaFailure: 'silent' });
    for (const name of ['aaaa-fails.test', 'aaaa-dead.test', 'aaaa-silent.test']) {
      const response = await fetchRaw(gateway.port, 'GET', { target: await named(name), timeoutMs: 7_000 });
      assert.equal(response.body.toString(), 'first', name);
    }
  });

  for (const [what, entry] of [
    ['link-local metadata', { a: ['169.254.169.254'] }],
    ['a metadata address among good ones', { a: ['169.254.169.254', '127.0.0.1'] }],
    ['mapped metadata', { aaaa: ['::ffff:a9fe:a9fe'] }],
    ['0.0.0.0', { a: ['0.0.0.0'] }],
    ['multicast', { a: ['224.0.0.1'] }],
  ] as const) {
    test(`N02 a name that resolves to ${what} is 502 upstream_address_forbidden, or goes to an allowed address only`, async () => {
      const name = `${what.replaceAll(/[^a-z0-9]/g, '-')}.test`;
      dns.names.set(name, entry);
      const response = await fetchRaw(gateway.port, 'GET', { target: await named(name, { timeout_ms: 2_000 }) });
      if (what.includes('among') && response.status === 200) return assert.equal(response.body.toString(), 'first');
      assert.equal(response.status, 502, response.body.toString());
      assert.equal(response.json()['code'], 'upstream_address_forbidden');
    });
  }

  test('N03 a name that resolves to the gateway itself is never served in a circle', async () => {
    dns.names.set('self.test', { a: ['127.0.0.1'] });
    const { path } = await gateway.admin.expose({ base_url: `http://self.test:${gateway.port}` });
    const response = await fetchRaw(gateway.port, 'GET', { target: path });
    assert.ok(
      response.status === 508 || (response.status === 502 && response.json()['code'] === 'upstream_address_forbidden'),
      `${response.status} ${response.body.toString()}`,
    );
  });
});
