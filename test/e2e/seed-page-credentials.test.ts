// Over 300 lines: credentials seen from every side by one gateway and a recording upstream.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import tls from 'node:tls';
import { before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { TestAuthority } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { unlessInstalled } from '../support/foreign-program.ts';
import { freePort } from '../support/free-port.ts';
import { useGateway, type Exposed } from '../support/harness.ts';
import type { Field } from '../support/message-reader.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { answerOk, type UpstreamRequest } from '../support/scripted-upstream.ts';
import { printedBlocks } from '../support/upstreams-page.ts';

// Upstreams live through several tests here, so sockets are counted at the end only.
const harness = useGateway({
  admin: true,
  workers: 2,
  script: false,
  concurrent: true,
  env: { E2E_CREDENTIAL: 'canary-from-environment' },
});
let apiKey: string;

/** What the page's four snippets put where, with a value of each kind. */
const snippets = printedBlocks.filter((text) => text.startsWith('auth_type:')).map((text) => parse(text) as Record<string, string>);
const authTypes = [
  { type: 'none', value: undefined, line: undefined },
  { type: 'bearer', value: 'canary-bearer.token/with+signs=', line: 'Authorization: Bearer canary-bearer.token/with+signs=' },
  { type: 'header', value: 'canary-header key', line: 'X-API-Key: canary-header key' },
  {
    type: 'basic',
    value: 'canary-ünï:pass:word',
    line: `Authorization: Basic ${Buffer.from('canary-ünï:pass:word', 'latin1').toString('base64')}`,
  },
] as const;
type AuthType = (typeof authTypes)[number];

function fieldsFor({ type, value }: AuthType): Record<string, unknown> {
  const snippet = snippets.find(({ auth_type }) => auth_type === type)!;
  return {
    auth_type: snippet['auth_type'],
    ...(snippet['auth_header'] === undefined ? {} : { auth_header: snippet['auth_header'] }),
    ...(value === undefined ? {} : { auth_value: value }),
  };
}

/** The lines of a request's head that have one of these names, in any case and with `_` for `-`. */
function linesOf(request: UpstreamRequest, ...names: string[]): string[] {
  const folded = (name: string): string => name.toLowerCase().replaceAll('_', '-');
  return request.fields
    .filter(([name]) => names.some((wanted) => folded(wanted) === folded(name)))
    .map(([name, value]) => `${name}: ${value}`);
}

/** Sends a request and answers what arrived. */
async function arrives(
  exposed: Exposed,
  fields: readonly Field[],
  options: { readonly method?: string; readonly body?: string } = {},
): Promise<UpstreamRequest> {
  const before = exposed.upstream.requests.length;
  const response = await fetchRaw(harness.port, options.method ?? 'GET', {
    target: exposed.path,
    fields,
    ...(options.body === undefined ? {} : { body: options.body }),
  });
  assert.equal(response.status, 200, response.body.toString());
  assert.equal(exposed.upstream.requests.length, before + 1);
  return exposed.upstream.requests[before]!;
}

describe('the four auth types arrive', () => {
  for (const auth of authTypes) {
    test(`${auth.type}: ${auth.line?.replace(/canary.*/, '…') ?? 'no credential'}, exactly once, byte for byte`, async () => {
      const exposed = await harness.exposed(fieldsFor(auth), answerOk);
      await arrives(exposed, []);
      const { received } = exposed.upstream.connections[0]!;
      const head = received.slice(0, received.indexOf('\r\n\r\n') + 2);
      const lines = head.split('\r\n').filter((line) => /^(?:authorization|x-api-key)\s*:/i.test(line));
      assert.deepEqual(lines, auth.line === undefined ? [] : [Buffer.from(auth.line, 'latin1').toString('latin1')]);
      const shown = await harness.gateway.admin.must('GET', `/upstreams/${exposed.upstreamId}`);
      assert.deepEqual([shown['auth_type'], shown['auth_value_set'], 'auth_value' in shown], [auth.type, auth.line !== undefined, false]);
    });
  }

  test('auth_value_encrypted belongs to declarative files: in REST it is refused, with the name that was meant', async () => {
    const answer = await harness.gateway.admin.call('POST', '/upstreams', {
      name: 'spelt',
      base_url: 'http://127.0.0.1:9',
      ...snippets[1],
    });
    assert.equal(answer.status, 422);
    const errors = answer.body['errors'] as { field: string; message: string }[];
    assert.ok(
      errors.some(({ field, message }) => field === 'auth_value_encrypted' && message.endsWith('did you mean auth_value?')),
      JSON.stringify(errors),
    );
  });

  test('a value from the environment or from a file, of which nothing but the reference is stored', async () => {
    const file = join(harness.gateway.directory, 'credential.txt');
    await writeFile(file, 'canary-from-file\n');
    for (const [reference, value] of [
      ['${env.E2E_CREDENTIAL}', 'canary-from-environment'],
      [`\${file:${file}}`, 'canary-from-file'],
    ] as const) {
      const exposed = await harness.exposed({ auth_type: 'bearer', auth_value: reference }, answerOk);
      assert.deepEqual(linesOf(await arrives(exposed, []), 'authorization'), [`Authorization: Bearer ${value}`]);
    }
  });

  test('a change that does not speak of the credential keeps it; null takes it away, auth_type none gives it up', async () => {
    const exposed = await harness.exposed({ auth_type: 'bearer', auth_value: 'canary-kept' }, answerOk);
    const change = async (fields: object): Promise<Record<string, unknown>> =>
      await harness.gateway.admin.must('PUT', `/upstreams/${exposed.upstreamId}`, fields);
    await change({ timeout_ms: 5_000, base_url: `${exposed.upstream.url}/v2`, auth_type: 'bearer' });
    assert.deepEqual(linesOf(await arrives(exposed, []), 'authorization'), ['Authorization: Bearer canary-kept']);
    assert.equal((await change({ auth_value: null }))['auth_value_set'], false);
    const response = await fetchRaw(harness.port, 'GET', { target: exposed.path });
    assert.deepEqual([response.status, response.json()['code']], [503, 'upstream_credential_unavailable']);
    await change({ auth_value: 'canary-again' });
    assert.deepEqual(linesOf(await arrives(exposed, []), 'authorization'), ['Authorization: Bearer canary-again']);
    harness.invariants.credentialTakenAway(exposed.upstream);
    const none = await change({ auth_type: 'none' });
    assert.deepEqual([none['auth_value_set'], none['auth_value_updated_at']], [false, null]);
    assert.deepEqual(linesOf(await arrives(exposed, []), 'authorization'), []);
  });

  test('without its value there is 503 upstream_credential_unavailable, and never a request', async () => {
    const exposed = await harness.exposed({ auth_type: 'bearer', auth_value: '${env.NOT_SET_ANYWHERE}' }, answerOk);
    const response = await fetchRaw(harness.port, 'GET', { target: exposed.path, fields: [['Authorization', 'Bearer mine']] });
    assert.deepEqual([response.status, response.json()['code']], [503, 'upstream_credential_unavailable']);
    assert.equal(exposed.upstream.connections.length, 0);
  });
});

/** Each a way to bring a credential of one's own past ours; NAME is the name of the credential's header. */
const smuggling: readonly (readonly [string, (name: string) => readonly Field[]])[] = [
  ['in its own case', (name) => [[name, 'smuggled']]],
  ['in lower case', (name) => [[name.toLowerCase(), 'smuggled']]],
  ['in upper case', (name) => [[name.toUpperCase(), 'smuggled']]],
  ['in mixed case', (name) => [[name.replaceAll(/../g, (pair) => pair[0]!.toLowerCase() + pair[1]!.toUpperCase()), 'smuggled']]],
  ['with underscores', (name) => [[name.replaceAll('-', '_'), 'smuggled']]],
  ['with some underscores, in upper case', (name) => [[name.toUpperCase().replace('-', '_'), 'smuggled']]],
  [
    'repeated',
    (name) => [
      [name, 'smuggled'],
      [name, 'smuggled again'],
      [name.toLowerCase(), 'smuggled'],
    ],
  ],
  ['empty', (name) => [[name, '']]],
  [
    'around other fields',
    (name) => [
      [name, 'smuggled'],
      ['X-Between', 'kept'],
      [name.replaceAll('-', '_'), 'smuggled'],
      ['X-After', 'kept'],
    ],
  ],
  ['listed in Connection', (name) => [['Connection', `keep-alive, ${name}`]]],
  [
    'listed in Connection and given',
    (name) => [
      ['Connection', `${name}, keep-alive`],
      [name, 'smuggled'],
    ],
  ],
  [
    'listed in Connection with underscores',
    (name) => [
      ['Connection', name.replaceAll('-', '_')],
      [name, 'smuggled'],
    ],
  ],
  ['with an API key in it', (name) => [[name, name === 'Authorization' ? `Bearer ${apiKey}` : apiKey]]],
  ['with a key and another scheme', (name) => [[name, `Basic eDp5, Bearer ${apiKey}`]]],
];

describe("a client's own credential never gets past ours", () => {
  before(async () => {
    apiKey = (await harness.gateway.admin.must('POST', '/keys', { name: 'client' }))['key'] as string;
    harness.invariants.canaries.push(apiKey, 'canary-');
  });

  for (const auth of [
    ...authTypes.slice(1),
    { type: 'header', value: 'canary-own header', line: 'X_Backend-Token: canary-own header' } as const,
  ]) {
    const name = auth.line!.slice(0, auth.line!.indexOf(':'));
    describe(`${auth.type} in ${name}`, () => {
      let exposed: Exposed;
      before(async () => {
        exposed = await harness.exposed(
          {
            ...(name === 'X_Backend-Token'
              ? { auth_type: 'header', auth_header: name, auth_value: auth.value }
              : fieldsFor(auth as AuthType)),
          },
          answerOk,
        );
      });
      const expected = [Buffer.from(auth.line!, 'latin1').toString('latin1')];

      for (const [how, fields] of smuggling) {
        test(how, async () => {
          exposed.upstream.script = answerOk;
          const request = await arrives(exposed, fields(name));
          assert.deepEqual(linesOf(request, name), expected);
          assert.ok(!JSON.stringify(request.fields).includes('smuggled'));
          assert.equal(request.values('x-between').length, how === 'around other fields' ? 1 : 0);
        });
      }

      test('in the trailer of a chunked body', async () => {
        const { requests } = exposed.upstream;
        const count = requests.length;
        using client = await RawClient.connect(harness.port);
        await client.send(
          `POST ${exposed.path} HTTP/1.1\r\nHost: a\r\nTrailer: ${name}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n${name}: smuggled\r\n${name.replaceAll('-', '_').toLowerCase()}: smuggled\r\n\r\n`,
        );
        const response = await client.response();
        for (const request of requests.slice(count)) {
          await request.ended();
          assert.deepEqual(linesOf(request, name), expected);
          assert.ok(!JSON.stringify(request.trailers).includes('smuggled'), JSON.stringify(request.trailers));
        }
        assert.ok(response.status === 200 || response.status === 400, String(response.status));
      });
    });
  }

  test('with a route that needs a key: the key opens the route and stays here, the credential is ours', async () => {
    for (const auth of authTypes) {
      const exposed = await harness.exposed(fieldsFor(auth), answerOk);
      await harness.gateway.admin.must('PUT', `/routes/${exposed.routeId}`, { auth_required: true });
      for (const fields of [
        [['X-API-Key', apiKey]],
        [['Authorization', `Bearer ${apiKey}`]],
        [
          ['X-API-Key', apiKey],
          ['authorization', `bearer ${apiKey}`],
        ],
      ] as const) {
        const request = await arrives(exposed, fields);
        assert.deepEqual(
          linesOf(request, 'authorization', 'x-api-key'),
          auth.line === undefined ? [] : [Buffer.from(auth.line, 'latin1').toString('latin1')],
        );
        assert.ok(!JSON.stringify(request.fields).includes(apiKey));
      }
    }
  });

  test("auth_type none leaves the client's own Authorization alone", async () => {
    const exposed = await harness.exposed({ auth_type: 'none' }, answerOk);
    const request = await arrives(exposed, [
      ['authorization', 'Basic dXNlcjpwYXNz'],
      ['X-Api-Key', 'not a key of ours'],
    ]);
    assert.deepEqual(linesOf(request, 'authorization', 'x-api-key'), ['authorization: Basic dXNlcjpwYXNz', 'X-Api-Key: not a key of ours']);
  });

  test("another credential header than ours is the upstream's business", async () => {
    const exposed = await harness.exposed({ auth_type: 'header', auth_header: 'X-Backend', auth_value: 'canary-backend' }, answerOk);
    const request = await arrives(exposed, [
      ['Authorization', 'Basic dXNlcjpwYXNz'],
      ['X-Backend-2', 'kept'],
    ]);
    assert.deepEqual(linesOf(request, 'authorization', 'x-backend', 'x-backend-2'), [
      'Authorization: Basic dXNlcjpwYXNz',
      'X-Backend-2: kept',
      'X-Backend: canary-backend',
    ]);
  });
});

describe('the troubleshooting section: the log says it in these words, the answer does not', () => {
  /** The access record of a failed request; its words for people are `reason` and `hint`. */
  async function wordsFor(path: string, status: number, code: string): Promise<string> {
    const response = await fetchRaw(harness.port, 'GET', { target: path });
    assert.deepEqual([response.status, response.json()['code']], [status, code]);
    const record = await harness.gateway.record(({ request_id }) => request_id === response.value('x-request-id'));
    assert.equal(record['code'], code);
    const { reason = '', hint = '' } = record as { readonly reason?: string; readonly hint?: string };
    return `${reason} ${hint}`;
  }

  test('connection refused', async () => {
    const { path } = await harness.gateway.admin.expose({ base_url: `http://127.0.0.1:${await freePort()}` });
    const words = await wordsFor(path, 502, 'upstream_connection_refused');
    assert.match(words, /connection refused/);
    assert.match(words, /base_url.*service is running.*firewall/);
  });

  test('deadline exceeded, timeout', async () => {
    const { path } = await harness.exposed({ timeout_ms: 100 }, async () => {});
    const words = await wordsFor(path, 504, 'upstream_timeout');
    assert.match(words, /deadline exceeded/);
    assert.match(words, /timeout_ms.*latency.*performance/);
  });

  test('unknown authority', { skip: unlessInstalled('openssl') }, async () => {
    const authority = new TestAuthority();
    try {
      const server = tls.createServer(authority.issue(['IP:127.0.0.1']), () => assert.fail('no handshake may succeed'));
      server.on('tlsClientError', () => {});
      server.listen(0, '127.0.0.1');
      await eventually(() => server.listening, 'listening');
      const { path } = await harness.gateway.admin.expose({ base_url: `https://127.0.0.1:${(server.address() as { port: number }).port}` });
      const words = await wordsFor(path, 502, 'upstream_tls_untrusted');
      assert.match(words, /certificate signed by unknown authority/);
      assert.match(words, /valid certificate.*system's trust store/);
      server.close();
    } finally {
      authority.remove();
    }
  });
});
