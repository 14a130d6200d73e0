// Over 300 lines: one gateway serves all of these, asked by the command, over REST and by requests.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ApplyResult } from '../../src/model/declared-config.ts';
import type { Explanation } from '../../src/model/explanation.ts';
import { AdminSession } from '../support/admin-session.ts';
import { eventually } from '../support/eventually.ts';
import { named } from '../support/explained-request.ts';
import { run, unlessInstalled } from '../support/foreign-program.ts';
import { localEnvironment, plainEnvironment, remoteEnvironment, runApigate } from '../support/run-apigate.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';

let gateway: Gateway;
let upstream: ScriptedUpstream;
let readToken: string;
let key: string;
/** Nothing that holds one of these may be answered or printed. */
let canaries: string[];

before(async () => {
  upstream = await startScriptedUpstream(named('api'));
  gateway = await startGateway({
    admin: true,
    env: { APIGATE_TRANSFORM_ENV: 'STAGE', STAGE: 'canary-stage', BACKEND_TOKEN: 'canary-reference' },
  });
  const { admin } = gateway;
  await admin.must('POST', '/upstreams', { name: 'api', base_url: upstream.url, auth_type: 'bearer', auth_value: 'canary-bearer' });
  await admin.must('POST', '/upstreams', {
    name: 'by-reference',
    base_url: upstream.url,
    auth_type: 'basic',
    auth_value: '${env.BACKEND_TOKEN}',
  });
  await admin.must('POST', '/routes', { name: 'users', path_pattern: '/v1/users', host_pattern: 'api.test', upstream_id: 'api' });
  await admin.must('POST', '/routes', {
    name: 'open',
    path_pattern: '/open',
    upstream_id: 'api',
    auth_required: false,
    path_rewrite: '/${env.STAGE}/$1',
    request_transform: {
      headers: { set: { 'X-Stage': 'it is ${env.STAGE}' }, remove: ['Authorization'] },
      body: { json: { inject: { stage: '${env.STAGE}' }, mask: ['email'] } },
    },
  });
  const made = await admin.must('POST', '/keys', { name: 'phone', rate_limit_per_minute: 60 });
  key = made['key'] as string;
  const session = await AdminSession.signIn(gateway);
  readToken = (await session.must('POST', '/tokens', { name: 'reader', scope: 'read' }))['token'] as string;
  canaries = [
    'canary-bearer',
    'canary-stage',
    'canary-reference',
    'canary-client',
    'canary-draft',
    key,
    Buffer.from('canary-reference').toString('base64'),
  ];
});

after(async () => {
  const code = await gateway?.stop();
  await upstream?.close();
  assert.equal(code, 0);
});

function assertNoCanary(text: string): void {
  for (const canary of canaries) assert.ok(!text.includes(canary), `${canary} is shown in ${text}`);
}

/** `apigate explain` on the database of the running gateway, or over REST with a read token. */
async function cli(args: readonly string[], remote = false) {
  const env = remote ? remoteEnvironment(gateway, readToken) : localEnvironment(gateway);
  const result = await runApigate(['explain', ...args], { cwd: gateway.directory, env });
  assertNoCanary(result.stdout + result.stderr);
  return result;
}

async function asReader(path: string, body: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${gateway.url}/admin${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${readToken}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  assertNoCanary(text);
  return { status: response.status, body: JSON.parse(text) as Record<string, unknown> };
}

describe('apigate explain', () => {
  test('says first what happens and why, and asks the running gateway', async () => {
    const refused = await cli(['GET', 'http://api.test/v1/users']);
    assert.equal(refused.code, 0, refused.stderr);
    assert.match(refused.stdout, /^401 missing_api_key: Route "users" wins, but it needs an API key and none was sent/);
    assert.match(refused.stdout, /> users +wins +takes it\n +- open +path +the path is neither \/open nor below it/);

    const sent = await cli(
      ['http://api.test/v1/users?page=2', '-H', `X-API-Key: ${key}`, '-H', 'Cookie: canary-client', '-o', 'json'],
      true,
    );
    const explanation = JSON.parse(sent.stdout) as Explanation;
    assert.deepEqual(
      [
        explanation.stage,
        explanation.route,
        explanation.upstream,
        explanation.key,
        explanation.rate_limit_per_minute,
        explanation.explained_by,
      ],
      ['sent', 'users', 'api', 'phone', 60, 'gateway'],
    );
    const value = (name: string) => explanation.request!.headers.find((field) => field.name === name)?.value;
    assert.deepEqual(
      [value('Authorization'), value('Cookie'), value('X-API-Key'), value('X-Key-ID')],
      ['***', '***', undefined, explanation.key_id],
    );
    // The limit was not drawn from.
    const real = await fetch(`${gateway.url}/v1/users`, { headers: { host: 'api.test', 'x-api-key': key } });
    await real.arrayBuffer();
  });

  test('takes a body, and shows what becomes of it without what the environment holds', async () => {
    await writeFile(join(gateway.directory, 'user.json'), '{"email":"ann@secret.example"}');
    const { stdout } = await cli([
      '/open/a',
      '-H',
      'Content-Type: application/json',
      '-H',
      'Authorization: Basic canary-client',
      '-d',
      '@user.json',
    ]);
    assert.match(stdout, /^Goes to upstream "api" by route "open"\./);
    assert.match(
      stdout,
      /remove Authorization; set X-Stage: it is \*\*\*\n +before: Authorization: \*\*\*\n +after: +X-Stage: it is \*\*\*\n/,
    );
    assert.match(stdout, /before: \/open\/a\n +after: +\/\*\*\*\/a/);
    assert.match(stdout, /\{"email":"a\*\*\*@s\*\*\*\.example","stage":"\*\*\*"\}/);
  });

  test('explains a draft, which is not stored, and says where it is wrong', async () => {
    const draft = join(gateway.directory, 'draft.yaml');
    await writeFile(
      draft,
      'upstreams:\n  - {name: new, base_url: http://new.test, auth_type: bearer, auth_value: canary-draft}\nroutes:\n  - name: users\n    path_pattern: /v2\n    upstream: new\n',
    );
    const before = await gateway.admin.must('GET', '/export');
    const moved = await cli(['GET', 'http://api.test/v2', '-f', draft, '-H', `Authorization: Bearer ${key}`]);
    assert.match(moved.stdout, /^Goes to upstream "new" by route "users"\./);
    assert.match(moved.stdout, /Authorization: \*\*\*/);
    const gone = await cli(['GET', 'http://api.test/v1/users', '-f', draft], true);
    assert.match(gone.stdout, /^404 route_not_found: no route takes it, and none is near\./);
    assert.deepEqual(await gateway.admin.must('GET', '/export'), before);
    await writeFile(draft, 'routes:\n  - name: users\n    path_pattern: v2\n    upstream: nobody\n');
    const wrong = await cli(['GET', '/', '-f', draft]);
    assert.equal(wrong.code, 2);
    assert.match(
      wrong.stderr,
      /draft\.yaml:3: routes\[0\]\.path_pattern: must start with \/\n.*draft\.yaml:4: routes\[0\]\.upstream: is neither/s,
    );
  });

  test('what it is not given right is said without repeating what may be secret', async () => {
    for (const [args, message] of [
      [['GET', '/', '-H', 'X-A: a\r\nX-B: b'], /--header \(headers\.0\.value\): must not hold a line end/],
      [['GET', 'http://ann:canary-client@api.test/'], /URL: must not hold a user or password/],
    ] as const) {
      const { code, stderr } = await cli(args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }
  });

  test('where no gateway runs it explains all the same, and says so', async () => {
    const alone = await startGateway({ upstream: upstream.url });
    alone.process.kill('SIGKILL');
    await alone.exited;
    const { stdout, stderr, code } = await runApigate(['explain', 'GET', '/x'], { env: localEnvironment(alone) });
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /^Goes to upstream "default" by route "default"\.[^]*This command explained it with its own settings and environment\. No gateway runs/,
    );
    await alone.stop();
  });
});

describe('the curl of an explanation', { skip: unlessInstalled('curl', 'sh') }, () => {
  test('sends in a real shell what was explained, whatever is in it', async () => {
    const body = `{"text":"it's $HOME \`id\` \\\\ \\"quoted\\" !! %41","at":"@file"}`;
    const headers = [
      { name: 'X-Quotes', value: `'"$(id)\`id\`\\ ;|&<> ~ * ? [a] {b,c} #` },
      { name: 'X-Empty', value: '' },
      { name: 'X-At', value: '@/etc/passwd' },
      { name: 'Content-Type', value: 'text/plain' },
    ];
    const explained = (
      await asReader('/explain', { method: 'POST', url: `http://shell.test/open/%27;[x]{y}//z?q=$(id)&r='`, headers, body })
    ).body as unknown as Explanation;
    assert.equal(explained.stage, 'sent', explained.verdict);
    const before = upstream.requests.length;
    const ran = await run('sh', ['-c', `${explained.curl!} --silent --show-error`], { env: plainEnvironment({}) });
    assert.equal(ran.code, 0, ran.stderr);
    const got = await upstream.request(before);
    await got.ended();
    assert.deepEqual(
      [got.method, upstream.url + got.target, got.body.toString()],
      [explained.request!.method, explained.request!.url, explained.request!.body],
    );
    const leftOut = new Set(['x-request-id', 'traceparent', 'via', 'host', 'content-length']);
    const comparable = (fields: readonly (readonly [string, string])[]) =>
      fields.filter(([name]) => !leftOut.has(name.toLowerCase())).map(([name, value]) => `${name}: ${value}`);
    assert.deepEqual(comparable(got.fields), comparable(explained.request!.headers.map(({ name, value }) => [name, value] as const)));
  });
});

describe('POST /admin/explain with hostile input', () => {
  test('answers with what HTTP would, or with field and reason, and never with a secret', async () => {
    const stages: [object, string, number | null][] = [
      [{ url: `http://api.test/${'x'.repeat(65_536)}` }, 'target_too_long', 414],
      [{ url: '/', headers: [{ name: 'X-A', value: '\u0001' }] }, 'request_malformed', 400],
      [{ url: '/', headers: [{ name: 'X-A', value: 'a\nX-B: b' }] }, 'request_malformed', 400],
      [{ url: '/', headers: [{ name: 'X-A', value: 'a\u0000' }] }, 'request_malformed', 400],
      [{ url: '/', headers: [{ name: '', value: 'a' }] }, 'request_malformed', 400],
      [{ url: '/ü' }, 'request_malformed', 400],
      [{ url: '/a b' }, 'request_malformed', 400],
      [{ url: '/', method: '' }, 'request_malformed', 400],
      [{ url: '/', method: 'G'.repeat(100) }, 'request_malformed', 400],
      [{ url: '/', headers: Array.from({ length: 200 }, () => ({ name: 'X', value: 'y' })) }, 'headers_too_large', 431],
      [{ url: '/', headers: [{ name: 'X-A', value: 'y'.repeat(200_000) }] }, 'headers_too_large', 431],
      [{ url: '/', headers: [{ name: 'Expect', value: 'wonders' }] }, 'expectation_failed', 417],
    ];
    for (const [input, code, status] of stages) {
      const { body } = await asReader('/explain', input);
      assert.deepEqual([body['stage'], body['code'], body['status']], ['head', code, status], JSON.stringify(input).slice(0, 200));
      assert.ok(JSON.stringify(body).length < 5_000, 'the answer repeats what came');
    }
    for (const [input, status, field] of [
      [{}, 422, 'url'],
      [{ url: '' }, 422, 'url'],
      [{ url: 'http://a/', headers: { 'X-A': '1' } }, 422, 'headers'],
      [{ url: '/', headers: [{ name: 'X-A: x', value: '' }] }, 422, 'headers.0.name'],
      [{ url: '/\r\nX-A: 1' }, 422, 'url'],
      [{ url: '/', method: 'GET / HTTP/1.1\r\n' }, 422, 'method'],
      [{ url: '/', prune: true }, 422, 'prune'],
      [{ url: '/', config: [] }, 422, 'config'],
      [{ url: '/', config: { route: [] } }, 422, 'config.route'],
      [{ url: '/', config: { routes: [{ name: 'r' }] } }, 422, 'config.routes.0.path_pattern'],
      [{ url: '/', colour: 1 }, 422, 'colour'],
    ] as const) {
      const { status: answered, body } = await asReader('/explain', input);
      const errors = body['errors'] as readonly { field: string }[];
      assert.ok(answered === status && errors.some((error) => error.field === field), JSON.stringify([input, body]));
    }
    const huge = await asReader('/explain', `{"url":"/","config":{"routes":[${'{},'.repeat(4_000_000)}{}]}}`);
    assert.equal(huge.status, 413);
  });

  test('a draft tells nothing of secrets, of files or of the environment that a reader may not know', async () => {
    const draft = (auth_value: string) => ({
      url: '/open/x',
      config: {
        upstreams: [{ name: 'spy', base_url: 'http://spy.test', auth_type: 'bearer', auth_value }],
        routes: [
          {
            name: 'open',
            path_pattern: '/open',
            upstream: 'spy',
            auth_required: false,
            path_rewrite: '/${env.STAGE}',
            request_transform: { headers: { set: { 'X-S': '${env.STAGE}' } } },
          },
        ],
      },
    });
    const answers = await Promise.all(
      ['${file:/etc/passwd}', '${file:/nowhere}', '${env.BACKEND_TOKEN}', '${env.NOT_SET}', 'canary-draft'].map(async (value) => {
        const { status, body } = await asReader('/explain', draft(value));
        assert.equal(status, 200, JSON.stringify(body));
        return JSON.stringify(body).replaceAll(/rt_[0-9a-f]{16}|up_[0-9a-f]{16}|[0-9a-f]{16,32}/g, 'ID');
      }),
    );
    assert.equal(new Set(answers).size, 1, 'what a reference leads to shows');
    assert.equal((await asReader('/apply?dry_run=true', { routes: [] })).status, 403);
  });
});

describe('apply --dry-run', () => {
  test('tells what recent requests would do differently', async () => {
    await gateway.admin.must('POST', '/apply', {
      routes: [
        { name: 'stay', path_pattern: '/stay', upstream: 'api', auth_required: false },
        { name: 'move', path_pattern: '/move', upstream: 'api', auth_required: false },
        { name: 'go', path_pattern: '/go', upstream: 'api', auth_required: false },
        { name: 'close', path_pattern: '/close', upstream: 'api', auth_required: false },
        { name: 'canary', path_pattern: '/canary', headers: { 'X-Env': 'canary' }, priority: 1, upstream: 'api', auth_required: false },
        { name: 'keyed', path_pattern: '/keyed', upstream: 'api' },
      ],
    });
    const send = async (path: string, times: number, headers: Record<string, string> = {}): Promise<void> => {
      for (let at = 0; at < times; at += 1) await (await fetch(gateway.url + path, { headers })).arrayBuffer();
    };
    await send('/stay', 3);
    await send('/move/a?secret=canary-client', 5);
    await send('/go', 4);
    await send('/close', 2);
    await send('/canary', 6);
    await send('/soon', 2);
    await send('/keyed', 1, { 'x-api-key': key });
    const draft = {
      upstreams: [{ name: 'two', base_url: upstream.url }],
      routes: [
        { name: 'move', path_pattern: '/move', upstream: 'two', auth_required: false },
        { name: 'go', path_pattern: '/gone', upstream: 'api', auth_required: false },
        { name: 'close', path_pattern: '/close', upstream: 'api' },
        { name: 'canary', path_pattern: '/canary', headers: { 'X-Env': 'test' }, priority: 1, upstream: 'api', auth_required: false },
        { name: 'soon', path_pattern: '/soon', upstream: 'two', auth_required: false },
      ],
      keys: [{ name: 'phone', routes: ['stay'] }],
    };
    const dryRun = async () => (await gateway.admin.must('POST', '/apply?dry_run=true', draft)) as unknown as ApplyResult;
    let result = await dryRun();
    // Workers tell of requests in batches.
    await eventually(
      async () => ((result = await dryRun()).traffic?.groups ?? []).some(({ effect }) => effect === 'key_refused'),
      () => `the last request in ${JSON.stringify(result.traffic)}`,
    );
    const { traffic } = result;
    assert.deepEqual(
      traffic!.groups.map(({ effect, from_route, to_route, to_upstream, requests }) => [
        effect,
        from_route,
        to_route,
        to_upstream,
        requests,
      ]),
      [
        ['not_found', 'go', null, null, 4],
        ['key_needed', 'close', 'close', 'api', 2],
        ['key_refused', 'keyed', 'keyed', 'api', 1],
        ['moved', 'move', 'move', 'two', 5],
        ['served', null, 'soon', 'two', 2],
      ],
    );
    assert.deepEqual(
      [traffic!.changed, traffic!.not_judged, traffic!.requests],
      [14, 6, traffic!.changed + traffic!.not_judged + traffic!.unchanged],
    );
    assert.deepEqual(
      traffic!.groups[3]!.examples.map(({ path }) => path),
      ['/move/a', '/move/a', '/move/a'],
    );

    await writeFile(join(gateway.directory, 'draft.json'), JSON.stringify(draft));
    const apply = (args: readonly string[], env: Record<string, string>) =>
      runApigate(['apply', '-f', 'draft.json', ...args], { cwd: gateway.directory, env });
    const printed = await apply(['--dry-run'], localEnvironment(gateway));
    assert.equal(printed.code, 0, printed.stderr);
    assertNoCanary(printed.stdout);
    assert.match(printed.stdout, /14 would do something else:\n {2}4 become 404, which route go takes now\n {4}GET 127\.0\.0\.1\/go\n/);
    assert.match(
      printed.stdout,
      /\n {2}5 move from upstream api to two, on route move\n[^]*\n6 could not be judged: a route that could take them looks at headers/,
    );
    assert.match(printed.stderr, /Nothing was changed\./);
  });
});

test('docs/explain.md shows what the command prints', async () => {
  const path = join(import.meta.dirname, '../../docs/explain.md');
  const page = await readFile(path, 'utf8');
  const [block, shown] = /^```console\n([^]*?)^```/m.exec(page)!;
  const [command = ''] = shown!.split('\n');
  await gateway.admin.must('POST', '/apply?prune=true', {
    upstreams: [
      { name: 'orders', base_url: 'http://orders.internal', auth_type: 'bearer', auth_value: 'canary-page' },
      { name: 'legacy', base_url: 'http://legacy.internal' },
    ],
    routes: [
      {
        name: 'orders',
        host_pattern: 'api.example.com',
        path_pattern: '/orders/{id}',
        upstream: 'orders',
        auth_required: false,
        path_rewrite: '/v2/orders/${pathParams.id}',
        request_transform: { headers: { set: { 'X-Env': 'prod' } } },
      },
      { name: 'write', host_pattern: 'api.example.com', path_pattern: '/orders', methods: ['POST'], priority: 1, upstream: 'legacy' },
      { name: 'everything', path_pattern: '/', upstream: 'legacy' },
      { name: 'shop', host_pattern: 'shop.example.com', path_pattern: '/orders', upstream: 'legacy' },
    ],
  });
  const words = [...command.replace(/^\$ apigate explain /, '').matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
  const { stdout, stderr } = await cli(words);
  assert.equal(stderr, '');
  const printed = `${command}\n${stdout.replaceAll(`Port: ${gateway.port}`, 'Port: 8080')}`;
  if (process.env['APIGATE_WRITE_EXPLAINED'] === '1')
    await writeFile(
      path,
      page.replace(block, () => `\`\`\`console\n${printed}\`\`\``),
    );
  else assert.equal(printed, shown);
});

describe('a draft that takes seconds to look at', () => {
  before(async () => void (await gateway.admin.must('POST', '/upstreams', { name: 'drafts', base_url: upstream.url })));
  // Each takes its time to be tried, and the very first one does.
  const slow = (number: number): object => ({ name: 'X-A', value: `^/.*x(.{60})${number}(.{60})$`, is_regex: true });
  const quick = (number: number): object => ({ name: 'X-A', value: `^quick${number}`, is_regex: true });
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

  /** How often the admin API answered somebody else meanwhile. */
  async function answeredMeanwhile(asked: Promise<{ status: number; body: unknown }>, status: number, expected = /^/): Promise<number> {
    const progress = { over: false };
    let answered = 0;
    const ended = asked.finally(() => (progress.over = true));
    const reader = AdminSession.withToken(gateway, readToken);
    while (!progress.over) {
      assert.equal((await reader.call('GET', '/me')).status, 200);
      // The last answer may have waited for the end.
      if (!progress.over) answered++;
    }
    const { status: found, body } = await ended;
    assert.equal(found, status, JSON.stringify(body).slice(0, 500));
    assert.match(JSON.stringify(body), expected);
    return answered;
  }

  // Each takes a second where nothing else runs: a slow machine may take ten and five, and fewer answers than a few would be none.
  test('with a thousand expressions lets others be answered', async () => {
    const routes = numbers(64).map((at) => ({
      name: `draft-${at}`,
      path_pattern: `/draft/${at}`,
      upstream: 'drafts',
      headers: numbers(16).map((number) => quick(at * 16 + number)),
    }));
    const answered = await answeredMeanwhile(asReader('/explain', { url: '/draft/7', config: { routes } }), 200);
    assert.ok(answered >= 5, `${answered} answers`);
  });

  test('in a preview, with expressions of which each is slow, lets others be answered', async () => {
    const headers = [12, 13, 14, 15, 17, 18, 19, 29].map(slow);
    const answered = await answeredMeanwhile(
      asReader('/routes/preview', {
        route: { name: 'slow', path_pattern: '/slow', upstream_id: 'drafts', headers },
        request: { url: '/slow' },
      }),
      422,
      /headers\.7\.value","message":"is too slow/,
    );
    assert.ok(answered >= 2, `${answered} answers`);
  });
});
