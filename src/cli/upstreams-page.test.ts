import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CliFixture, shellWords } from './cli-fixture.ts';

/** The commands of the page on upstreams, as it prints them, with the request that each stands for. */
const creating: readonly (readonly [string, object])[] = [
  [
    `apigate upstreams create \\
  --name "my-api" \\
  --url "https://api.example.com"`,
    { name: 'my-api', base_url: 'https://api.example.com' },
  ],
  [
    `apigate upstreams create \\
  --name "my-api" \\
  --url "https://api.example.com" \\
  --auth-type bearer \\
  --auth-value "secret-token"`,
    { name: 'my-api', base_url: 'https://api.example.com', auth_type: 'bearer', auth_value: 'secret-token' },
  ],
  [
    `apigate upstreams create \\
  --name "my-api" \\
  --url "https://api.example.com" \\
  --timeout 30000 \\
  --max-idle-conns 100`,
    { name: 'my-api', base_url: 'https://api.example.com', timeout_ms: 30_000, max_idle_conns: 100 },
  ],
  [
    'apigate upstreams create --name "payments-service" --url "https://payments.internal" --timeout 5000',
    { name: 'payments-service', base_url: 'https://payments.internal', timeout_ms: 5000 },
  ],
  [
    'apigate upstreams create --name "user-api-v2" --url "https://users.internal" --timeout 120000',
    { name: 'user-api-v2', base_url: 'https://users.internal', timeout_ms: 120_000 },
  ],
  [
    'apigate upstreams create --name "auth-service" --url "https://auth.internal"',
    { name: 'auth-service', base_url: 'https://auth.internal' },
  ],
  [
    'apigate upstreams create --name "user-service" --url "https://users.internal"',
    { name: 'user-service', base_url: 'https://users.internal' },
  ],
  [
    'apigate upstreams create --name "order-service" --url "https://orders.internal"',
    { name: 'order-service', base_url: 'https://orders.internal' },
  ],
];

function argvOf(line: string): string[] {
  const [program, ...argv] = shellWords(line);
  assert.equal(program, 'apigate');
  return argv;
}

describe('the commands of the page on upstreams', () => {
  for (const [line, body] of creating) {
    it(line.replaceAll(/\s*\\\n\s*/g, ' '), async () => {
      const cli = new CliFixture();
      const { code, stdout, stderr } = await cli.run(argvOf(line));
      assert.equal(code, 0, stderr);
      assert.deepEqual(cli.api.seen, [{ method: 'POST', path: '/admin/upstreams', query: {}, authorization: null, body }]);
      assert.match(stdout, /my-api|-service|user-api/);
      assert.match(stderr, /apigate routes create --name \S+ --path \/\S+ --upstream \S+/);
      assert.doesNotMatch(stdout + stderr, /secret-token/);
    });
  }

  it('list, get <id>, update <id> --timeout 60000, delete <id>', async () => {
    const cli = new CliFixture();
    const id = String(cli.api.add('upstreams', { name: 'my-api', base_url: 'https://api.example.com' })['id']);
    const list = await cli.run(argvOf('apigate upstreams list'));
    assert.equal(list.code, 0);
    assert.match(list.stdout, /^NAME +URL +AUTH +TIMEOUT +ENABLED +ID\nmy-api +https:\/\/api\.example\.com +none +30000 ms +yes +up_/);

    const get = await cli.run(argvOf(`apigate upstreams get ${id}`));
    assert.equal(get.code, 0);
    assert.match(get.stdout, /^name +my-api$/m);
    assert.match(get.stdout, /^timeout_ms +30000$/m);

    const update = await cli.run(argvOf(`apigate upstreams update ${id} --timeout 60000`));
    assert.equal(update.code, 0);
    assert.deepEqual(cli.api.seen.at(-1), {
      method: 'PATCH',
      path: `/admin/upstreams/${id}`,
      query: {},
      authorization: null,
      body: { timeout_ms: 60_000 },
    });
    assert.match(update.stdout, /^timeout_ms +60000$/m);

    const gone = await cli.run(argvOf(`apigate upstreams delete ${id}`));
    assert.deepEqual([gone.code, gone.stdout], [0, '']);
    assert.deepEqual(cli.api.all('upstreams'), []);
    assert.match(gone.stderr, /Deleted upstream/);
    assert.equal(cli.closed, cli.opened.length, 'each database that was opened is closed');
  });
});
