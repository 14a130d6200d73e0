import assert from 'node:assert/strict';
import type net from 'node:net';
import { after, describe, test } from 'node:test';
import tls from 'node:tls';
import { eventually } from '../support/eventually.ts';
import { type Certificate, hasOpenssl, TestAuthority } from '../support/certificates.ts';
import { type Exposed, useGateway } from '../support/harness.ts';
import { fetchRaw, type RawResponse } from '../support/raw-client.ts';
import { answerOk } from '../support/scripted-upstream.ts';

if (!hasOpenssl()) {
  test('https upstreams', { skip: 'the openssl command is not installed' }, () => {});
} else {
  const authority = new TestAuthority('Known CA');
  const stranger = new TestAuthority('Unknown CA');
  after(() => {
    authority.remove();
    stranger.remove();
  });
  // The known CA is in the system's store, as the gateway's process sees it.
  const harness = useGateway({ admin: true, script: false, env: { SSL_CERT_FILE: authority.caPath } });
  const secret = 'canary-tls-0b1c';

  async function https(
    certificate: Certificate,
    fields: Readonly<Record<string, unknown>> = {},
    options: tls.TlsOptions = {},
  ): Promise<Exposed> {
    harness.invariants.canaries.push(secret);
    const upstream = await harness.scripted(answerOk, { tls: { ...certificate, ...options } });
    const made = await harness.gateway.admin.expose({ base_url: upstream.url, auth_type: 'bearer', auth_value: secret, ...fields });
    return { ...made, upstream };
  }

  async function get(path: string): Promise<RawResponse> {
    return await fetchRaw(harness.port, 'GET', { target: path, timeoutMs: 8_000 });
  }

  /** 502 with this code, and not one decrypted byte at the upstream. */
  async function assertRefused({ path, upstream }: Exposed, codes: readonly string[]): Promise<void> {
    const response = await get(path);
    assert.equal(response.status, 502, response.body.toString());
    const code = String(response.json()['code']);
    assert.ok(codes.includes(code), code);
    assert.equal(upstream.receivedBytes, 0, 'no request byte, no credential');
    const record = await harness.gateway.record((each) => each.request_id === response.value('x-request-id'));
    assert.equal(record.outcome, 'upstream_connect');
    if (code === 'upstream_tls_untrusted') assert.match(JSON.stringify(record), /unknown authority/);
  }

  test('a certificate of a CA in the system store is trusted, and the credential arrives', async () => {
    const { path, upstream } = await https(authority.issue(['IP:127.0.0.1']));
    for (let round = 0; round < 3; round += 1) assert.equal((await get(path)).status, 200);
    assert.equal(upstream.requests[0]!.value('authorization'), `Bearer ${secret}`);
    assert.equal(upstream.connections.length, 1, 'TLS connections are pooled');
  });

  describe('C01 certificates that are not trusted', () => {
    test('C01 of an unknown CA', async () =>
      await assertRefused(await https(stranger.issue(['IP:127.0.0.1'])), ['upstream_tls_untrusted']));
    test('C01 self-signed', async () =>
      await assertRefused(await https(stranger.selfSigned(['IP:127.0.0.1'])), ['upstream_tls_untrusted']));
    test('C01 expired', async () =>
      await assertRefused(await https(authority.issue(['IP:127.0.0.1'], 'expired')), ['upstream_tls_expired']));
    test('C01 not yet valid', async () =>
      await assertRefused(await https(authority.issue(['IP:127.0.0.1'], 'future')), ['upstream_tls_expired']));
    test('C01 a tls_ca replaces the default trust for its upstream', async () =>
      await assertRefused(await https(authority.issue(['IP:127.0.0.1']), { tls_ca: stranger.ca }), ['upstream_tls_untrusted']));
  });

  describe('C02 names', () => {
    test('C02 another name', async () =>
      await assertRefused(await https(authority.issue(['DNS:other.test'])), ['upstream_tls_name_mismatch']));
    test('C02 an address without an IP name', async () =>
      await assertRefused(await https(authority.issue(['DNS:localhost'])), ['upstream_tls_name_mismatch']));
    test('C02 DNS:127.0.0.1 does not cover the address', async () =>
      await assertRefused(await https(authority.issue(['DNS:127.0.0.1'])), ['upstream_tls_name_mismatch']));
    test('C02 no subject alternative name at all', async () =>
      await assertRefused(await https(authority.issue([])), ['upstream_tls_name_mismatch']));
    test('C02 a wildcard covers one label only', async () => {
      const certificate = authority.issue(['DNS:*.api.test']);
      await assertRefused(await https(certificate, { tls_server_name: 'a.b.api.test' }), ['upstream_tls_name_mismatch']);
      await assertRefused(await https(certificate, { tls_server_name: 'api.test' }), ['upstream_tls_name_mismatch']);
      assert.equal((await get((await https(certificate, { tls_server_name: 'a.api.test' })).path)).status, 200);
    });
    test('C02 tls_server_name is what is asked for (SNI) and checked', async () => {
      let asked: string | undefined;
      const certificate = authority.issue(['DNS:inner.test']);
      const SNICallback = (name: string, done: (error: Error | null, context?: tls.SecureContext) => void): void => {
        asked = name;
        done(null, tls.createSecureContext(certificate));
      };
      const { path } = await https(certificate, { tls_server_name: 'inner.test' }, { SNICallback });
      assert.equal((await get(path)).status, 200);
      assert.equal(asked, 'inner.test');
    });
  });

  test('C03 two upstreams on one address with different names and CAs never share a session or a socket', async () => {
    const one = authority.issue(['DNS:one.test']);
    const two = stranger.issue(['DNS:two.test']);
    const upstream = await harness.scripted(answerOk, {
      tls: { ...one, SNICallback: (name, done) => done(null, tls.createSecureContext(name === 'two.test' ? two : one)) },
    });
    const first = await harness.gateway.admin.expose({ base_url: upstream.url, tls_server_name: 'one.test' });
    const second = await harness.gateway.admin.expose({ base_url: upstream.url, tls_server_name: 'two.test', tls_ca: stranger.ca });
    const wrong = await harness.gateway.admin.expose({ base_url: upstream.url, tls_server_name: 'two.test' });
    for (let round = 0; round < 3; round += 1) {
      assert.equal((await get(first.path)).status, 200);
      assert.equal((await get(second.path)).status, 200);
      const refused = await get(wrong.path);
      assert.equal(refused.status, 502, 'a session of the upstream that trusts that CA does not help this one');
      assert.equal(refused.json()['code'], 'upstream_tls_untrusted');
    }
    for (const connection of upstream.connections) assert.ok(new Set(connection.requests.map((request) => request.target)).size <= 1);
  });

  test('C04 a handshake that stalls is 504 upstream_connect_timeout at the connect timeout', async () => {
    const upstream = await harness.scripted(() => {}, { deaf: true });
    const { path } = await harness.gateway.admin.expose({ base_url: `https://127.0.0.1:${upstream.port}`, timeout_ms: 1_000 });
    const start = performance.now();
    const response = await get(path);
    const took = performance.now() - start;
    assert.ok(took >= 900 && took <= 2_500, `${took}`);
    assert.equal(response.status, 504);
    assert.equal(response.json()['code'], 'upstream_connect_timeout');
    await eventually(() => upstream.open.length === 0, 'the socket is destroyed');
  });

  test('C04 a plain-text server is 502 upstream_tls_failed', async () => {
    const upstream = await harness.scripted(() => {}, {
      deaf: true,
      onConnection: (connection) => void connection.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
    });
    const { path } = await harness.gateway.admin.expose({ base_url: `https://127.0.0.1:${upstream.port}` });
    const response = await get(path);
    assert.equal(response.status, 502);
    assert.equal(response.json()['code'], 'upstream_tls_failed');
  });

  test('C04 a server that closes in the handshake is 502', async () => {
    const upstream = await harness.scripted(() => {}, {
      deaf: true,
      onConnection: (connection) => void connection.socket.once('data', () => connection.socket.destroy()),
    });
    const { path } = await harness.gateway.admin.expose({ base_url: `https://127.0.0.1:${upstream.port}` });
    const response = await get(path);
    assert.equal(response.status, 502);
    assert.match(String(response.json()['code']), /^upstream_(tls_failed|reset)$/);
  });

  for (const version of ['TLSv1', 'TLSv1.1'] as const) {
    test(`C05 a ${version}-only server is 502, no downgrade`, async () => {
      const exposed = await https(
        authority.issue(['IP:127.0.0.1']),
        {},
        { minVersion: 'TLSv1', maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' },
      );
      await assertRefused(exposed, ['upstream_tls_failed']);
    });
  }

  test('C06 a certificate rotated to an untrusted one while 50 pooled connections live: those finish, new connects are 502', async () => {
    let current = authority.issue(['DNS:rotating.test']);
    const bad = stranger.issue(['DNS:rotating.test']);
    let waiting: (() => void)[] = [];
    const release = (): void => {
      for (const each of waiting) each();
      waiting = [];
    };
    const upstream = await harness.scripted(
      async (request, connection) => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        await answerOk(request, connection);
      },
      { tls: { ...current, SNICallback: (_name, done) => done(null, tls.createSecureContext(current)) } },
    );
    const { path } = await harness.gateway.admin.expose({ base_url: upstream.url, tls_server_name: 'rotating.test' });
    const first = Array.from({ length: 50 }, () => get(path));
    await eventually(() => waiting.length === 50, '50 requests upstream', 8_000);
    release();
    assert.ok((await Promise.all(first)).every((response) => response.status === 200));
    current = bad;
    // 50 reuse what stands, and hold it; the ten beyond need new connections.
    const refused: string[] = [];
    const second = Array.from({ length: 60 }, async () => {
      const response = await get(path);
      if (response.status !== 200) refused.push(String(response.json()['code']));
      return response.status;
    });
    await eventually(
      () => refused.length === 10 && waiting.length === 50,
      () => `10 refused and 50 upstream; ${refused.length} and ${waiting.length}`,
      8_000,
    );
    assert.deepEqual([...new Set(refused)], ['upstream_tls_untrusted']);
    release();
    assert.equal((await Promise.all(second)).filter((status) => status === 200).length, 50);
    const third = get(path);
    await eventually(() => waiting.length === 1, 'one more');
    release();
    assert.equal((await third).status, 200, 'pooled connections live on');
  });

  test('C07 a tls_ca works for its upstream only', async () => {
    const certificate = stranger.issue(['IP:127.0.0.1']);
    assert.equal((await get((await https(certificate, { tls_ca: stranger.ca })).path)).status, 200);
    await assertRefused(await https(certificate), ['upstream_tls_untrusted']);
  });

  test('C07 a tls_ca changed to another takes effect for new connections', async () => {
    const { path, upstreamId, upstream } = await https(stranger.issue(['IP:127.0.0.1']), { tls_ca: stranger.ca });
    assert.equal((await get(path)).status, 200);
    await harness.gateway.admin.must('PUT', `/upstreams/${upstreamId}`, { tls_ca: authority.ca });
    const requests = upstream.requests.length;
    assert.equal((await get(path)).status, 502);
    assert.equal(upstream.requests.length, requests, 'a connection verified under the old trust is not used');
  });

  test('a large body and a broken one pass TLS as they pass TCP', async () => {
    const exposed = await https(authority.issue(['IP:127.0.0.1']));
    const size = 20 * 1024 * 1024;
    exposed.upstream.script = async (_request, connection) => {
      await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      await connection.write(Buffer.alloc(size, 'x'));
    };
    assert.equal((await get(exposed.path)).body.length, size);
    exposed.upstream.script = async (_request, connection) => {
      await connection.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
      connection.end();
    };
    await assert.rejects(get(exposed.path), { name: 'BrokenMessage' });
    exposed.upstream.script = async (_request, connection) => {
      await connection.write('HTTP/1.1 200 OK\r\n\r\nto the close');
      // Without a close_notify the end of a read-to-close body cannot be told from an attack (RFC 9112 section 9.8).
      ((connection.socket as tls.TLSSocket & { _parent?: net.Socket })._parent ?? connection.socket).destroy();
    };
    const ended = await get(exposed.path).then(
      () => 'clean',
      (error: Error) => error.name,
    );
    assert.ok(['clean', 'BrokenMessage'].includes(ended));
  });
}
