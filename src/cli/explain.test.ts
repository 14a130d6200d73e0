import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Explanation } from '../model/explanation.ts';
import { CliFixture, type CallOptions } from './cli-fixture.ts';

const explanation: Explanation = {
  verdict: 'Goes to upstream "b" by route "r".',
  stage: 'sent',
  status: null,
  code: null,
  reason: null,
  hint: null,
  method: 'GET',
  host: 'a.test',
  path: '/x',
  route_id: 'rt_1',
  route: 'r',
  upstream_id: 'up_1',
  upstream: 'b',
  candidates: [
    { id: 'rt_1', name: 'r', outcome: 'wins', detail: 'takes it' },
    { id: 'rt_2', name: 'long name\u001b[31m', outcome: 'header', detail: 'header X is missing, wants "1"' },
  ],
  others: [
    { outcome: 'host', count: 12_000 },
    { outcome: 'disabled', count: 1 },
  ],
  key_required: true,
  key_sent: true,
  key_id: 'key_1',
  key: 'phone',
  rate_limit_per_minute: 60,
  steps: [{ message: 'request', source: 'path_rewrite', part: 'path', detail: '/y', before: '/x', after: '/y' }],
  request: {
    method: 'POST',
    url: 'http://b/y',
    headers: [
      { name: 'X-A', value: 'a' },
      { name: 'Via', value: 'v' },
    ],
    body: 'one\ntwo',
  },
  curl: "curl --data-raw 'one\ntwo\u001b' 'http://b/y'",
  response_headers: [],
  notes: ['A note.'],
  draft: false,
  revision: 7,
  explained_by: 'gateway',
};

async function explain(args: readonly string[], answer: Partial<Explanation> = {}, options: CallOptions = {}) {
  const cli = new CliFixture();
  cli.api.answerNext(() => Response.json({ ...explanation, ...answer }));
  const result = await cli.run(['explain', ...args], options);
  return { ...result, seen: cli.api.seen };
}

test('sends what was given, in order, and shows what happens before how it comes to that', async () => {
  const { seen, stdout } = await explain([
    'POST',
    'http://a.test/x?y=1',
    '-H',
    'X-A: 1',
    '-H',
    'X-A:2',
    '-H',
    'Empty:',
    '--header=B: a: b',
    '-d',
    'text',
    '--client',
    '192.0.2.1',
  ]);
  assert.deepEqual(
    seen.map(({ method, path, body }) => [method, path, body]),
    [
      [
        'POST',
        '/admin/explain',
        {
          method: 'POST',
          url: 'http://a.test/x?y=1',
          headers: [
            { name: 'X-A', value: '1' },
            { name: 'X-A', value: '2' },
            { name: 'Empty', value: '' },
            { name: 'B', value: 'a: b' },
          ],
          body: 'text',
          client_address: '192.0.2.1',
        },
      ],
    ],
  );
  assert.equal(
    stdout,
    `Goes to upstream "b" by route "r".

Routes
  > r                    wins       takes it
  - long name\\u001b[31m  header     header X is missing, wants "1"
  and 12,001 more: 12,000 for other hosts, 1 disabled

API key  needed; "phone" was sent; its rate limit is 60 per minute

Changes on the way
  path_rewrite (path): /y
    before: /x
    after:  /y

The upstream gets
  POST http://b/y
  X-A: a
  and X-Request-Id, traceparent and Via, which differ from request to request

  one
  two

The same with curl
  curl --data-raw 'one
two\\u001b' 'http://b/y'

Note: A note.
`,
  );
});

test('the method may be left out', async () => {
  const first = async (...args: string[]) => (await explain(args)).seen[0]!.body as { method: string; url: string; body: unknown };
  assert.deepEqual(await first('http://a.test/x'), { method: 'GET', url: 'http://a.test/x', headers: [], body: null });
  assert.deepEqual(await first('/x', '-d', ''), { method: 'POST', url: '/x', headers: [], body: '' });
  assert.deepEqual(await first('OPTIONS', '*'), { method: 'OPTIONS', url: '*', headers: [], body: null });
});

test('a refusal says what to do, and what the client gets', async () => {
  const { stdout } = await explain(['GET', '/x'], {
    verdict: '405 method_not_allowed: routes for this host and path take only POST, not GET.',
    stage: 'match',
    status: 405,
    code: 'method_not_allowed',
    hint: 'See Allow.',
    route: null,
    key_required: null,
    steps: [],
    request: null,
    curl: null,
    response_headers: [
      { name: 'Allow', value: 'POST' },
      { name: 'Date', value: 'now' },
    ],
    notes: [],
  });
  assert.match(stdout, /^405 method_not_allowed: [^\n]*\n {2}See Allow\.\n\nRoutes\n[^]*\nThe client gets\n {2}405\n {2}Allow: POST\n$/);
  for (const [answer, words] of [
    [
      { key_required: false, key_sent: null, key: null, key_id: null, rate_limit_per_minute: null },
      /API key {2}not needed on this route\n/,
    ],
    [
      { key_sent: false, key: null, key_id: null, rate_limit_per_minute: null, code: 'missing_api_key' },
      /API key {2}needed, and none was sent\n/,
    ],
    [{ key: null, key_id: null, rate_limit_per_minute: null, code: 'invalid_api_key' }, /needed; the one that was sent is not known\n/],
    [{ rate_limit_per_minute: null, code: 'invalid_api_key' }, /needed; "phone" was sent, which does not open this route\n/],
    [{ rate_limit_per_minute: null, code: 'key_expired' }, /needed; "phone" was sent, which has expired\n/],
  ] as const)
    assert.match((await explain(['GET', '/x'], answer)).stdout, words);
});

test('what cannot be understood is refused before anything is asked, without repeating it', async () => {
  for (const [args, message] of [
    [['GET'], /the URL is missing/],
    [['/x', '-H', 'secret-value'], /-H takes a name, a colon and a value/],
    [['/x', '-H', ': secret-value'], /-H takes a name/],
    [['/x', '--prune'], /--prune only goes with --file/],
    [['/x', '-d', '@/nowhere'], /--data: ENOENT/],
    [['/x', '-f', '/nowhere.yaml'], /--file \/nowhere\.yaml: ENOENT/],
    [['GET', '/x', '/y'], /too many arguments/],
  ] as const) {
    const { code, stderr, stdout, seen } = await explain(args);
    assert.deepEqual([code, stdout, seen.length], [2, '', 0], stderr);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /secret-value/);
  }
});

test('-o json is the answer itself', async () => {
  assert.deepEqual(JSON.parse((await explain(['/x', '-o', 'json'])).stdout), explanation);
  assert.equal((await explain(['/x', '-o', 'name'])).stdout, 'r\n');
});
