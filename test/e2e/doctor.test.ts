import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import type { DoctorFinding } from '../../src/model/doctor-finding.ts';
import { freePort } from '../support/free-port.ts';
import { localEnvironment, remoteEnvironment, runApigate } from '../support/run-apigate.ts';
import { answerOk, type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

let gateway: Gateway;
let upstream: ScriptedUpstream;
/** A copy of the database and its key, made while no gateway had it open. */
let stopped: string;

before(async () => {
  upstream = await startScriptedUpstream(answerOk);
  gateway = await startGateway({ admin: true });
  await gateway.admin.must('POST', '/upstreams', {
    name: 'good',
    base_url: upstream.url,
    auth_type: 'bearer',
    auth_value: 'canary-doctor',
  });
  const first = new Promise<void>((resolve) => gateway.process.once('exit', () => resolve()));
  gateway.process.kill('SIGTERM');
  await first;
  stopped = `${gateway.directory}-stopped`;
  mkdirSync(stopped);
  for (const file of ['apigate.db', 'apigate.db.key']) cpSync(join(gateway.directory, file), join(stopped, file));
  gateway = await startGateway({ admin: true, directory: gateway.directory });
});
after(async () => {
  await gateway.stop();
  await upstream.close();
  for (const directory of [gateway.directory, stopped]) rmSync(directory, { recursive: true, force: true });
});

interface Diagnosis {
  readonly code: number | string;
  readonly findings: readonly DoctorFinding[];
  /** The finding about one thing; fails the test where there is none. */
  readonly of: (check: string) => DoctorFinding;
}

async function diagnose(env: Readonly<Record<string, string>>, args: readonly string[] = [], cwd?: string): Promise<Diagnosis> {
  const { code, stdout, stderr } = await runApigate(['doctor', '-o', 'json', ...args], { env, ...(cwd === undefined ? {} : { cwd }) });
  assert.doesNotMatch(stdout + stderr, /canary|    at /);
  const findings = JSON.parse(stdout) as DoctorFinding[];
  for (const finding of findings)
    assert.equal(finding.mend === null && finding.result !== 'ok' && finding.result !== 'skipped', false, JSON.stringify(finding));
  assert.equal(code, findings.some(({ result }) => result === 'broken') ? 1 : 0);
  return {
    code,
    findings,
    of(check) {
      const found = findings.filter((finding) => finding.check === check);
      assert.ok(found.length > 0, `nothing about ${check} in ${JSON.stringify(findings)}`);
      return found.find(({ result }) => result !== 'ok') ?? found[0]!;
    },
  };
}

/** A database of the test's own, which no gateway serves. */
async function copyOfDatabase(
  context: Parameters<typeof temporaryDirectory>[0],
): Promise<{ directory: string; path: string; env: Record<string, string> }> {
  const directory = await temporaryDirectory(context);
  for (const file of ['apigate.db', 'apigate.db.key']) cpSync(join(stopped, file), join(directory, file));
  const path = join(directory, 'apigate.db');
  const env = { APIGATE_DATABASE_DSN: path, APIGATE_SERVER_HOST: '127.0.0.1', APIGATE_SERVER_PORT: String(await freePort()) };
  return { directory, path, env };
}

/** Names, sizes, times and contents of everything in a directory. */
function stateOf(directory: string): string {
  return readdirSync(directory)
    .toSorted()
    .map((name) => {
      const { size, mtimeMs, mode } = statSync(join(directory, name));
      return `${name} ${size} ${mtimeMs} ${mode} ${createHash('sha256')
        .update(readFileSync(join(directory, name)))
        .digest('hex')}`;
    })
    .join('\n');
}

test('a fresh checkout: all is well, and nothing is made', async (context) => {
  const directory = await temporaryDirectory(context);
  const port = String(await freePort());
  const { code, of } = await diagnose({ APIGATE_SERVER_PORT: port, APIGATE_MAX_CONNECTIONS: '10' }, [], directory);
  assert.equal(code, 0);
  assert.match(of('database').found, /there is none .* yet; the first start of the gateway makes it/);
  assert.match(of(`port ${port}`).found, /^it is free/);
  assert.match(of('settings').found, /^2 from the environment/);
  assert.equal(of('open files').result === 'broken', false);
  assert.match(of('trust store').found, /^\d+ CA certificates are trusted|has no certificates/);
  assert.deepEqual(readdirSync(directory), []);
});

test('a stopped gateway: database, key, port and upstreams are looked at, and not a byte is changed', async (context) => {
  const { directory, env } = await copyOfDatabase(context);
  const before = stateOf(directory);
  const { code, of } = await diagnose(env);
  assert.equal(code, 0);
  assert.match(of('database').found, /is sound \(schema version \d+\)/);
  assert.equal(of('secret key').found, 'it fits the database');
  assert.match(of('upstream good').found, /^answers 200 in \d+ ms$/);
  assert.equal(upstream.requests.at(-1)!.value('authorization'), 'Bearer canary-doctor');
  assert.equal(stateOf(directory), before);
});

test('a running gateway: found, ready, and not disturbed', async () => {
  const files = readdirSync(gateway.directory).toSorted();
  const { code, of } = await diagnose(localEnvironment(gateway));
  assert.equal(code, 0);
  assert.equal(of('gateway').found, `it runs on http://127.0.0.1:${gateway.port} and is ready`);
  assert.equal(of('clock').result, 'ok');
  assert.deepEqual(readdirSync(gateway.directory).toSorted(), files);
  assert.equal(await gateway.status('/readyz'), 200);
});

test('a running gateway that does not answer is broken', async () => {
  gateway.process.kill('SIGSTOP');
  try {
    const { code, of } = await diagnose(localEnvironment(gateway));
    assert.equal(code, 1);
    assert.match(of('gateway').found, /does not answer there: no answer within 3000 ms/);
  } finally {
    gateway.process.kill('SIGCONT');
  }
});

test('the readable form for people has what is wrong and how to mend it', async (context) => {
  const { env } = await copyOfDatabase(context);
  await gateway.admin.must('GET', '/upstreams');
  const { code, stdout, stderr } = await runApigate(['doctor'], { env: { ...env, APIGATE_FOO: '1' } });
  assert.equal(code, 1);
  assert.match(stdout, /^broken {3}settings: APIGATE_FOO \(environment APIGATE_FOO\): no such setting\n {9}→ unset it$/m);
  assert.match(stderr, /1 thing is broken/);
});

test('a port that another program has, and one that another gateway has', async (context) => {
  const { env } = await copyOfDatabase(context);
  const taken = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as net.AddressInfo;
  try {
    const { of } = await diagnose({ ...env, APIGATE_SERVER_PORT: String(port) });
    assert.deepEqual([of(`port ${port}`).result, of(`port ${port}`).found], ['broken', 'another program has it']);
  } finally {
    taken.close();
  }
  const { of } = await diagnose({ ...env, APIGATE_SERVER_PORT: String(gateway.port) });
  assert.equal(of(`port ${gateway.port}`).found, 'another APIGate gateway, on another database, has it');
});

test('wrong key, damaged database: each is told, nothing is mended by force', async (context) => {
  const { path, env } = await copyOfDatabase(context);
  const wrong = await diagnose({ ...env, APIGATE_SECRET_KEY: 'ab'.repeat(32) });
  assert.match(wrong.of('secret key').found, /sealed with secret key [0-9a-f]{8}, but APIGATE_SECRET_KEY is key/);
  assert.equal(wrong.of('upstreams').result, 'skipped', 'without the key there is nothing to test with');
  const damaged = readFileSync(path).fill(0xff, 4096 * 3, 4096 * 6);
  writeFileSync(path, damaged);
  assert.match((await diagnose(env)).of('database').found, /damaged/);
  assert.deepEqual(readFileSync(path), damaged, 'left as it is');
});

test('an upstream that does not answer, and a last change in the future', async (context) => {
  const { path, env } = await copyOfDatabase(context);
  const database = new DatabaseSync(path);
  database.exec(`UPDATE upstreams SET base_url = 'http://127.0.0.1:${await freePort()}', updated_at = ${Date.now() + 3 * 3_600_000}`);
  database.close();
  const { code, of } = await diagnose(env);
  assert.equal(code, 1);
  assert.match(of('upstream good').found, /^Connection refused: nothing listens on 127\.0\.0\.1:\d+$/);
  assert.match(of('upstream good').mend!, /Is the service running/);
  assert.deepEqual([of('clock').result, /3 h in the future/.test(of('clock').found)], ['warning', true]);
});

test('from elsewhere: what can be told with a token, and what cannot', async () => {
  const tokenOf = async (scope: string): Promise<string> =>
    String((await gateway.admin.must('POST', '/tokens', { name: `doctor ${scope}`, scope }))['token']);
  const { code, of } = await diagnose(remoteEnvironment(gateway, await tokenOf('write')));
  assert.equal(code, 0);
  assert.match(of('gateway').found, /^APIGate .* serves revision \d+$/);
  assert.match(of('upstream good').found, /^answers 200/);
  assert.equal(of('clock').result, 'ok');
  assert.match(of('the machine').mend!, /on the gateway's machine/);
  const reader = await diagnose(remoteEnvironment(gateway, await tokenOf('read')));
  assert.match(reader.of('upstreams').found, /this token may not write/);
  const nobody = await runApigate(['doctor'], { env: { APIGATE_SERVER: `http://127.0.0.1:${await freePort()}`, APIGATE_TOKEN: 'agt_1' } });
  assert.equal(nobody.code, 6);
});
