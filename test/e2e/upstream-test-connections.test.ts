// Over 300 lines: one test for each way that a connection to an upstream can fail.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import type { UpstreamTest } from '../../src/model/upstream-test.ts';
import { hasOpenssl, TestAuthority } from '../support/certificates.ts';
import { type DnsServer, startDnsServer } from '../support/dns-server.ts';
import { freePort } from '../support/free-port.ts';
import {
  answerOk,
  type ScriptedUpstream,
  type ScriptedUpstreamOptions,
  type Script,
  startScriptedUpstream,
} from '../support/scripted-upstream.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';
import { startUnacceptingListener } from '../support/unaccepting-listener.ts';

let gateway: Gateway;
let dns: DnsServer;
const upstreams: ScriptedUpstream[] = [];

before(async () => {
  dns = await startDnsServer();
  gateway = await startGateway({ admin: true, env: { APIGATE_DNS_SERVERS: dns.address } });
});
after(async () => {
  await Promise.all(upstreams.map((each) => each.close()));
  await gateway.stop();
  await dns.close();
});

async function scripted(script: Script, options: ScriptedUpstreamOptions = {}): Promise<ScriptedUpstream> {
  const started = await startScriptedUpstream(script, options);
  upstreams.push(started);
  return started;
}

async function tried(fields: Readonly<Record<string, unknown>>, request: Readonly<Record<string, unknown>> = {}): Promise<UpstreamTest> {
  return (await gateway.admin.must('POST', '/upstreams/test', { upstream: fields, ...request })) as unknown as UpstreamTest;
}

/** The test found that problem, in these words, and says what to do. */
async function assertFinds(
  kind: string,
  cause: RegExp,
  fields: Readonly<Record<string, unknown>>,
  request: Readonly<Record<string, unknown>> = {},
): Promise<UpstreamTest> {
  const found = await tried(fields, request);
  assert.equal(found.problem?.kind, kind, JSON.stringify(found));
  assert.match(found.problem.cause, cause);
  assert.ok(found.problem.next.length > 0);
  assert.equal(found.answers, false);
  assert.equal(found.answer, null);
  return found;
}

const stepOf = (found: UpstreamTest, name: string): UpstreamTest['steps'][number] => found.steps.find(({ step }) => step === name)!;

test('an upstream that answers: every step with its time, the status, the server and the first of the body', async () => {
  dns.names.set('good.test', { a: ['127.0.0.1'] });
  const upstream = await scripted(async (_request, connection) => {
    await connection.write('HTTP/1.1 200 Fine\r\nServer: toy/1\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello');
  });
  const found = await tried({ base_url: `http://good.test:${upstream.port}/v1` }, { path: '/health?deep=1' });
  assert.equal(found.answers, true);
  assert.equal(found.problem, null);
  assert.deepEqual(
    found.steps.map(({ step, result }) => `${step} ${result}`),
    ['dns ok', 'tcp ok', 'tls skipped', 'credential skipped', 'answer ok', 'first_byte ok'],
  );
  for (const name of ['dns', 'tcp', 'answer', 'first_byte']) assert.equal(typeof stepOf(found, name).ms, 'number', name);
  assert.deepEqual(found.answer, {
    status: 200,
    reason: 'Fine',
    server: 'toy/1',
    content_type: 'text/plain',
    location: null,
    body_start: 'hello',
  });
  assert.equal(found.address, `127.0.0.1:${upstream.port}`);
  assert.equal(found.tested_by, 'gateway');
  assert.deepEqual(found.upstream, { id: null, name: null, base_url: `http://good.test:${upstream.port}/v1`, enabled: true });
  const [sent] = upstream.requests;
  assert.equal(`${sent!.method} ${sent!.target}`, 'GET /v1/health?deep=1');
  assert.equal(sent!.value('host'), `good.test:${upstream.port}`);
  assert.equal(((await gateway.admin.must('GET', '/upstreams'))['data'] as unknown[]).length, 0, 'nothing is stored');
});

test('methods that change nothing are sent as asked, others are refused', async () => {
  const upstream = await scripted(answerOk);
  for (const method of ['HEAD', 'OPTIONS']) assert.equal((await tried({ base_url: upstream.url }, { method })).answer?.status, 200, method);
  assert.deepEqual(
    upstream.requests.map(({ method }) => method),
    ['HEAD', 'OPTIONS'],
  );
  const refused = await gateway.admin.call('POST', '/upstreams/test', { upstream: { base_url: upstream.url }, method: 'DELETE' });
  assert.equal(refused.status, 422);
  assert.equal(upstream.requests.length, 2);
});

test('connection refused', async () => {
  const found = await assertFinds('connection_refused', /^Connection refused: nothing listens on 127\.0\.0\.1:\d+\.$/, {
    base_url: `http://127.0.0.1:${await freePort()}`,
  });
  assert.equal(found.problem?.code, 'upstream_connection_refused');
  assert.equal(stepOf(found, 'tcp').result, 'failed');
});

test('connect timeout', async (context) => {
  const listener = await startUnacceptingListener();
  if (listener === undefined) {
    context.skip('this kernel accepts all the same');
    return;
  }
  try {
    const found = await assertFinds('connect_timeout', /Nobody answered .* within 600 ms \(deadline exceeded while connecting\)/, {
      base_url: `http://127.0.0.1:${listener.port}`,
      timeout_ms: 600,
    });
    assert.equal(stepOf(found, 'tcp').result, 'failed');
  } finally {
    await listener.stop();
  }
});

test('the name does not exist', async () => {
  const found = await assertFinds('name_not_found', /^The name nowhere\.test does not exist/, { base_url: 'http://nowhere.test' });
  assert.equal(stepOf(found, 'dns').result, 'failed');
  assert.equal(stepOf(found, 'tcp').result, 'skipped');
});

test('the name servers are silent', async () => {
  dns.names.set('silent.test', { failure: 'silent' });
  await assertFinds('dns_timeout', /name servers did not answer in time for silent\.test \(deadline exceeded\)/, {
    base_url: 'http://silent.test',
    timeout_ms: 700,
  });
});

test('the name servers answer with an error', async () => {
  dns.names.set('broken.test', { failure: 'servfail' });
  await assertFinds('dns_failure', /could not answer for broken\.test/, { base_url: 'http://broken.test', timeout_ms: 4_000 });
});

test('of several addresses the one that works is used, and the others are told', async () => {
  const upstream = await scripted(answerOk);
  dns.names.set('two.test', { a: ['127.0.0.99', '127.0.0.1'] });
  for (let round = 0; round < 2; round += 1) {
    const found = await tried({ base_url: `http://two.test:${upstream.port}` });
    assert.equal(found.answers, true);
    assert.equal(found.address, `127.0.0.1:${upstream.port}`);
    assert.match(found.notes.join('\n'), /^127\.0\.0\.99:\d+ failed \(upstream_connection_refused\)/);
  }
});

test('N04 a name that leads to a forbidden address gets the category alone: no times, no address, nothing sent', async () => {
  dns.names.set('metadata.test', { a: ['169.254.169.254'] });
  const found = await assertFinds(
    'address_forbidden',
    /^The host leads to a forbidden address \(a link-local address, where cloud metadata is served\); nothing was sent\.$/,
    {
      base_url: 'http://metadata.test/latest',
    },
  );
  assert.deepEqual([found.steps, found.total_ms, found.address, found.certificate, found.curl], [[], null, null, null, null]);
  assert.doesNotMatch(JSON.stringify(found), /169\.254/);
});

test('N04 a forbidden address as it stands is refused as it is at save', async () => {
  for (const base_url of ['http://169.254.169.254', 'http://[fe80::1]', 'http://0.0.0.0:80', `http://127.0.0.1:${gateway.port}`]) {
    const [tested, saved] = await Promise.all([
      gateway.admin.call('POST', '/upstreams/test', { upstream: { base_url } }),
      gateway.admin.call('POST', '/upstreams', { name: 'never', base_url }),
    ]);
    assert.equal(tested.status, 422, base_url);
    const messageOf = (body: Record<string, unknown>): unknown => (body['errors'] as { message: string }[])[0]?.message;
    assert.equal(messageOf(tested.body), messageOf(saved.body));
  }
});

test('a name that leads to the gateway itself is not asked', async () => {
  dns.names.set('myself.test', { a: ['127.0.0.1'] });
  const found = await assertFinds('leads_to_gateway', /leads to this gateway itself/, { base_url: `http://myself.test:${gateway.port}` });
  assert.deepEqual([found.steps, found.total_ms], [[], null]);
});

test('a loop by way of another proxy is found', async () => {
  const proxy = net.createServer((client) => {
    const onward = net.connect(gateway.port, '127.0.0.1');
    client
      .on('error', () => {})
      .pipe(onward.on('error', () => {}))
      .pipe(client);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  try {
    const found = await tried({ base_url: `http://127.0.0.1:${(proxy.address() as net.AddressInfo).port}` });
    assert.equal(found.problem?.kind, 'leads_to_gateway', JSON.stringify(found));
  } finally {
    proxy.close();
  }
});

test('the connection is reset', async () => {
  const upstream = await scripted((_request, connection) => connection.reset());
  await assertFinds('connection_reset', /reset the connection without an answer/, { base_url: upstream.url });
});

test('an answer that breaks off', async () => {
  const upstream = await scripted(async (_request, connection) => {
    await connection.write('HTTP/1.1 200 OK\r\nContent-Le');
    connection.end();
  });
  await assertFinds('connection_reset', /broke off in its head/, { base_url: upstream.url });
});

test('an empty reply', async () => {
  const upstream = await scripted((_request, connection) => connection.end());
  await assertFinds('empty_reply', /closed the connection without an answer/, { base_url: upstream.url });
});

test('not HTTP: what comes instead is shown, control characters not', async () => {
  const ssh = await scripted(() => {}, { deaf: true, onConnection: (connection) => void connection.write('SSH-2.0-OpenSSH_9.2\r\n') });
  await assertFinds('not_http', /is not HTTP\/1\.1: .* It begins with: SSH-2\.0-OpenSSH_9\.2$/, { base_url: ssh.url });
  const binary = await scripted((_request, connection) => connection.write(Buffer.from([0, 1, 2, 0xff])));
  await assertFinds('not_http', /It begins with: bytes 00 01 02 ff$/, { base_url: binary.url });
});

test('no answer within the time given', async () => {
  const upstream = await scripted(() => {});
  const found = await assertFinds(
    'answer_timeout',
    /^No answer within 400 ms \(deadline exceeded\); requests wait up to the upstream's timeout_ms, 30000 ms\.$/,
    { base_url: upstream.url },
    { wait_ms: 400 },
  );
  assert.ok(found.problem?.next.some((line) => line.includes('timeout_ms')));
  assert.ok(stepOf(found, 'answer').ms! >= 390);
  const short = await assertFinds('answer_timeout', /^No answer within 300 ms \(deadline exceeded\)\.$/, {
    base_url: upstream.url,
    timeout_ms: 300,
  });
  assert.equal(short.problem?.code, 'upstream_timeout');
});

test('a body that never comes, and an event stream that has nothing to say yet', async () => {
  const stuck = await scripted((_request, connection) => connection.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n'));
  const found = await tried({ base_url: stuck.url }, { wait_ms: 300 });
  assert.equal(found.problem?.kind, 'answer_timeout');
  assert.equal(stepOf(found, 'first_byte').result, 'failed');
  const events = await scripted((_request, connection) =>
    connection.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'),
  );
  const stream = await tried({ base_url: events.url }, { wait_ms: 300 });
  assert.deepEqual([stream.problem, stream.answers], [null, true]);
});

test('an answer without end is not waited for', async () => {
  const upstream = await scripted(async (_request, connection) => {
    await connection.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n');
    for (let line = 0; line < 5_000 && connection.isOpen; line += 1) await connection.write('0123456789'.repeat(100));
  });
  const found = await tried({ base_url: upstream.url });
  assert.equal(found.problem, null);
  assert.ok(found.answer!.body_start!.length <= 301);
});

test('wait_ms is bounded by timeout_ms and by the longest test, and all that is wrong is told at once', async () => {
  const answer = await gateway.admin.call('POST', '/upstreams/test', {
    upstream: { base_url: 'ftp://x', timeout_ms: 0, nmae: 'x' },
    wait_ms: 30_001,
    path: 'health',
    extra: 1,
  });
  assert.equal(answer.status, 422);
  assert.deepEqual((answer.body['errors'] as { field: string }[]).map(({ field }) => field).toSorted(), [
    'extra',
    'path',
    'upstream.base_url',
    'upstream.nmae',
    'upstream.timeout_ms',
    'wait_ms',
  ]);
  const longer = await gateway.admin.call('POST', '/upstreams/test', {
    upstream: { base_url: 'http://a.test', timeout_ms: 500 },
    wait_ms: 501,
  });
  assert.match(JSON.stringify(longer.body['errors']), /must not be more than the upstream's timeout_ms, 500/);
  for (const path of ['/../admin', '/a/%2e%2e/b', '/a\\b', '/a b', '/a\r\nX: y', '/é', '/a#b'])
    assert.equal(
      (await gateway.admin.call('POST', '/upstreams/test', { upstream: { base_url: 'http://a.test' }, path })).status,
      422,
      path,
    );
});

test('a slow test holds up neither traffic nor the admin API', async () => {
  const upstream = await scripted(() => {});
  let isOver = false;
  const slow = tried({ base_url: upstream.url }, { wait_ms: 25_000 }).finally(() => {
    isOver = true;
  });
  await upstream.request(0);
  await gateway.admin.must('GET', '/upstreams');
  assert.equal(await gateway.status('/healthz'), 200);
  assert.equal(isOver, false);
  await upstream.dropConnections();
  assert.equal((await slow).answers, false);
});

if (hasOpenssl()) {
  const authority = new TestAuthority();
  after(() => authority.remove());

  test('http to a port that speaks TLS, whether the server says so, sends an alert or hangs up', async () => {
    const tls = authority.issue(['IP:127.0.0.1']);
    const real = await scripted(answerOk, { tls });
    const port = new URL(real.url).port;
    await assertFinds('tls_expected', /base_url says http, but 127\.0\.0\.1:\d+ speaks TLS/, { base_url: `http://127.0.0.1:${port}` });
    assert.equal(real.requests.length, 0);
    const alert = await scripted((_request, connection) => connection.write(Buffer.from([21, 3, 1, 0, 2, 2, 70])));
    await assertFinds('tls_expected', /speaks TLS/, { base_url: alert.url });
    const page = '<html><h1>400 Bad Request</h1>The plain HTTP request was sent to HTTPS port</html>';
    const nginx = await scripted((_request, connection) =>
      connection.write(`HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: ${page.length}\r\n\r\n${page}`),
    );
    const told = await tried({ base_url: nginx.url });
    assert.deepEqual([told.problem?.kind, told.answers], ['tls_expected', false]);
  });
}
