// Over 300 lines: each way of stopping, and each reason not to start, with a gateway of its own.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { unlessInstalled } from '../support/foreign-program.ts';
import { freePort } from '../support/free-port.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { answerOk, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { type Gateway, type GatewayOptions, launchGateway, startGateway } from '../support/start-gateway.ts';

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function withGateway(
  options: GatewayOptions,
  body: (gateway: Gateway, upstream: Awaited<ReturnType<typeof startScriptedUpstream>>) => Promise<void>,
): Promise<void> {
  const upstream = await startScriptedUpstream(answerOk);
  const gateway = await startGateway({ ...options, upstream: upstream.url });
  try {
    await body(gateway, upstream);
    assert.deepEqual(upstream.violations, []);
  } finally {
    gateway.process.kill('SIGKILL');
    await gateway.stop();
    await upstream.close();
  }
}

async function exitWithin(gateway: Gateway, ms: number): Promise<number | string> {
  await eventually(
    () => gateway.exit !== undefined,
    () => `the exit within ${ms} ms\n${gateway.output.slice(-2_000)}`,
    ms,
  );
  return gateway.exit!;
}

describe('shutdown', { concurrency: 4 }, () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal} on an idle gateway with keep-alive clients ends it with 0 at once`, async () => {
      await withGateway({ workers: 2 }, async (gateway) => {
        const clients = await Promise.all(Array.from({ length: 5 }, () => RawClient.connect(gateway.port)));
        for (const client of clients) assert.equal((await client.request('GET')).status, 200);
        gateway.process.kill(signal);
        assert.equal(await exitWithin(gateway, 3_000), 0);
        for (const client of clients) {
          const { ending, rest } = await client.ended();
          assert.equal(ending, 'fin');
          assert.equal(rest.length, 0);
        }
      });
    });
  }

  test('K09 in drain /readyz is 503 and /healthz 200, and requests are still served during APIGATE_SHUTDOWN_DELAY', async () => {
    await withGateway({ env: { APIGATE_SHUTDOWN_DELAY: '1500ms' } }, async (gateway) => {
      assert.equal(await gateway.status('/readyz'), 200);
      assert.equal(await gateway.status('/healthz'), 200);
      gateway.process.kill('SIGTERM');
      await eventually(async () => (await gateway.status('/readyz')) === 503, '/readyz 503', 1_000);
      assert.equal(await gateway.status('/healthz'), 200);
      assert.equal((await fetchRaw(gateway.port, 'GET')).status, 200, 'probes have not told anyone yet');
      assert.equal(await exitWithin(gateway, 4_000), 0);
    });
  });

  test('a request in flight is finished before the exit, and its answer says Connection: close', async () => {
    await withGateway({}, async (gateway, upstream) => {
      upstream.script = async (request, connection) => {
        await pause(1_200);
        await answerOk(request, connection);
      };
      using client = await RawClient.connect(gateway.port);
      await client.send('GET /in-flight HTTP/1.1\r\nHost: a\r\n\r\n');
      await upstream.request(0);
      gateway.process.kill('SIGTERM');
      const response = await client.response();
      assert.equal(response.status, 200);
      assert.equal(response.body.toString(), 'GET /in-flight 0');
      assert.equal(response.value('connection')?.toLowerCase(), 'close');
      await client.ended();
      assert.equal(await exitWithin(gateway, 3_000), 0);
      assert.equal(gateway.records.filter((record) => record.path === '/in-flight').length, 1, 'its record was written');
    });
  });

  test('a body in flight is finished before the exit', async () => {
    await withGateway({}, async (gateway, upstream) => {
      upstream.script = async (_request, connection) => {
        await connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        for (let piece = 0; piece < 6; piece += 1) {
          await connection.write('4\r\nbody\r\n');
          await pause(200);
        }
        await connection.write('0\r\n\r\n');
      };
      using client = await RawClient.connect(gateway.port);
      await client.send('GET /body HTTP/1.1\r\nHost: a\r\n\r\n');
      await eventually(() => client.stream.size > 0, 'the head');
      gateway.process.kill('SIGTERM');
      assert.equal((await client.response()).body.toString(), 'body'.repeat(6));
      assert.equal(await exitWithin(gateway, 3_000), 0);
    });
  });

  test('a new connection after the drain began is refused', async () => {
    await withGateway({}, async (gateway, upstream) => {
      upstream.script = async (request, connection) => {
        await pause(1_500);
        await answerOk(request, connection);
      };
      using client = await RawClient.connect(gateway.port);
      await client.send('GET /hold HTTP/1.1\r\nHost: a\r\n\r\n');
      await upstream.request(0);
      gateway.process.kill('SIGTERM');
      await eventually(
        () =>
          new Promise<boolean>((resolve) => {
            const socket = net.connect(gateway.port, '127.0.0.1', () => {
              socket.destroy();
              resolve(false);
            });
            socket.once('error', () => resolve(true));
          }),
        'connections are refused',
        1_200,
      );
      assert.equal((await client.response()).status, 200);
    });
  });

  test('APIGATE_DRAIN_TIMEOUT bounds the drain: what hangs is cut and the exit is 0', async () => {
    await withGateway({ env: { APIGATE_DRAIN_TIMEOUT: '1s' } }, async (gateway, upstream) => {
      upstream.script = () => {};
      using client = await RawClient.connect(gateway.port);
      await client.send('GET /hang HTTP/1.1\r\nHost: a\r\n\r\n');
      await upstream.request(0);
      const start = performance.now();
      gateway.process.kill('SIGTERM');
      assert.equal(await exitWithin(gateway, 3_000), 0);
      assert.ok(performance.now() - start > 800);
      await client.ended();
    });
  });

  for (const [first, second] of [
    ['SIGTERM', 'SIGTERM'],
    ['SIGTERM', 'SIGINT'],
    ['SIGINT', 'SIGINT'],
  ] as const) {
    test(`K02 ${second} after ${first} ends at once with a code that is not 0`, async () => {
      await withGateway({}, async (gateway, upstream) => {
        upstream.script = () => {};
        using client = await RawClient.connect(gateway.port);
        await client.send('GET /hang HTTP/1.1\r\nHost: a\r\n\r\n');
        await upstream.request(0);
        gateway.process.kill(first);
        await eventually(async () => (await gateway.status('/readyz')) !== 200, 'the drain has begun');
        gateway.process.kill(second);
        // The drain would take 30 s.
        assert.notEqual(await exitWithin(gateway, 10_000), 0);
      });
    });
  }

  for (const signals of [['SIGTERM'], ['SIGTERM', 'SIGINT']] as const) {
    test(`${signals.join(' and ')} while the gateway starts: it ends in order, and leaves no directory of its own behind`, async () => {
      const temporary = await mkdtemp(join(tmpdir(), 'apigate-test-'));
      const gateway = await launchGateway({ env: { TMPDIR: temporary } });
      try {
        await eventually(() => existsSync(join(gateway.directory, 'apigate.db')), 'the database', 60_000);
        for (const signal of signals) gateway.process.kill(signal);
        await exitWithin(gateway, 30_000);
        assert.equal(gateway.exit, signals.length === 1 ? 0 : 130, gateway.output);
        assert.deepEqual(
          (await readdir(temporary)).filter((name) => name.startsWith('apigate-')),
          [],
        );
      } finally {
        await gateway.stop();
        await rm(temporary, { recursive: true });
      }
    });
  }

  test('K06 SIGHUP never ends the gateway', async () => {
    await withGateway({}, async (gateway) => {
      gateway.process.kill('SIGHUP');
      await pause(300);
      assert.equal(gateway.exit, undefined);
      assert.equal((await fetchRaw(gateway.port, 'GET')).status, 200);
    });
  });

  test('K08 a stop under load loses no request silently: whatever the upstream got is answered', async () => {
    await withGateway({ workers: 2 }, async (gateway, upstream) => {
      const answered = new Set<string>();
      let failures = 0;
      let stopping = false;
      const worker = async (id: number): Promise<void> => {
        for (let round = 0; ; round += 1) {
          let client: RawClient;
          try {
            client = await RawClient.connect(gateway.port);
          } catch {
            assert.ok(stopping, 'connections are refused only after the signal');
            return;
          }
          try {
            for (let turn = 0; turn < 1_000; turn += 1) {
              const target = `/load/${id}/${round}/${turn}`;
              const response = await client.request('GET', { target });
              assert.ok(response.status === 200 || response.status === 503, String(response.status));
              answered.add(target);
              if (response.value('connection')?.toLowerCase() === 'close') break;
            }
          } catch {
            failures += 1;
          } finally {
            client.destroy();
          }
          if (gateway.exit !== undefined) return;
        }
      };
      const load = Promise.all(Array.from({ length: 20 }, (_, id) => worker(id)));
      await eventually(() => answered.size > 500, 'load', 10_000);
      stopping = true;
      gateway.process.kill('SIGTERM');
      assert.equal(await exitWithin(gateway, 30_000), 0);
      await load;
      const lost = upstream.requests.map((request) => request.target).filter((target) => !answered.has(target));
      assert.deepEqual(
        lost,
        [],
        `${lost.length} requests were acted on and never answered; ${failures} connections closed under a request`,
      );
    });
  });
});

/** Why a process without the right to low ports cannot be tried here. */
function unlessUnprivileged(): string | false {
  const start = '/proc/sys/net/ipv4/ip_unprivileged_port_start';
  if (!existsSync(start) || Number(readFileSync(start, 'utf8')) <= 80) return 'everybody may listen on port 80 here';
  return process.getuid?.() === 0 ? unlessInstalled('setpriv') : 'takes root, which gives the right away';
}

describe('K03 refused at start', { concurrency: true }, () => {
  test('K03 a busy port: exit with a code that is not 0, and the address in the message', async () => {
    await withGateway({}, async (gateway) => {
      const second = await launchGateway({ port: gateway.port });
      const code = await exitWithin(second, 30_000);
      assert.notEqual(code, 0);
      assert.match(second.output, new RegExp(`127\\.0\\.0\\.1:${gateway.port}`));
      assert.equal((await fetchRaw(gateway.port, 'GET')).status, 200, 'the first one serves on');
      await second.stop();
    });
  });
  test('K03 a port held by another program, with several workers', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const port = (server.address() as net.AddressInfo).port;
    const gateway = await launchGateway({ port, workers: 2 });
    assert.notEqual(await exitWithin(gateway, 30_000), 0);
    assert.match(gateway.output, new RegExp(String(port)));
    await gateway.stop();
    server.close();
  });
  test('K03 a port that takes more rights than the gateway has', { skip: unlessUnprivileged() }, async () => {
    const gateway = await launchGateway({ port: 80, prefix: ['setpriv', '--bounding-set=-net_bind_service'] });
    assert.notEqual(await exitWithin(gateway, 30_000), 0);
    assert.match(gateway.output, /127\.0\.0\.1:80\b/);
    assert.doesNotMatch(gateway.output, /^\s+at /m);
    await gateway.stop();
  });
  test('of gateways that start at once on one port, one serves and the others are refused', async () => {
    const port = await freePort();
    const gateways = await Promise.all(Array.from({ length: 3 }, () => launchGateway({ port })));
    try {
      await eventually(() => gateways.filter((gateway) => gateway.exit !== undefined).length === 2, 'two that are refused', 60_000);
      const first = gateways.find((gateway) => gateway.exit === undefined);
      await eventually(async () => (await first!.status('/readyz')) === 200, 'the one that serves', 60_000);
      for (const refused of gateways) if (refused !== first) assert.match(refused.output, /in use/);
      assert.equal(first!.exit, undefined);
    } finally {
      for (const gateway of gateways) await gateway.stop();
    }
  });
  test('a second gateway on the same database is refused', async () => {
    await withGateway({}, async (gateway) => {
      const second = await launchGateway({ directory: gateway.directory });
      const code = await exitWithin(second, 30_000);
      assert.notEqual(code, 0);
      assert.match(second.output, /apigate\.db/);
      await second.stop();
    });
  });
});
