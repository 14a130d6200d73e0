import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AdminSession } from '../support/admin-session.ts';
import { fetchRaw } from '../support/raw-client.ts';
import { answerOk, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { startGateway } from '../support/start-gateway.ts';

/** Debian's package faketime: stands between a program and the clock. */
const library = ['x86_64', 'aarch64']
  .map((processor) => `/usr/lib/${processor}-linux-gnu/faketime/libfaketimeMT.so.1`)
  .find((path) => existsSync(path));

test(
  'F06 a wall clock that jumps by an hour, either way, changes no timer of a request and ends no session before its time',
  { skip: library === undefined && 'libfaketime is not installed (apt-get install faketime)' },
  async (context) => {
    const clock = join(tmpdir(), `apigate-clock-${process.pid}`);
    writeFileSync(clock, '+0s');
    let answers = true;
    const upstream = await startScriptedUpstream(async (request, connection) => {
      if (answers) await answerOk(request, connection);
    });
    const gateway = await startGateway({
      upstream: upstream.url,
      admin: true,
      env: {
        LD_PRELOAD: library!,
        FAKETIME_TIMESTAMP_FILE: clock,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    });
    context.after(async () => {
      await gateway.stop();
      await upstream.close();
    });
    const session = await AdminSession.signIn(gateway);
    const { path } = await gateway.admin.expose({ base_url: upstream.url, timeout_ms: 1_500 });

    for (const jump of ['+1h', '-1h', '+0s']) {
      answers = false;
      const start = performance.now();
      const waiting = fetchRaw(gateway.port, 'GET', { target: path, timeoutMs: 15_000 });
      await new Promise((resolve) => setTimeout(resolve, 400));
      writeFileSync(clock, jump);
      const late = await waiting;
      const took = performance.now() - start;
      assert.equal(late.status, 504, jump);
      assert.ok(took > 1_300 && took < 6_000, `${jump}: the deadline came after ${took} ms`);
      answers = true;
      assert.equal((await fetchRaw(gateway.port, 'GET', { target: path })).status, 200, jump);
      const record = await gateway.record((each) => each.request_id === late.value('x-request-id'));
      assert.ok(Number(record['duration_ms']) > 1_300 && Number(record['duration_ms']) < 6_000, JSON.stringify(record));
    }
    // Back at the right time the session is what it was; an hour ahead it was idle for longer than it may be.
    assert.equal((await session.call('GET', '/upstreams?limit=1')).status, 200);
    writeFileSync(clock, '+1h');
    assert.equal((await session.call('GET', '/upstreams?limit=1')).status, 401);
    assert.equal((await fetchRaw(gateway.port, 'GET', { target: path })).status, 200);
  },
);
