import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { AdminSession } from '../support/admin-session.ts';
import { eventually } from '../support/eventually.ts';
import { readExposition, sampleValue } from '../support/exposition.ts';
import { freePort } from '../support/free-port.ts';
import { RawClient } from '../support/raw-client.ts';
import { scopedGateway } from '../support/scoped-gateway.ts';
import { answerOk, startScriptedUpstream } from '../support/scripted-upstream.ts';
import type { Gateway } from '../support/start-gateway.ts';

async function scrape(gateway: Gateway, headers: Record<string, string> = {}): Promise<ReturnType<typeof readExposition>> {
  const response = await fetch(`${gateway.url}/metrics`, { headers });
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  return readExposition(await response.text());
}

test('metrics are well formed and exact to the request over all workers, for the gateway and for each upstream', async (context) => {
  const upstream = await startScriptedUpstream(answerOk);
  context.after(() => upstream.close());
  const gateway = await scopedGateway(context, { upstream: upstream.url, workers: 2, admin: true });
  const admin = await AdminSession.signIn(gateway);
  await admin.call('POST', '/upstreams', { body: { name: 'dead', base_url: `http://127.0.0.1:${await freePort()}` } });
  await admin.call('POST', '/routes', { body: { name: 'dead', path_pattern: '/dead', upstream_id: 'dead', auth_required: false } });
  const before = await scrape(gateway);
  const clients = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(gateway.port)));
  await Promise.all(
    clients.map(async (client) => {
      for (let request = 0; request < 25; request++) assert.equal((await client.request('GET')).status, 200);
      for (let request = 0; request < 3; request++) assert.equal((await client.request('GET', { target: '/dead' })).status, 502);
    }),
  );
  for (const client of clients) client.destroy();
  // Each reading is a request too: the one before has ended by now, the one under way has not.
  let readings = 1;
  let after = before;
  await eventually(async () => {
    after = await scrape(gateway);
    readings += 1;
    return sampleValue(after, 'apigate_client_connections') <= 2;
  }, 'the clients gone');
  const grown = (name: string, labels: Record<string, string>): number =>
    sampleValue(after, name, labels) - sampleValue(before, name, labels);
  assert.equal(grown('apigate_requests_total', { status_class: '2xx' }), 200 + readings - 1, 'the requests, and the readings that ended');
  assert.equal(grown('apigate_requests_total', { status_class: '5xx' }), 24);
  assert.equal(sampleValue(after, 'apigate_responses_total', { status: '502' }), 24);
  assert.equal(sampleValue(after, 'apigate_errors_total', { code: 'upstream_connection_refused' }), 24);
  assert.equal(sampleValue(after, 'apigate_request_duration_seconds_count') + 1, sampleValue(after, 'apigate_requests_started_total'));
  assert.equal(sampleValue(after, 'apigate_requests_in_flight'), 1);
  assert.equal(grown('apigate_upstream_requests_total', { upstream: 'default', result: 'answered' }), 200);
  assert.equal(grown('apigate_upstream_requests_total', { upstream: 'dead', result: 'connect' }), 24);
  assert.equal(sampleValue(after, 'apigate_upstream_response_seconds_count', { upstream: 'default' }), 200);
  assert.equal(sampleValue(after, 'apigate_upstream_healthy', { upstream: 'default' }), 1);
  assert.equal(sampleValue(after, 'apigate_upstream_healthy', { upstream: 'dead' }), 0);
  assert.ok(sampleValue(after, 'apigate_upstream_connections', { upstream: 'default', state: 'idle' }) >= 1);
  assert.equal(sampleValue(after, 'apigate_request_records_dropped_total'), 0);
  assert.ok(sampleValue(after, 'process_resident_memory_bytes') > 1e6);
});

test('metrics are for callers with authority, and for programs on the same machine unless somebody forwards', async (context) => {
  const gateway = await scopedGateway(context, { admin: true, flags: ['--host', '0.0.0.0'], env: { APIGATE_ADMIN_ALLOW: 'any' } });
  const status = async (headers: Record<string, string>, host = '127.0.0.1'): Promise<number> => {
    const response = await fetch(`http://${host}:${gateway.port}/metrics`, { headers });
    await response.arrayBuffer();
    return response.status;
  };
  assert.equal(await status({}), 200);
  for (const name of ['X-Forwarded-For', 'Forwarded', 'Via', 'X-Real-IP', 'True-Client-IP', 'CF-Connecting-IP', 'X-Forwarded-Host']) {
    assert.equal(await status({ [name]: '127.0.0.1' }), 401, name);
  }
  for (const forged of [{ 'X-APIGate-Direct': '1', 'X-Forwarded-For': '127.0.0.1' }, { 'X-APIGate-Direct': '1' }]) {
    assert.equal(await status(forged), 401, 'who claims to be direct is not believed');
  }
  assert.equal(await status({ authorization: 'Bearer nonsense' }), 401, 'whoever sends a token means it');
  const old = await RawClient.connect(gateway.port);
  await old.send('GET /metrics HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n');
  assert.equal((await old.response()).status, 401, 'HTTP/1.0 is what a proxy speaks');
  old.destroy();
  const other = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === 'IPv4' && !address.internal)?.address;
  if (other !== undefined) assert.equal(await status({}, other), 401, 'not over the loopback interface');
  const admin = await AdminSession.signIn(gateway);
  const made = await admin.call('POST', '/tokens', { body: { name: 'prometheus', scope: 'read' } });
  const { token } = made.body as unknown as { token: string };
  assert.equal(await status({ authorization: `Bearer ${token}`, 'X-Forwarded-For': '203.0.113.9' }), 200);
  if (other !== undefined) assert.equal(await status({ authorization: `Bearer ${token}` }, other), 200);
  assert.equal((await fetch(`${gateway.url}/admin/requests`)).status, 401, 'nothing else is open');
});

test('a trusted proxy on the same machine opens nothing, nor does a setting that says no; a listener of its own for management is the same', async (context) => {
  const proxied = await scopedGateway(context, { env: { APIGATE_TRUSTED_PROXIES: '127.0.0.1/32' } });
  assert.equal(await proxied.status('/metrics'), 401);
  const closed = await scopedGateway(context, { env: { APIGATE_METRICS_LOOPBACK: 'false' } });
  assert.equal(await closed.status('/metrics'), 401);
  const adminPort = await freePort();
  await scopedGateway(context, { flags: ['--admin-listen', `127.0.0.1:${adminPort}`] });
  const status = async (headers: Record<string, string>): Promise<number> => {
    const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`, { headers });
    await response.arrayBuffer();
    return response.status;
  };
  assert.equal(await status({}), 200);
  assert.equal(await status({ 'X-Forwarded-For': '127.0.0.1' }), 401);
  assert.equal(await status({ 'X-APIGate-Direct': '1', Via: '1.1 a' }), 401);
});
