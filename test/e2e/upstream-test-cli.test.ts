import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { UpstreamTest } from '../../src/model/upstream-test.ts';
import { run, unlessInstalled } from '../support/foreign-program.ts';
import { freePort } from '../support/free-port.ts';
import { commandFile, localEnvironment, plainEnvironment, remoteEnvironment, runApigate } from '../support/run-apigate.ts';
import { answerOk, type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';

let gateway: Gateway;
let upstream: ScriptedUpstream;
const ways: Record<string, Record<string, string>> = {};

before(async () => {
  upstream = await startScriptedUpstream(answerOk);
  gateway = await startGateway({ admin: true });
  const { token } = await gateway.admin.must('POST', '/tokens', { name: 'cli', scope: 'write' });
  ways['the local database'] = localEnvironment(gateway);
  ways['--server'] = remoteEnvironment(gateway, String(token));
  await gateway.admin.must('POST', '/upstreams', { name: 'my api', base_url: upstream.url, auth_type: 'bearer', auth_value: 'canary-cli' });
  await gateway.admin.must('POST', '/upstreams', { name: 'gone', base_url: `http://127.0.0.1:${await freePort()}` });
});
after(async () => {
  await upstream.close();
  await gateway.stop();
});

for (const way of ['the local database', '--server']) {
  test(`upstreams test on ${way}: a waterfall, exit code 0`, async () => {
    const { code, stdout, stderr } = await runApigate(['upstreams', 'test', 'my api', '--path', '/health'], { env: ways[way]! });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^my api: GET http:\/\/127\.0\.0\.1:\d+\/health$/m);
    assert.match(stdout, /^ {2}TCP {9}ok +\d+\.\d ms +=* +127\.0\.0\.1:\d+$/m);
    assert.match(stdout, /^ {2}Credential {2}ok {2}.*Authorization: Bearer \*{8}$/m);
    assert.match(stdout, /^ {2}Answer {6}ok +\d+\.\d ms .*200 OK$/m);
    assert.match(stdout, /^It answers: 200 \(\d+ ms\)$/m);
    assert.match(stdout, /curl --include --max-time 30 --header "Authorization: Bearer \$CREDENTIAL" 'http/);
    assert.doesNotMatch(stdout + stderr, /canary/);
    assert.equal(upstream.requests.at(-1)!.value('authorization'), 'Bearer canary-cli');
  });

  test(`upstreams test on ${way}: an upstream that does not answer is told with cause and next step, exit code 1`, async () => {
    const { code, stdout } = await runApigate(['upstreams', 'test', 'gone'], { env: ways[way]! });
    assert.equal(code, 1);
    assert.match(stdout, /^It does not answer: Connection refused/m);
    assert.match(stdout, /^ {2}Connection refused: nothing listens on 127\.0\.0\.1:\d+\.$/m);
    assert.match(stdout, /^ {2}- Is the service running/m);
  });

  test(`upstreams test on ${way}: JSON for programs; 3 for an unknown upstream, 2 for wrong flags`, async () => {
    const json = await runApigate(['upstreams', 'test', 'my api', '-o', 'json'], { env: ways[way]! });
    const found = JSON.parse(json.stdout) as UpstreamTest;
    assert.deepEqual([json.code, found.answers, found.problem, found.upstream.name], [0, true, null, 'my api']);
    assert.equal(found.tested_by, way === '--server' ? 'gateway' : 'command');
    assert.equal((await runApigate(['upstreams', 'test', 'no such'], { env: ways[way]! })).code, 3);
    const wrong = await runApigate(['upstreams', 'test', 'my api', '--path', 'x', '--url', 'ftp://y'], { env: ways[way]! });
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /--path: must begin with \//);
    assert.match(wrong.stderr, /--url \(upstream\.base_url\): must start with http/);
    assert.equal((await runApigate(['upstreams', 'test'], { env: ways[way]! })).code, 2);
  });
}

test('what is not saved is tested with --url; an error answer is 0, and 1 with --fail', async () => {
  const broken = await startScriptedUpstream((_request, connection) => connection.write('HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n'));
  try {
    const env = ways['--server']!;
    const plain = await runApigate(['upstreams', 'test', '--url', broken.url], { env });
    assert.equal(plain.code, 0, plain.stderr);
    assert.match(plain.stdout, /^It answers 500, but: Answers with an error/m);
    assert.equal((await runApigate(['upstreams', 'test', '--url', broken.url, '--fail'], { env })).code, 1);
    assert.equal((await runApigate(['upstreams', 'test', '--url', upstream.url, '--fail'], { env })).code, 0);
  } finally {
    await broken.close();
  }
});

test('--all tests every enabled upstream, tells of each, and is 1 when one does not answer', async () => {
  const env = ways['--server']!;
  const { code, stdout } = await runApigate(['upstreams', 'test', '--all'], { env });
  assert.equal(code, 1);
  assert.match(stdout, /^ok {7}upstream my api: answers 200 in \d+ ms$/m);
  assert.match(stdout, /^broken {3}upstream gone: Connection refused: nothing listens on 127\.0\.0\.1:\d+\n {9}→ Is the service running/m);
  await gateway.admin.must('PATCH', '/upstreams/gone', { enabled: false });
  const json = await runApigate(['upstreams', 'test', '--all', '--wait', '2000', '-o', 'json'], { env });
  assert.deepEqual([json.code, (JSON.parse(json.stdout) as { check: string }[]).map(({ check }) => check)], [0, ['upstream my api']]);
  await gateway.admin.must('PATCH', '/upstreams/gone', { enabled: true });
  for (const wrong of [
    ['--all', 'my api'],
    ['--all', '--url', 'http://x'],
  ]) {
    const refused = await runApigate(['upstreams', 'test', ...wrong], { env });
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /exclude each other/);
  }
});

test('a new credential is tested before it is saved', async () => {
  const { code } = await runApigate(['upstreams', 'test', 'my api', '--auth-value', '-'], { env: ways['--server']!, input: 'new-one\n' });
  assert.equal(code, 0);
  assert.equal(upstream.requests.at(-1)!.value('authorization'), 'Bearer new-one');
  assert.equal((await runApigate(['upstreams', 'test', 'my api'], { env: ways['--server']! })).code, 0);
  assert.equal(upstream.requests.at(-1)!.value('authorization'), 'Bearer canary-cli');
});

test('what a hostile upstream answers does not reach the terminal as control characters', async () => {
  const hostile = await startScriptedUpstream((_request, connection) =>
    connection.write('HTTP/1.1 200 OK\r\nServer: a\u009bb\r\nContent-Length: 11\r\n\r\n\u001b]0;pwned\u0007x'),
  );
  const page = await startScriptedUpstream((_request, connection) =>
    connection.write('HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n\u001b[31mhi'),
  );
  try {
    for (const { url } of [hostile, page]) {
      const { stdout, stderr } = await runApigate(['upstreams', 'test', '--url', url], { env: ways['--server']! });
      // oxlint-disable-next-line no-control-regex -- control characters are what it is about
      assert.doesNotMatch(stdout + stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    }
  } finally {
    await hostile.close();
    await page.close();
  }
});

test('a machine without a network: host unreachable', { skip: unlessInstalled('unshare') }, async (context) => {
  const isolated = ['-rn', process.execPath, commandFile, 'upstreams', 'test', '--url', 'http://192.0.2.1:8080'];
  const { code, stdout, stderr } = await run('unshare', isolated, { env: plainEnvironment(ways['the local database']!) });
  if (/unshare: /.test(stderr)) {
    context.skip('this machine makes no network namespaces for its users');
    return;
  }
  assert.equal(code, 1, stderr);
  assert.match(stdout, /It does not answer: Host unreachable/);
  assert.match(stdout, /no way to 192\.0\.2\.1:8080: no route to the upstream's network/);
});
