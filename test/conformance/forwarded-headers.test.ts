// Over 300 lines: every rule about headers on the way, on one gateway.
import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, test } from 'node:test';
import { useGateway } from '../support/harness.ts';
import { assertRefused } from '../support/request-cases.ts';
import type { Field } from '../support/message-reader.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { answerOk, type UpstreamRequest } from '../support/scripted-upstream.ts';

const harness = useGateway({ admin: true });

/** What the upstream gets when a client sends these fields. */
async function forwarded(
  fields: readonly Field[],
  options: {
    readonly method?: string;
    readonly target?: string;
    readonly body?: string;
    readonly host?: string;
    readonly version?: 'HTTP/1.0';
  } = {},
): Promise<UpstreamRequest> {
  const before = harness.upstream.requests.length;
  const response = await fetchRaw(harness.port, options.method ?? 'GET', { target: options.target ?? '/h', fields, ...options });
  assert.equal(response.status, 200, response.body.toString());
  return harness.upstream.requests[before]!;
}

describe('hop-by-hop request headers', () => {
  test('names that Connection lists are removed, in any case', async () => {
    const request = await forwarded([
      ['Connection', 'x-one, X-TWO , keep-alive,, x-three'],
      ['X-One', '1'],
      ['x-two', '2'],
      ['X-THREE', '3'],
      ['X-Four', '4'],
    ]);
    for (const name of ['x-one', 'x-two', 'x-three']) assert.deepEqual(request.values(name), [], name);
    assert.equal(request.value('x-four'), '4');
  });
  test('several Connection fields count as one', async () => {
    const request = await forwarded([
      ['Connection', 'x-one'],
      ['connection', 'x-two'],
      ['X-One', '1'],
      ['X-Two', '2'],
    ]);
    assert.deepEqual([request.values('x-one'), request.values('x-two')], [[], []]);
  });
  test('hop-by-hop names go without being listed', async () => {
    const request = await forwarded([
      ['Keep-Alive', 'timeout=5'],
      ['Proxy-Connection', 'keep-alive'],
      ['Proxy-Authorization', 'Basic eDp5'],
      ['TE', 'gzip'],
    ]);
    for (const name of ['keep-alive', 'proxy-connection', 'proxy-authorization']) assert.deepEqual(request.values(name), [], name);
    assert.ok(
      request.values('te').every((value) => value === 'trailers'),
      'TE is of this hop only',
    );
  });
  test("the client's Connection: close is not the upstream's", async () => {
    const before = harness.upstream.connections.length;
    for (let round = 0; round < 3; round += 1) {
      const request = await forwarded([['Connection', 'close']]);
      assert.ok(request.values('connection').every((value) => value.toLowerCase() !== 'close'));
    }
    assert.equal(harness.upstream.connections.length, before + 1, 'the upstream connection is reused');
  });
  for (const token of ['h2c', 'TLS/1.2', 'foo']) {
    test(`Upgrade: ${token} is not forwarded`, async () => {
      const before = harness.upstream.requests.length;
      const response = await fetchRaw(harness.port, 'GET', {
        fields: [
          ['Connection', 'Upgrade, HTTP2-Settings'],
          ['Upgrade', token],
          ['HTTP2-Settings', 'AAMAAABkAARAAAAAAAIAAAAA'],
        ],
      });
      assert.equal(response.status, 200);
      const request = harness.upstream.requests[before]!;
      for (const name of ['upgrade', 'http2-settings']) assert.deepEqual(request.values(name), [], name);
    });
  }
  test('a WebSocket upgrade with a body is refused', async () => {
    await assertRefused(
      harness,
      'POST /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 5\r\n\r\nhello',
      {
        status: 400,
        mayKeep: true,
      },
    );
  });
  for (const name of ['Content-Length', 'Host', 'X-Forwarded-For', 'X-Forwarded-Host', 'Forwarded', 'X-Request-Id', 'Via', 'traceparent']) {
    test(`Connection cannot take away ${name}`, async () => {
      using client = await RawClient.connect(harness.port);
      const before = harness.upstream.requests.length;
      await client.send(`POST /c HTTP/1.1\r\nHost: a.test\r\nConnection: ${name}\r\nContent-Length: 5\r\n\r\nhello`);
      const response = await client.response();
      if (response.status === 400) return;
      assert.equal(response.status, 200);
      const request = harness.upstream.requests[before]!;
      assert.equal(request.body.toString(), 'hello', 'the body kept its border');
      assert.equal(request.values(name).length, 1, `${name} is there`);
    });
  }
  test('Connection: transfer-encoding does not take the framing of a chunked body', async () => {
    using client = await RawClient.connect(harness.port);
    const before = harness.upstream.requests.length;
    await client.send(
      'POST /c HTTP/1.1\r\nHost: a.test\r\nConnection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    );
    const response = await client.response();
    if (response.status !== 400) assert.equal(harness.upstream.requests[before]!.body.toString(), 'hello');
  });
});

describe('A25 the forwarded family from an untrusted peer', () => {
  test("A25 is set to the socket's address and this listener", async () => {
    const request = await forwarded([], { host: 'Shop.Example:8443' });
    assert.equal(request.value('x-forwarded-for'), '127.0.0.1');
    assert.equal(request.value('x-forwarded-proto'), 'http');
    assert.equal(request.value('x-forwarded-host'), 'Shop.Example:8443');
    assert.match(request.value('x-forwarded-port') ?? '', /^(8443|\d+)$/);
    const forwardedValue = request.value('forwarded') ?? '';
    assert.match(forwardedValue, /(^|;)\s*for="?127\.0\.0\.1"?(;|$)/i);
    assert.match(forwardedValue, /(^|;)\s*proto=http(;|$)/i);
    assert.match(forwardedValue, /(^|;)\s*host="Shop\.Example:8443"(;|$)/i);
  });
  test('A25 spoofed copies are replaced, not appended to, in any case and number', async () => {
    const request = await forwarded([
      ['X-Forwarded-For', '6.6.6.6'],
      ['x-forwarded-for', '6.6.6.7, 6.6.6.8'],
      ['X-FORWARDED-PROTO', 'https'],
      ['X-Forwarded-Host', 'evil.example'],
      ['X-Forwarded-Port', '666'],
      ['Forwarded', 'for=6.6.6.6;host=evil.example'],
      ['forwarded', 'for=6.6.6.9'],
    ]);
    assert.equal(request.value('x-forwarded-for'), '127.0.0.1');
    assert.equal(request.value('x-forwarded-proto'), 'http');
    const all = JSON.stringify(request.fields);
    assert.ok(!/6\.6\.6|evil\.example|666/.test(all), all);
  });
  for (const name of [
    'X_Forwarded_For',
    'X-Forwarded_For',
    'x_forwarded_host',
    'X_Request_Id',
    'X-Real-IP',
    'X-Forwarded-Prefix',
    'x_forwarded_ssl',
    'Front-End-Https',
    'Proxy',
    'X-Key-ID',
    'X_Key_ID',
  ]) {
    test(`A25 a client cannot speak for us through ${name}`, async () => {
      const request = await forwarded([[name, '6.6.6.6']]);
      assert.ok(!JSON.stringify(request.fields).includes('6.6.6.6'), name);
    });
  }
  test('the address is IPv6-safe when Host is absent (HTTP/1.0)', async () => {
    const before = harness.upstream.requests.length;
    using client = await RawClient.connect(harness.port);
    await client.send('GET /old HTTP/1.0\r\n\r\n');
    assert.equal((await client.response()).status, 200);
    const request = harness.upstream.requests[before]!;
    assert.equal(request.value('x-forwarded-for'), '127.0.0.1');
    assert.ok(!request.fields.some(([name, value]) => /^x-forwarded-host$/i.test(name) && value === 'undefined'));
  });
});

describe('X-Request-Id', () => {
  test('the same id is at the client, at the upstream and in the log', async () => {
    const before = harness.upstream.requests.length;
    const response = await fetchRaw(harness.port, 'GET', { target: '/id' });
    const id = response.value('x-request-id')!;
    assert.match(id, /^[\x21-\x7e]{8,128}$/);
    assert.equal(harness.upstream.requests[before]!.value('x-request-id'), id);
    const record = await harness.gateway.record((each) => each.request_id === id);
    assert.equal(record.outcome, 'ok');
    assert.equal(record.method, 'GET');
    assert.equal(record.status, 200);
    assert.match(String(record.path), /^\/id/);
  });
  test('the access record never holds a query, a header or a body', async () => {
    // The usual script's answer would show the target, and the search for canaries would find it there.
    harness.invariants.canaries.push('canary-in-query', 'canary-in-header', 'canary-in-body');
    const before = harness.upstream.requests.length;
    using client = await RawClient.connect(harness.port);
    harness.upstream.script = (_request, connection) => connection.write('HTTP/1.1 204 No Content\r\n\r\n');
    await client.send(
      'POST /log?token=canary-in-query HTTP/1.1\r\nHost: a\r\nX: canary-in-header\r\nContent-Length: 14\r\n\r\ncanary-in-body',
    );
    assert.equal((await client.response()).status, 204);
    assert.equal(harness.upstream.requests[before]!.target, '/log?token=canary-in-query');
    const record = await harness.gateway.record((each) => String(each.path).startsWith('/log'));
    assert.equal(record.path, '/log');
  });
  test("an untrusted client's id is replaced", async () => {
    const request = await forwarded([
      ['X-Request-Id', 'client-chosen'],
      ['x-request-id', 'client-chosen-2'],
    ]);
    assert.ok(!request.value('x-request-id')!.includes('client-chosen'));
  });
  test('ids differ', async () => {
    const ids = new Set<string>();
    for (let round = 0; round < 50; round += 1) ids.add((await forwarded([])).value('x-request-id')!);
    assert.equal(ids.size, 50);
  });
});

describe('traceparent', () => {
  const valid = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[0-9a-f]$/;
  test('is begun where there is none', async () => {
    assert.match((await forwarded([])).value('traceparent') ?? '', valid);
  });
  test('is begun where Connection takes the client’s away', async () => {
    const sent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const request = await forwarded([
      ['traceparent', sent],
      ['tracestate', 'a=1'],
      ['Connection', 'traceparent'],
    ]);
    assert.match(request.value('traceparent') ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    assert.notEqual(request.value('traceparent'), sent);
    assert.equal(request.value('tracestate'), undefined);
  });
  test('keeps the trace id of a valid one, and tracestate', async () => {
    const request = await forwarded([
      ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
      ['tracestate', 'vendor=abc'],
    ]);
    assert.match(request.value('traceparent') ?? '', /^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/);
    assert.equal(request.value('tracestate'), 'vendor=abc');
  });
  for (const value of [
    'garbage',
    '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
    'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    '00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01',
    '',
  ]) {
    test(`an invalid one (${JSON.stringify(value)}) is begun anew (W3C Trace Context 4.3)`, async () => {
      const request = await forwarded([['traceparent', value]]);
      assert.match(request.value('traceparent') ?? '', valid);
      assert.ok(!(request.value('traceparent') ?? '').includes('4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7'));
    });
  }
});

describe('Via', () => {
  test("ours is added behind the client's, with the version it spoke", async () => {
    const request = await forwarded([
      ['Via', '1.0 fred'],
      ['via', '1.1 proxy.example (Apache)'],
    ]);
    assert.match(request.values('via').join(', '), /^1\.0 fred, 1\.1 proxy\.example \(Apache\), 1\.1 [^,\s]+( \([^)]*\))?$/);
    const old = await forwarded([], { version: 'HTTP/1.0' });
    assert.match(old.values('via').join(', '), /^1\.0 \S+/);
  });
  test('N03 a request that comes back to the gateway is 508 loop_detected', async () => {
    // A pipe of another port back to the gateway: no literal listener of ours, so it saves.
    const pipe = net.createServer((from) => {
      const to = net.connect(harness.port, '127.0.0.1');
      from.pipe(to).pipe(from);
      from.on('error', () => to.destroy());
      to.on('error', () => from.destroy());
      from.on('close', () => to.destroy());
      to.on('close', () => from.destroy());
    });
    await new Promise<void>((resolve) => pipe.listen(0, '127.0.0.1', resolve));
    try {
      const port = (pipe.address() as net.AddressInfo).port;
      const { path, routeId, upstreamId } = await harness.gateway.admin.expose({ base_url: `http://127.0.0.1:${port}` });
      const response = await fetchRaw(harness.port, 'GET', { target: `${path}/round` });
      assert.equal(response.status, 508);
      assert.equal(response.json()['code'], 'loop_detected');
      await harness.gateway.admin.must('DELETE', `/routes/${routeId}`);
      await harness.gateway.admin.must('DELETE', `/upstreams/${upstreamId}`);
    } finally {
      pipe.close();
    }
  });
});

describe('A11 credentials', () => {
  const canaries = { bearer: 'canary-bearer-7f3a', header: 'canary-header-91bc', basic: 'canary-user:canary-pass-55d0' };
  const cases: [string, Record<string, unknown>, string, string, readonly Field[]][] = [
    [
      'bearer',
      { auth_type: 'bearer', auth_value: canaries.bearer },
      'authorization',
      `Bearer ${canaries.bearer}`,
      [['Authorization', 'Bearer client']],
    ],
    [
      'basic',
      { auth_type: 'basic', auth_value: canaries.basic },
      'authorization',
      `Basic ${Buffer.from(canaries.basic).toString('base64')}`,
      [['authorization', 'Basic Y2xpZW50OmNsaWVudA==']],
    ],
    [
      'header',
      { auth_type: 'header', auth_header: 'X-Backend-Key', auth_value: canaries.header },
      'x-backend-key',
      canaries.header,
      [
        ['X-Backend-Key', 'client'],
        ['x-backend-KEY', 'client2'],
        ['X_Backend_Key', 'client3'],
        ['X-Backend_Key', 'client4'],
      ],
    ],
  ];
  for (const [kind, fields, name, value, spoofed] of cases) {
    test(`A11 the upstream sees exactly one ${kind} credential, ours, whatever the client sends`, async () => {
      harness.invariants.canaries.push(String(fields['auth_value']), value);
      const { path, upstream } = await harness.exposed(fields, answerOk);
      for (const extra of [[], spoofed, [['Connection', name] as const], [...spoofed, ['Connection', `${name}, close`] as const]]) {
        const response = await fetchRaw(harness.port, 'GET', { target: `${path}/x`, fields: extra });
        assert.equal(response.status, 200, response.body.toString());
        const request = upstream.requests.at(-1)!;
        assert.deepEqual(request.values(name), [value]);
        const variants = request.fields.filter(([each]) => each.toLowerCase().replaceAll('_', '-') === name);
        assert.equal(variants.length, 1, JSON.stringify(variants));
      }
    });
  }
  for (const name of ['X-Backend-Key', 'x_backend_key', 'Authorization', 'authorization_', 'X_API_Key', 'AUTHORIZATION'])
    test(`A11 A13 a trailer ${name} is refused or dropped where it is the name of a credential`, async () => {
      harness.invariants.canaries.push(canaries.header);
      const own = await harness.exposed({ auth_type: 'header', auth_header: 'X-Backend-Key', auth_value: canaries.header }, answerOk);
      const response = await fetchRaw(harness.port, 'POST', {
        target: `${own.path}/t`,
        fields: [['Transfer-Encoding', 'chunked']],
        body: `2\r\nok\r\n0\r\n${name}: client\r\nX-Other: o\r\n\r\n`,
      });
      if (name.toLowerCase() === 'authorization') {
        assert.equal(response.status, 400);
        return;
      }
      assert.equal(response.status, 200);
      const expected = name === 'authorization_' ? ['authorization_', 'X-Other'] : ['X-Other'];
      assert.deepEqual(
        own.upstream.requests.at(-1)!.trailers.map(([each]) => each),
        expected,
      );
    });
  test("A11 with auth_type none a client's Authorization passes on a public route", async () => {
    assert.equal((await forwarded([['Authorization', 'Bearer clients-own']])).value('authorization'), 'Bearer clients-own');
  });
  test('A11 a client that splits Authorization over two fields does not reach a bearer upstream', async () => {
    const { path, upstream } = await harness.exposed({ auth_type: 'bearer', auth_value: canaries.bearer }, answerOk);
    await fetchRaw(harness.port, 'GET', {
      target: path,
      fields: [
        ['Authorization', 'a'],
        ['AUTHORIZATION', 'b'],
      ],
    });
    assert.deepEqual(upstream.requests.at(-1)!.values('authorization'), [`Bearer ${canaries.bearer}`]);
  });
  test('E08 two upstreams of the same base_url never cross credentials, however their connections are reused', async () => {
    const shared = await harness.scripted(answerOk);
    const one = await harness.gateway.admin.expose({ base_url: shared.url, auth_type: 'bearer', auth_value: 'canary-one-1' });
    const two = await harness.gateway.admin.expose({ base_url: shared.url, auth_type: 'bearer', auth_value: 'canary-two-2' });
    const three = await harness.gateway.admin.expose({ base_url: shared.url });
    using client = await RawClient.connect(harness.port);
    for (let round = 0; round < 30; round += 1) {
      const [each, value] = (
        [
          [one, ['Bearer canary-one-1']],
          [two, ['Bearer canary-two-2']],
          [three, []],
        ] as const
      )[round % 3]!;
      await client.request('GET', { target: `${each.path}/${round}` });
      assert.deepEqual(shared.requests.at(-1)!.values('authorization'), value);
    }
    for (const connection of shared.connections) {
      const seen = new Set(connection.requests.map((request) => request.values('authorization').join()));
      assert.equal(seen.size, 1, 'one connection carries one credential only');
    }
  });
  test('I8 a credential that cannot be produced is 503, and nothing goes upstream', async () => {
    const { path, upstream } = await harness.exposed({ auth_type: 'bearer', auth_value: '${file:/nonexistent/credential}' }, answerOk);
    const response = await fetchRaw(harness.port, 'GET', { target: path });
    assert.equal(response.status, 503);
    assert.equal(response.json()['code'], 'upstream_credential_unavailable');
    assert.equal(upstream.connections.length, 0);
  });
  test('an API key never reaches the upstream, on public routes either', async () => {
    const key = `ak_${'0123456789abcdef'.repeat(4)}`;
    for (const fields of [
      [['X-API-Key', key]],
      [['Authorization', `Bearer ${key}`]],
      [['x_api_key', key]],
      [['authorization', `bearer ${key}`]],
    ] as const) {
      const request = await forwarded(fields);
      assert.ok(!JSON.stringify(request.fields).includes(key), JSON.stringify(fields));
    }
  });
});

describe('Host and path towards the upstream', () => {
  test("the Host is base_url's unless preserve_host", async () => {
    const plain = await harness.exposed({}, answerOk);
    await fetchRaw(harness.port, 'GET', { target: plain.path, host: 'client.example' });
    assert.equal(plain.upstream.requests.at(-1)!.value('host'), `127.0.0.1:${plain.upstream.port}`);
    const kept = await harness.exposed({ preserve_host: true }, answerOk);
    await fetchRaw(harness.port, 'GET', { target: kept.path, host: 'Client.Example:99' });
    assert.equal(kept.upstream.requests.at(-1)!.value('host'), 'Client.Example:99');
  });
  test("with preserve_host it is base_url's where an HTTP/1.0 client sent none: an empty one would be 400 at most upstreams", async () => {
    const kept = await harness.exposed({ preserve_host: true }, answerOk);
    using client = await RawClient.connect(harness.port);
    await client.send(`GET ${kept.path} HTTP/1.0\r\n\r\n`);
    assert.equal((await client.response()).status, 200);
    assert.equal(kept.upstream.requests.at(-1)!.value('host'), `127.0.0.1:${kept.upstream.port}`);
  });
  test('an IPv6 upstream is dialled, and its Host has brackets', async (context) => {
    let upstream;
    try {
      upstream = await harness.scripted(answerOk, { host: '::1' });
    } catch {
      return context.skip('no IPv6 here');
    }
    const { path } = await harness.gateway.admin.expose({ base_url: `http://[::1]:${upstream.port}` });
    assert.equal((await fetchRaw(harness.port, 'GET', { target: path })).status, 200);
    assert.equal(upstream.requests[0]!.value('host'), `[::1]:${upstream.port}`);
  });
  test("base_url's path is a prefix with exactly one slash at the join, and is never left", async () => {
    const upstream = await harness.scripted(answerOk);
    for (const base of ['/base', '/base/']) {
      const { path } = await harness.gateway.admin.expose({ base_url: `${upstream.url}${base}` });
      for (const [sent, expected] of [
        [path, `/base${path}`],
        [`${path}/x?q=%2F`, `/base${path}/x?q=%2F`],
      ] as const) {
        assert.equal((await fetchRaw(harness.port, 'GET', { target: sent })).status, 200);
        assert.equal(upstream.requests.at(-1)!.target, expected);
      }
    }
  });
  test('//evil.example/x never changes the host that is dialled', async () => {
    const request = await forwarded([], { target: '//evil.example/x' });
    assert.equal(request.target, '//evil.example/x');
    assert.equal(request.value('host'), `127.0.0.1:${harness.upstream.port}`);
  });
});

test('the body that goes upstream is framed once and whole', async () => {
  const body = 'x'.repeat(70_000);
  const withLength = await forwarded([], { method: 'POST', body });
  assert.equal(withLength.body.toString(), body);
  assert.equal(withLength.value('content-length'), '70000');
  const chunked = await forwarded([['Transfer-Encoding', 'chunked']], { method: 'PUT', body: `11170\r\n${body}\r\n0\r\n\r\n` });
  assert.equal(chunked.body.toString(), body);
  assert.equal(chunked.value('transfer-encoding'), 'chunked');
});
