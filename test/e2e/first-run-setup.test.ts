import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { AdminSession } from '../support/admin-session.ts';
import { eventually } from '../support/eventually.ts';
import { mustRun, unlessInstalled } from '../support/foreign-program.ts';
import { PrintedCommands } from '../support/printed-commands.ts';
import { localEnvironment, runApigate } from '../support/run-apigate.ts';
import { refusedStart, scopedGateway } from '../support/scoped-gateway.ts';
import type { Gateway } from '../support/start-gateway.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** The one-time code on the gateway's terminal. */
async function codeOf(gateway: Gateway): Promise<string> {
  await bannerOf(gateway);
  const code = /One-time set-up code: (\S+)/.exec(gateway.stderr)?.[1];
  assert.ok(code !== undefined, gateway.stderr);
  return code;
}

/** What the gateway tells the person who starts it, which may come an instant after it is ready. */
async function bannerOf(gateway: Gateway): Promise<string> {
  await eventually(
    () => /Try next:\n.+\n\n/.test(gateway.stderr),
    () => `the banner\n${gateway.output}`,
  );
  return gateway.stderr;
}

function setUp(gateway: Gateway, body: object): ReturnType<AdminSession['call']> {
  return new AdminSession(gateway, {}).call('POST', '/setup', { body });
}

async function assertNowhere(gateway: Gateway, secret: string): Promise<void> {
  assert.ok(!JSON.stringify([gateway.lines, gateway.otherOutput]).includes(secret), 'not in the log');
  for (const file of await readdir(gateway.directory)) assert.ok(!(await readFile(join(gateway.directory, file))).includes(secret), file);
}

const first = { email: 'ann@example.test', password: 'a rather long password' };

describe('the first start on a fresh database', () => {
  test(
    'prints the address, a set-up code and a next step; the curl that it prints makes the first admin',
    { skip: unlessInstalled('curl') },
    async (context) => {
      const gateway = await scopedGateway(context, {});
      const code = await codeOf(gateway);
      assert.match(code, /^(?:[0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}$/);
      assert.equal(gateway.stderr.split('There is no admin yet').length, 2, 'said once');
      assert.ok(gateway.stderr.includes(`http://127.0.0.1:${gateway.port}`), gateway.stderr);
      assert.match(gateway.stderr, /Try next:\n\s+npx apigate upstreams create --name my-api --url https:\/\/api\.example\.com/);
      await assertNowhere(gateway, code);
      const files = await readdir(gateway.directory);
      for (const file of files) {
        const mode = (await stat(join(gateway.directory, file))).mode & 0o777;
        assert.equal(mode.toString(8), '600', `${file} is for nobody else to read`);
      }
      assert.ok(files.includes('apigate.db.key'), 'with a key file beside the database');

      const printed = /^\s*(curl .*)$/m.exec(gateway.stderr)![1]!;
      const home = await temporaryDirectory(context);
      const commands = await PrintedCommands.prepare(home, gateway.port);
      const answer = await commands.curl(printed);
      assert.equal(answer.status, 201, answer.text);
      assert.deepEqual([answer.json()['email'], 'password' in answer.json()], ['you@example.com', false]);
      assert.match(answer.field('set-cookie') ?? '', /^session=[\w-]{20,}; HttpOnly; SameSite=Strict; Path=\/$/);
      const again = await commands.curl(printed);
      assert.deepEqual([again.status, again.json()['code']], [409, 'conflict']);
    },
  );

  test('APIGATE_SECRET_KEY takes the place of a key file', async (context) => {
    const { directory } = await scopedGateway(context, { env: { APIGATE_SECRET_KEY: '5'.repeat(64) } });
    assert.ok(!(await readdir(directory)).some((file) => /key/.test(file)));
  });
});

describe('set-up', () => {
  test('nothing is open before it; wrong codes and bad admins are refused; it works once', async (context) => {
    const gateway = await scopedGateway(context, {});
    const anonymous = new AdminSession(gateway, {});
    for (const path of ['/upstreams', '/me', '/admins']) assert.equal((await anonymous.call('GET', path)).status, 401);
    assert.equal((await anonymous.call('POST', '/login', { body: first })).status, 401);
    assert.deepEqual((await anonymous.call('GET', '/setup')).body, { required: true });

    const code = await codeOf(gateway);
    const wrong = await setUp(gateway, { ...first, code: code.replaceAll(/[0-9]/g, 'Z') });
    assert.deepEqual([wrong.status, wrong.body['code']], [401, 'invalid_credentials']);
    const short = await setUp(gateway, { code, email: 'nobody', password: 7 });
    assert.equal(short.status, 422);
    assert.deepEqual(
      (short.body['errors'] as { field: string }[]).map(({ field }) => field).toSorted((one, other) => one.localeCompare(other)),
      ['email', 'password'],
    );
    assert.equal((await setUp(gateway, { code, email: first.email, password: 'short' })).status, 422);
    assert.deepEqual((await anonymous.call('GET', '/setup')).body, { required: true }, 'refused tries use nothing up');

    // As people type it: in lower case, without dashes.
    const made = await setUp(gateway, { ...first, code: code.toLowerCase().replaceAll('-', '') });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.deepEqual((await anonymous.call('GET', '/setup')).body, { required: false });
    for (const body of [
      { ...first, code },
      { email: 'bob@example.test', password: first.password, code },
      { ...first, code: 'wrong' },
    ]) {
      assert.equal((await setUp(gateway, body)).status, 409);
    }
    const cookie = made.headers['set-cookie']![0]!.split(';')[0]!;
    assert.equal((await new AdminSession(gateway, { cookie }).must('GET', '/admins'))['total'], 1);
    await assertNowhere(gateway, first.password);
  });

  test('M09 of several at once exactly one succeeds', async (context) => {
    const gateway = await scopedGateway(context, {});
    const code = await codeOf(gateway);
    const answers = await Promise.all(
      Array.from({ length: 4 }, (_, index) => setUp(gateway, { code, email: `admin-${index}@example.test`, password: first.password })),
    );
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((one, other) => one - other),
      [201, 409, 409, 409],
    );
    const cookie = answers.find(({ status }) => status === 201)!.headers['set-cookie']![0]!.split(';')[0]!;
    assert.equal((await new AdminSession(gateway, { cookie }).must('GET', '/admins'))['total'], 1);
  });

  test('a restart before it prints another code, and the earlier one is worth nothing', async (context) => {
    const directory = await temporaryDirectory(context);
    const before = await scopedGateway(context, { directory });
    await bannerOf(before);
    assert.equal(await before.stop(), 0);
    const gateway = await scopedGateway(context, { directory });
    const [old, code] = [await codeOf(before), await codeOf(gateway)];
    assert.notEqual(code, old);
    assert.equal((await setUp(gateway, { ...first, code: old })).status, 401);
    assert.equal((await setUp(gateway, { ...first, code })).status, 201);
    assert.equal(await gateway.stop(), 0);
    const third = await scopedGateway(context, { directory });
    assert.doesNotMatch(await bannerOf(third), /code|no admin yet/);
  });
});

describe('APIGATE_ADMIN_EMAIL and APIGATE_ADMIN_PASSWORD', () => {
  const env = { APIGATE_ADMIN_EMAIL: 'Ann@Example.test', APIGATE_ADMIN_PASSWORD: first.password };

  test('make the first admin instead of a code; later they change nothing', async (context) => {
    const directory = await temporaryDirectory(context);
    const gateway = await scopedGateway(context, { directory, env });
    assert.doesNotMatch(await bannerOf(gateway), /code|no admin yet/);
    const session = await AdminSession.signIn(gateway, first.email, first.password);
    assert.equal((await setUp(gateway, { ...first, code: 'any' })).status, 409);
    await assertNowhere(gateway, first.password);
    assert.equal(await gateway.stop(), 0);

    const again = await scopedGateway(context, {
      directory,
      env: { APIGATE_ADMIN_EMAIL: 'eve@example.test', APIGATE_ADMIN_PASSWORD: 'another long password' },
    });
    assert.equal(
      (await new AdminSession(again, {}).call('POST', '/login', { body: { email: 'eve@example.test', password: 'another long password' } }))
        .status,
      401,
    );
    assert.equal(
      (await new AdminSession(again, { cookie: session.cookie }).must('GET', '/me'))['label'],
      first.email,
      'a session lives through a restart',
    );
  });

  test('the password may come from a file', async (context) => {
    const directory = await temporaryDirectory(context);
    const file = join(directory, 'password.txt');
    await writeFile(file, `${first.password}\n`);
    const gateway = await scopedGateway(context, {
      directory,
      env: { APIGATE_ADMIN_EMAIL: first.email, APIGATE_ADMIN_PASSWORD_FILE: file },
    });
    await AdminSession.signIn(gateway, first.email, first.password);
  });

  for (const [what, wrong, message] of [
    ['a short password', { ...env, APIGATE_ADMIN_PASSWORD: 'canary-pw' }, /password must have at least 12 characters/],
    ['no address', { ...env, APIGATE_ADMIN_EMAIL: 'ann' }, /e-mail/],
    ['one without the other', { APIGATE_ADMIN_EMAIL: first.email }, /admin_password|APIGATE_ADMIN_PASSWORD/],
  ] as const) {
    test(`${what} stops the start with the reason`, async (context) => {
      const refused = await refusedStart(context, { env: wrong });
      assert.notEqual(refused.code, 0);
      assert.match(refused.message, message);
      assert.doesNotMatch(refused.message, /canary-|\n\s+at /);
    });
  }
});

describe('signing in and out', () => {
  test('with curl, whose cookie jar keeps the session as a browser would', { skip: unlessInstalled('curl') }, async (context) => {
    const gateway = await scopedGateway(context, { env: { APIGATE_ADMIN_EMAIL: first.email, APIGATE_ADMIN_PASSWORD: first.password } });
    const home = await temporaryDirectory(context);
    const jar = join(home, 'jar');
    const curl = async (...args: string[]): Promise<{ readonly status: number; readonly body: string }> => {
      const { stdout } = await mustRun(
        'curl',
        ['--silent', '--show-error', '--max-time', '10', '--cookie', jar, '--cookie-jar', jar, '--write-out', '\n%{http_code}', ...args],
        { env: { PATH: process.env['PATH'] } },
      );
      const end = stdout.lastIndexOf('\n');
      return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
    };
    const json = ['--header', 'Content-Type: application/json'];
    assert.equal((await curl(`${gateway.url}/admin/me`)).status, 401);
    assert.equal(
      (await curl(...json, '--data', JSON.stringify({ ...first, password: 'not the password' }), `${gateway.url}/admin/login`)).status,
      401,
    );
    const login = await curl(...json, '--data', JSON.stringify(first), `${gateway.url}/admin/login`);
    assert.equal(login.status, 200, login.body);
    assert.equal((JSON.parse(login.body) as { email: string }).email, first.email);
    assert.match(
      await readFile(jar, 'utf8'),
      /^#HttpOnly_127\.0\.0\.1\tFALSE\t\/\tFALSE\t0\tsession\t\S+$/m,
      'this host alone, until the browser closes',
    );
    const me = await curl(`${gateway.url}/admin/me`);
    assert.deepEqual([me.status, (JSON.parse(me.body) as { label: string }).label], [200, first.email]);
    const kept = /session\t(\S+)/.exec(await readFile(jar, 'utf8'))![1]!;
    assert.equal((await curl('--request', 'POST', `${gateway.url}/admin/logout`)).status, 204);
    assert.equal((await curl(`${gateway.url}/admin/me`)).status, 401);
    assert.equal(
      (await new AdminSession(gateway, { cookie: `session=${kept}` }).call('GET', '/me')).status,
      401,
      'the session itself has ended',
    );
    await assertNowhere(gateway, kept);
  });
});

describe('the CLI before and without a gateway', () => {
  test('makes no database; while no gateway runs it works on the one there is, and the next start serves what it made', async (context) => {
    const directory = await temporaryDirectory(context);
    const create = [
      'upstreams',
      'create',
      '--name',
      'made while away',
      '--url',
      'http://backend.test',
      '--auth-type',
      'bearer',
      '--auth-value',
      '-',
    ];
    const early = await runApigate(create, { cwd: directory, env: { APIGATE_DATABASE_DSN: 'apigate.db' }, input: 'canary' });
    assert.deepEqual([early.code, early.stdout, await readdir(directory)], [1, '', []]);
    assert.match(early.stderr, /There is no database at .*Start the gateway once \("apigate serve"\)/);

    const gateway = await scopedGateway(context, { directory, admin: true });
    const env = localEnvironment(gateway);
    assert.equal(await gateway.stop(), 0);
    const away = await runApigate(create, { env, input: 'canary' });
    assert.deepEqual([away.code, away.stderr.includes('Warning')], [0, false], away.stderr);
    const again = await scopedGateway(context, { directory });
    const session = await AdminSession.signIn(again);
    assert.equal((await session.must('GET', '/upstreams/made%20while%20away'))['auth_value_set'], true);
  });

  test('judges own addresses by the gateway that runs, not by its own defaults', async (context) => {
    const gateway = await scopedGateway(context, {});
    // Whoever started the gateway with flags has told them to nobody else.
    const env = { APIGATE_DATABASE_DSN: join(gateway.directory, 'apigate.db') };
    const beside = await runApigate(['upstreams', 'create', '--name', 'beside', '--url', 'http://localhost:8080'], { env });
    assert.equal(beside.code, 0, beside.stderr);
    const circle = await runApigate(['upstreams', 'create', '--name', 'circle', '--url', `http://127.0.0.1:${gateway.port}`], { env });
    assert.deepEqual([circle.code, /--url: must not lead back to this gateway/.test(circle.stderr)], [2, true], circle.stderr);
    const route = await runApigate(['routes', 'create', '--name', 'r', '--path', '/r', '--upstream', 'beside', '--no-auth'], { env });
    assert.match(route.stderr, new RegExp(`curl http://\\S+:${gateway.port}/r$`, 'm'), 'the curl that it suggests leads to the gateway');
  });
});
