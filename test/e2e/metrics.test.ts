import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { RawClient } from '../support/raw-client.ts';
import { answerOk, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { AdminSession } from '../support/admin-session.ts';
import { startGateway } from '../support/start-gateway.ts';

function valueOf(metrics: string, sample: string): number {
  const line = metrics.split('\n').find((each) => each.startsWith(`${sample} `));
  assert.ok(line !== undefined, `${sample} in\n${metrics}`);
  return Number(line.slice(sample.length + 1));
}

test('metrics count every request of all workers, and are for callers with authority only', async () => {
  const upstream = await startScriptedUpstream(answerOk);
  const gateway = await startGateway({ upstream: upstream.url, workers: 2, admin: true });
  try {
    assert.equal(await gateway.status('/metrics'), 401);
    const admin = await AdminSession.signIn(gateway);
    let readings = 0;
    const read = async (): Promise<string> => {
      readings += 1;
      const response = await fetch(`${gateway.url}/metrics`, { headers: { Cookie: admin.cookie } });
      assert.equal(response.status, 200);
      assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
      return await response.text();
    };
    const before = valueOf(await read(), 'apigate_requests_total{status_class="2xx"}');
    const clients = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(gateway.port)));
    for (const client of clients) for (let request = 0; request < 25; request++) assert.equal((await client.request('GET')).status, 200);
    for (const client of clients) client.destroy();
    // Each reading is a request too: the one before has ended by now, the one under way has not.
    await eventually(async () => valueOf(await read(), 'apigate_client_connections') <= 2, 'the clients gone');
    const metrics = await read();
    const counted = valueOf(metrics, 'apigate_requests_total{status_class="2xx"}') - before;
    assert.equal(counted, 200 + readings - 1, 'the requests, and the readings that have ended since the first began');
    assert.equal(valueOf(metrics, 'apigate_request_duration_seconds_count') + 1, valueOf(metrics, 'apigate_requests_started_total'));
    assert.equal(valueOf(metrics, 'apigate_requests_in_flight'), 1);
    assert.ok(valueOf(metrics, 'apigate_upstream_connections{upstream="default",state="idle"}') >= 1);
  } finally {
    await gateway.stop();
    await upstream.close();
  }
});
