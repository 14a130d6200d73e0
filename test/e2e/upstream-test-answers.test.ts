import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { UpstreamTest } from '../../src/model/upstream-test.ts';
import { eventually } from '../support/eventually.ts';
import { answerOk, type ScriptedUpstream, type Script, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { AdminSession } from '../support/admin-session.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';

let gateway: Gateway;
const upstreams: ScriptedUpstream[] = [];
let names = 0;

before(async () => {
  gateway = await startGateway({ admin: true });
});
after(async () => {
  await Promise.all(upstreams.map((each) => each.close()));
  await gateway.stop();
});

async function scripted(script: Script): Promise<ScriptedUpstream> {
  const started = await startScriptedUpstream(script);
  upstreams.push(started);
  return started;
}

async function saved(fields: Readonly<Record<string, unknown>>): Promise<string> {
  const made = await gateway.admin.must('POST', '/upstreams', { name: `u${(names += 1)}`, ...fields });
  return String(made['id']);
}

async function tried(id: string, body?: Readonly<Record<string, unknown>>): Promise<UpstreamTest> {
  return (await gateway.admin.must('POST', `/upstreams/${id}/test`, body)) as unknown as UpstreamTest;
}

const answering =
  (status: string, fields: readonly string[] = [], body = ''): Script =>
  async (_request, connection) => {
    await connection.write(`HTTP/1.1 ${status}\r\n${[...fields, `Content-Length: ${Buffer.byteLength(body)}`].join('\r\n')}\r\n\r\n`);
    await connection.write(Buffer.from(body));
  };

test('401 and 403 with a credential: it is likely wrong; without one: set it', async () => {
  for (const status of [401, 403]) {
    const upstream = await scripted(answering(`${status} No`));
    const withOne = await tried(await saved({ base_url: upstream.url, auth_type: 'bearer', auth_value: 'canary-one' }));
    assert.equal(withOne.problem?.kind, 'credential_rejected');
    assert.match(
      withOne.problem.cause,
      new RegExp(`answers ${status} although the credential was sent \\(Authorization: Bearer \\*{8}\\)`),
    );
    assert.equal(withOne.answers, true, 'it does answer');
    assert.equal((await tried(await saved({ base_url: upstream.url }))).problem?.kind, 'credential_wanted');
    assert.equal(upstream.requests[0]!.value('authorization'), 'Bearer canary-one');
    assert.equal(upstream.requests[1]!.value('authorization'), undefined);
  }
});

test('a redirect to a sign-in page is one, another redirect is only told', async () => {
  for (const location of ['https://accounts.example.com/login?next=/', '/sign-in', 'https://idp.example.com/oauth2/authorize']) {
    const upstream = await scripted(answering('302 Found', [`Location: ${location}`]));
    const found = await tried(await saved({ base_url: upstream.url }));
    assert.equal(found.problem?.kind, 'sign_in_redirect', location);
    assert.ok(found.problem.cause.includes(location));
    assert.equal(upstream.requests.length, 1, 'it is not followed');
  }
  const moved = await scripted(answering('301 Moved', ['Location: https://new.example.com/authors/']));
  const found = await tried(await saved({ base_url: moved.url }));
  assert.equal(found.problem, null);
  assert.match(found.notes.join(), /answers 301 and sends to https:\/\/new\.example\.com\/authors\//);
});

test('5xx answers, with an error; 404 is an answer like others', async () => {
  const broken = await scripted(answering('503 Down', [], 'maintenance'));
  const found = await tried(await saved({ base_url: broken.url }));
  assert.deepEqual([found.problem?.kind, found.answers, found.answer?.status], ['error_answer', true, 503]);
  assert.equal(found.answer?.body_start, 'maintenance');
  const missing = await tried(await saved({ base_url: (await scripted(answering('404 Not Found'))).url }));
  assert.deepEqual([missing.problem, missing.answers], [null, true]);
  assert.deepEqual(missing.notes, ['It answers 404 for this path, so the service can be reached.', 'Test a path that exists.']);
});

test('the credential is nowhere in the result, in whatever form the upstream sends it back', async () => {
  const echo: Script = async (request, connection) => {
    const all = request.fields.map(([name, value]) => `${name}: ${value}`).join('\n');
    const value = request.value('x-key') ?? request.value('authorization')!.replace(/^\w+ /, '');
    const body = `${all}\n${JSON.stringify(all)}\n${Buffer.from(value).toString('base64')} ${encodeURIComponent(value)} ${value.toUpperCase()}`;
    await connection.write(
      `HTTP/1.1 302 ${value}\r\nServer: ${value}\r\nLocation: /login?k=${encodeURIComponent(value)}\r\nContent-Type: ${value}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  };
  const upstream = await scripted(echo);
  const basic = 'robot:canary-Pass word&9';
  for (const fields of [
    { auth_type: 'bearer', auth_value: 'canary-"quoted"-b1' },
    { auth_type: 'header', auth_header: 'X-Key', auth_value: 'canary-key-<2>' },
    { auth_type: 'basic', auth_value: basic },
  ]) {
    const text = JSON.stringify(await tried(await saved({ base_url: upstream.url, ...fields })));
    assert.match(text, /\*{8}/);
    assert.doesNotMatch(text, /canary/i);
    for (const form of [basic, fields.auth_value]) assert.ok(!text.includes(Buffer.from(form).toString('base64').replace(/=+$/, '')), text);
  }
});

test('a credential that is cut off at the end of what came is not shown in part', async () => {
  const secret = `canary-${'x'.repeat(60)}-end`;
  const upstream = await scripted(async (_request, connection) => {
    await connection.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n');
    await connection.write(`you sent ${secret.slice(0, 40)}`);
  });
  const found = await tried(await saved({ base_url: upstream.url, auth_type: 'bearer', auth_value: secret }));
  assert.equal(found.answer?.body_start, 'you sent ');
});

test('bodies that are not text are not shown', async () => {
  for (const [fields, body] of [
    [['Content-Encoding: gzip'], 'looks like text'],
    [[], '\u0000\u0001binary'],
  ] as const) {
    const upstream = await scripted(answering('200 OK', fields, body));
    assert.equal((await tried(await saved({ base_url: upstream.url }))).answer?.body_start, null);
  }
});

test('a credential that cannot be produced: the way there is tested, nothing is sent', async () => {
  const upstream = await scripted(answerOk);
  const id = await saved({ base_url: upstream.url, auth_type: 'bearer', auth_value: '${env.NO_SUCH_VARIABLE}' });
  const found = await tried(id);
  assert.equal(found.problem?.kind, 'credential_unavailable');
  assert.match(found.problem.cause, /the environment variable NO_SUCH_VARIABLE is not set\. Nothing was sent\.$/);
  assert.deepEqual(
    found.steps.map(({ step, result }) => `${step} ${result}`),
    ['dns skipped', 'tcp ok', 'tls skipped', 'credential failed', 'answer skipped', 'first_byte skipped'],
  );
  assert.equal(upstream.receivedBytes, 0);
  const file = join(gateway.directory, 'token');
  writeFileSync(file, 'from-a-file\n');
  assert.equal((await tried(id, { upstream: { auth_value: `\${file:${file}}` } })).problem, null);
  assert.equal(upstream.requests[0]!.value('authorization'), 'Bearer from-a-file');
  rmSync(file);
});

test('a disabled upstream is tested all the same, and it is said that it is', async () => {
  const upstream = await scripted(answerOk);
  const found = await tried(await saved({ base_url: upstream.url, enabled: false }));
  assert.deepEqual([found.problem, found.answer?.status, found.upstream.enabled], [null, 200, false]);
  assert.match(found.notes.join(), /is disabled: requests to it answer 503/);
});

test('changes over a saved upstream are tested and not stored; the stored credential goes only where saving would send it', async () => {
  const home = await scripted(answerOk);
  const thief = await scripted(answerOk);
  const id = await saved({ base_url: home.url, auth_type: 'bearer', auth_value: 'canary-stored' });
  const before = await gateway.admin.must('GET', `/upstreams/${id}`);
  const found = await tried(id, { upstream: { base_url: `${home.url}/v2`, timeout_ms: 900 }, path: '/x' });
  assert.equal(found.problem, null);
  assert.deepEqual(
    home.requests.map((request) => [request.target, request.value('authorization')]),
    [['/v2/x', 'Bearer canary-stored']],
  );
  for (const upstream of [
    { base_url: thief.url },
    { base_url: home.url.replace('127.0.0.1', 'localhost') },
    { auth_type: 'header', auth_header: 'X-Other' },
    { auth_type: 'basic' },
    { base_url: thief.url, auth_type: 'basic' },
  ]) {
    const refused = await gateway.admin.call('POST', `/upstreams/${id}/test`, { upstream });
    assert.equal(refused.status, 422, JSON.stringify(upstream));
    assert.match(JSON.stringify(refused.body['errors']), /"field":"upstream\.auth_value","message":"must be given again/);
  }
  const own = await tried(id, { upstream: { base_url: thief.url, auth_value: 'mine' } });
  assert.equal(own.problem, null);
  const none = await tried(id, { upstream: { base_url: thief.url, auth_type: 'none' } });
  assert.equal(none.problem, null);
  assert.deepEqual(
    thief.requests.map((request) => request.value('authorization')),
    ['Bearer mine', undefined],
  );
  assert.deepEqual(await gateway.admin.must('GET', `/upstreams/${id}`), before, 'nothing is stored');
});

test('a test needs the authority to write, and an upstream that is there', async () => {
  const upstream = await scripted(answerOk);
  const id = await saved({ base_url: upstream.url });
  const tokenOf = async (scope: string): Promise<AdminSession> =>
    AdminSession.withToken(
      gateway,
      String((await gateway.admin.must('POST', '/tokens', { name: `${scope} ${(names += 1)}`, scope }))['token']),
    );
  assert.equal((await (await tokenOf('read')).call('POST', `/upstreams/${id}/test`)).status, 403);
  assert.equal(
    (await (await tokenOf('read')).call('POST', '/upstreams/test', { body: { upstream: { base_url: upstream.url } } })).status,
    403,
  );
  assert.equal(upstream.connections.length, 0);
  assert.equal((await (await tokenOf('write')).call('POST', `/upstreams/${id}/test`)).status, 200);
  assert.equal((await gateway.admin.call('POST', '/upstreams/up_0000000000000000/test')).status, 404);
  assert.equal((await gateway.admin.call('POST', '/upstreams/no-such/test', {})).status, 404);
  assert.equal((await (await tokenOf('write')).call('POST', `/upstreams/${id}/test`, { body: 'x', type: 'text/plain' })).status, 415);
});

test('more tests at once than a process takes are refused with 429, and later ones go through again', async () => {
  const upstream = await scripted(() => {});
  const id = await saved({ base_url: upstream.url });
  const waiting = Array.from({ length: 16 }, () => tried(id, { wait_ms: 25_000 }));
  await eventually(() => upstream.requests.length === 16, 'sixteen tests under way', 12_000);
  const refused = await gateway.admin.call('POST', `/upstreams/${id}/test`);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers['retry-after'], '1');
  await upstream.dropConnections();
  await Promise.all(waiting);
  upstream.script = answerOk;
  assert.equal((await tried(id)).problem, null);
});

test('the last of an upstream’s connections is closed after the test', async () => {
  const upstream = await scripted(answerOk);
  await tried(await saved({ base_url: upstream.url }));
  await eventually(() => upstream.open.length === 0, 'no connection is left');
});
