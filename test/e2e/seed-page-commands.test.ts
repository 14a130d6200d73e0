// Over 300 lines: each command and each block of one page, against one gateway.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { AdminSession } from '../support/admin-session.ts';
import { unlessInstalled } from '../support/foreign-program.ts';
import { PrintedCommands } from '../support/printed-commands.ts';
import { localEnvironment, remoteEnvironment } from '../support/run-apigate.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';
import {
  blocksOf,
  commandsOf,
  printedBlocks,
  printedProperties,
  readUpstreamsPage,
  rowsOf,
  upstreamsPagePath,
} from '../support/upstreams-page.ts';

const page = readUpstreamsPage();
const [
  ,
  ,
  ,
  ,
  creating = '',
  restCreating = '',
  listing = '',
  getting = '',
  updating = '',
  deleting = '',
  naming = '',
  timeouts = '',
  services = '',
] = printedBlocks;

let home: string;
let gateway: Gateway;
let session: AdminSession;
let token: string;
let commands: PrintedCommands;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'apigate-page-'));
  gateway = await startGateway({ admin: true, workers: 2 });
  session = await AdminSession.signIn(gateway);
  token = (await session.must('POST', '/tokens', { name: 'page', scope: 'write' }))['token'] as string;
  commands = await PrintedCommands.prepare(home, gateway.port);
});

afterEach(async () => {
  for (const upstream of await upstreams()) await session.must('DELETE', `/upstreams/${upstream.id}`);
});

after(async () => {
  const code = await gateway?.stop();
  await rm(home, { recursive: true, force: true });
  assert.equal(code, 0);
});

interface Upstream {
  readonly id: string;
  readonly name: string;
  readonly [property: string]: unknown;
}

async function upstreams(): Promise<Upstream[]> {
  return (await session.must('GET', '/upstreams'))['data'] as Upstream[];
}

/** The one upstream there is. */
async function theUpstream(): Promise<Upstream> {
  const all = await upstreams();
  assert.equal(all.length, 1, JSON.stringify(all));
  return all[0]!;
}

async function make(fields: object = {}): Promise<Upstream> {
  return (await session.must('POST', '/upstreams', { name: 'my-api', base_url: 'https://api.example.com', ...fields })) as Upstream;
}

/** The properties of an upstream as the page's table has them, with its defaults where nothing else is given. */
function assertProperties(upstream: Upstream, expected: Readonly<Record<string, unknown>>): void {
  const { id, created_at, updated_at, ...rest } = upstream;
  assert.match(id, /^up_[0-9a-f]{16}$/);
  for (const time of [created_at, updated_at]) assert.equal(new Date(time as string).toISOString(), time);
  const wanted: Record<string, unknown> = {
    description: '',
    timeout_ms: 30_000,
    max_idle_conns: 100,
    idle_conn_timeout_ms: 90_000,
    auth_type: 'none',
    auth_header: null,
    enabled: true,
    auth_value_set: false,
    ...expected,
  };
  for (const [property, value] of Object.entries(wanted)) assert.deepEqual(rest[property], value, property);
  assert.ok(!('auth_value' in upstream), 'auth_value is never returned');
  for (const [property, type] of printedProperties) {
    if (property === 'auth_value') continue;
    const kinds = type === 'int' ? ['number'] : type === 'bool' ? ['boolean'] : ['string', 'null'];
    const value = upstream[property];
    assert.ok(kinds.includes(value === null ? 'null' : typeof value), `${property} is ${JSON.stringify(value)}`);
  }
  for (const value of Object.values(upstream)) assert.notEqual(typeof (value ?? ''), 'object', 'the JSON is flat');
}

test('the commands here are those of the page', { skip: page === undefined && `not there: ${upstreamsPagePath}` }, () => {
  assert.deepEqual(blocksOf(page!), printedBlocks);
  assert.deepEqual(rowsOf(page!, 'Property'), printedProperties);
  assert.deepEqual(rowsOf(page!, 'Setting'), [
    ['max_idle_conns', '100', 'Maximum idle connections'],
    ['idle_conn_timeout_ms', '90000', 'How long idle connections stay open'],
  ]);
});

const created: readonly Readonly<Record<string, unknown>>[] = [
  {},
  { auth_type: 'bearer', auth_value_set: true },
  { timeout_ms: 30_000, max_idle_conns: 100 },
];

for (const way of ['on the local database', 'with APIGATE_SERVER and a token'] as const) {
  const environment = (): Record<string, string> =>
    way === 'on the local database' ? localEnvironment(gateway) : remoteEnvironment(gateway, token);

  describe(`the CLI's blocks, ${way}`, () => {
    for (const [index, command] of commandsOf(creating).entries()) {
      test(`creates: ${oneLine(command)}`, async () => {
        const { code, stdout, stderr } = await commands.apigate(command, environment());
        assert.equal(code, 0, stderr);
        const upstream = await theUpstream();
        assertProperties(upstream, { name: 'my-api', base_url: 'https://api.example.com', ...created[index] });
        assert.ok(stdout.includes(upstream.id), stdout);
        assert.ok(!`${stdout}${stderr}`.includes('secret-token'));
        assert.equal(/history/.test(stderr), command.includes('secret-token'), 'a literal credential is warned of, and nothing else');
      });
    }

    test('lists', async () => {
      const { id } = await make();
      const { code, stdout, stderr } = await commands.apigate(commandsOf(listing)[0]!, environment());
      assert.deepEqual([code, stderr], [0, '']);
      assert.ok(
        ['my-api', 'https://api.example.com', id].every((text) => stdout.includes(text)),
        stdout,
      );
    });

    test('gets one, by id and by name', async () => {
      const upstream = await make({ auth_type: 'bearer', auth_value: 'secret-token' });
      for (const reference of [upstream.id, 'my-api']) {
        const { code, stdout, stderr } = await commands.apigate(commandsOf(getting)[0]!.replace('<id>', reference), environment());
        assert.deepEqual([code, stderr], [0, '']);
        for (const [property] of printedProperties)
          assert.equal(new RegExp(`^${property} `, 'm').test(stdout), property !== 'auth_value', property);
        assert.ok(!stdout.includes('secret-token'));
      }
    });

    test('updates just the timeout', async () => {
      const before = await make({ auth_type: 'bearer', auth_value: 'secret-token', description: 'kept', max_idle_conns: 7 });
      const { code, stderr } = await commands.apigate(commandsOf(updating)[0]!.replace('<id>', before.id), environment());
      assert.deepEqual([code, stderr], [0, '']);
      const { updated_at, ...rest } = await theUpstream();
      assert.deepEqual({ ...rest, updated_at: before['updated_at'] }, { ...before, timeout_ms: 60_000 });
      assert.ok(String(updated_at) > String(before['updated_at']));
    });

    test('deletes', async () => {
      const { id } = await make();
      const { code, stdout } = await commands.apigate(commandsOf(deleting)[0]!.replace('<id>', id), environment());
      assert.deepEqual([code, stdout], [0, '']);
      assert.deepEqual(await upstreams(), []);
    });
  });
}

describe('the best practices', () => {
  test('each service has an upstream of its own, and any name will do', async () => {
    const names = commandsOf(naming).map((command) => command.replace('...', '--url "https://api.example.com"'));
    for (const command of [...commandsOf(services), ...names]) {
      const { code, stderr } = await commands.apigate(command, remoteEnvironment(gateway, token));
      assert.equal(code, 0, stderr);
    }
    const made = (await upstreams()).map(({ name, base_url }) => `${name} ${String(base_url)}`);
    assert.deepEqual(made, [
      'api1 https://api.example.com',
      'auth-service https://auth.internal',
      'backend https://api.example.com',
      'order-service https://orders.internal',
      'payments-service https://api.example.com',
      'user-api-v2 https://api.example.com',
      'user-service https://users.internal',
    ]);
  });

  test('timeouts as the page sets them', async () => {
    const { id } = await make();
    for (const flag of commandsOf(timeouts)) {
      const { code, stderr } = await commands.apigate(`apigate upstreams update ${id} ${flag}`, remoteEnvironment(gateway, token));
      assert.equal(code, 0, stderr);
      assert.equal((await theUpstream())['timeout_ms'], Number(/\d+/.exec(flag)![0]));
    }
  });
});

describe("curl's blocks", { skip: unlessInstalled('curl') }, () => {
  test('creates', async () => {
    const answer = await commands.curl(restCreating.replace('session=YOUR_SESSION', session.cookie));
    assert.equal(answer.status, 201, answer.text);
    const upstream = answer.json() as Upstream;
    assertProperties(upstream, { name: 'my-api', base_url: 'https://api.example.com', auth_type: 'bearer', auth_value_set: true });
    assert.equal(answer.field('location'), `/admin/upstreams/${upstream.id}`);
    assert.match(answer.field('etag') ?? '', /^"[^"]+"$/);
    assert.equal(answer.field('content-type'), 'application/json');
    assert.deepEqual(await theUpstream(), upstream);
    assert.ok(!answer.text.includes('secret-token'));
  });

  test('a second upstream of that name is 409, without a session it is 401, and neither changes anything', async () => {
    const before = await make();
    const again = await commands.curl(restCreating.replace('session=YOUR_SESSION', session.cookie));
    assert.deepEqual([again.status, again.json()['code']], [409, 'conflict']);
    const stranger = await commands.curl(restCreating);
    assert.deepEqual([stranger.status, stranger.json()['code']], [401, 'unauthenticated']);
    assert.deepEqual(await theUpstream(), before);
  });

  test('lists', async () => {
    const upstream = await make({ auth_type: 'bearer', auth_value: 'secret-token' });
    const answer = await commands.curl(commandsOf(listing)[1]!, session.cookie);
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json(), { data: [upstream], total: 1, next_cursor: null });
  });

  test('gets one', async () => {
    const upstream = await make();
    const answer = await commands.curl(commandsOf(getting)[1]!.replace('<id>', upstream.id), session.cookie);
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json(), upstream);
    assertProperties(upstream, {});
  });

  test('updates just the timeout', async () => {
    const before = await make({ auth_type: 'bearer', auth_value: 'secret-token', description: 'kept', max_idle_conns: 7 });
    const answer = await commands.curl(commandsOf(updating)[1]!.replace('<id>', before.id), session.cookie);
    assert.equal(answer.status, 200, answer.text);
    const after = answer.json() as Upstream;
    assert.deepEqual({ ...after, updated_at: before['updated_at'] }, { ...before, timeout_ms: 60_000 });
    assert.ok(String(after['updated_at']) > String(before['updated_at']));
    assert.deepEqual(await theUpstream(), after);
  });

  test('deletes', async () => {
    const { id } = await make();
    const answer = await commands.curl(commandsOf(deleting)[1]!.replace('<id>', id), session.cookie);
    assert.deepEqual([answer.status, answer.text], [204, '']);
    assert.deepEqual(await upstreams(), []);
    const gone = await commands.curl(commandsOf(deleting)[1]!.replace('<id>', id), session.cookie);
    assert.deepEqual([gone.status, gone.json()['code']], [404, 'not_found']);
  });
});

describe('auth_value goes in and never comes out', () => {
  const canary = 'canary-Vw3kq8-never-shown';

  test('neither in answers of REST nor in any output of the CLI', async () => {
    const fields = {
      name: 'secretive',
      base_url: 'https://api.example.com',
      auth_type: 'header',
      auth_header: 'X-API-Key',
      auth_value: canary,
    };
    const made = await session.call('POST', '/upstreams', { body: fields });
    const path = `/upstreams/${String(made.body['id'])}`;
    const answers = [
      made,
      await session.call('GET', '/upstreams'),
      await session.call('GET', path),
      await session.call('GET', '/upstreams/secretive'),
      await session.call('PUT', path, { body: { auth_value: `${canary}-2` } }),
      await session.call('PATCH', path, { body: { auth_type: 'basic', auth_value: `user:${canary}` } }),
      await session.call('POST', '/upstreams', { body: fields }),
      await session.call('PUT', path, { body: { auth_value: `${canary}\r\n` } }),
      await session.call('PUT', path, { body: { auth_type: 'magic', auth_value: canary } }),
      await session.call('PUT', path, { body: `{"auth_value": "${canary}" "` }),
      await session.call('PUT', path, { body: { auth_value: [canary] } }),
      await session.call('PUT', path, { body: { auth_value_encrypted: canary } }),
      await session.call('PUT', path, { body: { auth_value: canary }, headers: { 'if-match': '"stale"' } }),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 200, 200, 200, 200, 200, 409, 422, 422, 400, 422, 422, 412],
    );
    for (const answer of answers) assert.ok(!JSON.stringify([answer.body, answer.headers]).includes(canary), JSON.stringify(answer));
    const calls: readonly (readonly [string, number])[] = [
      ['get secretive -o json', 0],
      ['get secretive -o yaml', 0],
      ['list -o json', 0],
      [`update secretive --auth-type basic --auth-value user:${canary}`, 0],
      [`update secretive --auth-type basic --auth-value ${canary}`, 2],
    ];
    for (const [command, expected] of calls) {
      const env = command.startsWith('get') ? localEnvironment(gateway) : remoteEnvironment(gateway, token);
      const { code, stdout, stderr } = await commands.apigate(`apigate upstreams ${command}`, env);
      assert.equal(code, expected, stderr);
      assert.ok(!`${stdout}${stderr}`.includes(canary), command);
    }
  });

  test('neither in the log nor in the bytes of the database', async () => {
    await make({ name: 'stored', auth_type: 'bearer', auth_value: canary });
    assert.ok(!gateway.output.includes(canary));
    for (const file of await readdir(gateway.directory)) {
      assert.ok(!(await readFile(join(gateway.directory, file))).includes(canary), file);
    }
  });
});

function oneLine(command: string): string {
  return command.replaceAll(/\s*\\\n\s*/g, ' ');
}
