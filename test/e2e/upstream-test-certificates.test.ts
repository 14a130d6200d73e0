import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type tls from 'node:tls';
import type { UpstreamTest } from '../../src/model/upstream-test.ts';
import { type Certificate, hasOpenssl, TestAuthority } from '../support/certificates.ts';
import { answerOk, type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';

if (!hasOpenssl()) {
  test('tests of https upstreams', { skip: 'the openssl command is not installed' }, () => {});
} else {
  const authority = new TestAuthority('Known CA');
  const stranger = new TestAuthority('Internal CA of Acme');
  const secret = 'canary-tls-77aa';
  const upstreams: ScriptedUpstream[] = [];
  let gateway: Gateway;

  before(async () => {
    // The known CA is in the system's store, as the gateway's process sees it.
    gateway = await startGateway({ admin: true, env: { SSL_CERT_FILE: authority.caPath } });
  });
  after(async () => {
    await Promise.all(upstreams.map((each) => each.close()));
    await gateway.stop();
    authority.remove();
    stranger.remove();
  });

  async function https(certificate: Certificate, options: tls.TlsOptions = {}): Promise<ScriptedUpstream> {
    const upstream = await startScriptedUpstream(answerOk, { tls: { ...certificate, ...options } });
    upstreams.push(upstream);
    return upstream;
  }

  async function tried(fields: Readonly<Record<string, unknown>>): Promise<UpstreamTest> {
    const upstream = { auth_type: 'bearer', auth_value: secret, ...fields };
    const found = (await gateway.admin.must('POST', '/upstreams/test', { upstream })) as unknown as UpstreamTest;
    assert.doesNotMatch(JSON.stringify(found), new RegExp(secret));
    return found;
  }

  /** The handshake fails for that reason, and not one decrypted byte reaches the upstream. */
  async function assertRefused(kind: string, cause: RegExp, upstream: ScriptedUpstream, fields: object = {}): Promise<UpstreamTest> {
    const found = await tried({ base_url: upstream.url, ...fields });
    assert.equal(found.problem?.kind, kind, JSON.stringify(found));
    assert.match(found.problem.cause, cause);
    assert.equal(found.answers, false);
    assert.deepEqual(
      found.steps.map(({ step, result }) => `${step} ${result}`),
      ['dns skipped', 'tcp ok', 'tls failed', 'credential skipped', 'answer skipped', 'first_byte skipped'],
    );
    assert.equal(upstream.receivedBytes, 0, 'no request byte, no credential');
    return found;
  }

  test('a trusted certificate: issuer, names, expiry and protocol are shown, and the credential arrives', async () => {
    const upstream = await https(authority.issue(['IP:127.0.0.1', 'DNS:api.test']));
    const found = await tried({ base_url: upstream.url });
    assert.equal(found.problem, null, JSON.stringify(found));
    const { certificate } = found;
    assert.equal(certificate?.issuer, 'Known CA');
    assert.deepEqual(certificate.names, ['127.0.0.1', 'api.test']);
    // Issued for 20 days.
    assert.ok(certificate.days_left === 19 || certificate.days_left === 20, String(certificate.days_left));
    assert.equal(certificate.protocol, 'TLSv1.3');
    assert.match(found.notes.join('\n'), /The certificate expires in \d+ days/);
    assert.match(found.steps.find(({ step }) => step === 'tls')!.detail, /^TLSv1\.3, issued by Known CA, until \d{4}-\d\d-\d\d$/);
    assert.equal(upstream.requests[0]!.value('authorization'), `Bearer ${secret}`);
    assert.equal(found.steps.find(({ step }) => step === 'credential')!.detail, 'Authorization: Bearer ********');
  });

  test('C01 of an unknown CA: the issuer is named', async () => {
    const found = await assertRefused(
      'tls_untrusted',
      /^Certificate signed by unknown authority: it was issued by "Internal CA of Acme"/,
      await https(stranger.issue(['IP:127.0.0.1'])),
    );
    assert.equal(found.certificate?.issuer, 'Internal CA of Acme');
    assert.match(found.problem!.next.join('\n'), /tls_ca/);
  });

  test('C01 self-signed', async () =>
    void (await assertRefused('tls_untrusted', /unknown authority: it signs itself/, await https(stranger.selfSigned(['IP:127.0.0.1'])))));

  test('C01 expired', async () =>
    void (await assertRefused(
      'tls_expired',
      /^The certificate expired on \d{4}-\d\d-\d\d, (?:9|10) days ago\.$/,
      await https(authority.issue(['IP:127.0.0.1'], 'expired')),
    )));

  test('C01 not yet valid', async () =>
    void (await assertRefused(
      'tls_not_yet_valid',
      /^The certificate is not valid before \d{4}-\d\d-\d\d\.$/,
      await https(authority.issue(['IP:127.0.0.1'], 'future')),
    )));

  test('C02 for other names: they are listed', async () => {
    const upstream = await https(authority.issue(['DNS:a.test', 'DNS:*.b.test']));
    await assertRefused('tls_name_mismatch', /^The certificate is not for 127\.0\.0\.1; it is for: a\.test, \*\.b\.test\.$/, upstream);
    await assertRefused('tls_name_mismatch', /not for c\.test; it is for/, upstream, { tls_server_name: 'c.test' });
    assert.equal((await tried({ base_url: upstream.url, tls_server_name: 'x.b.test' })).problem, null);
  });

  test('C02 for no name at all', async () =>
    void (await assertRefused('tls_name_mismatch', /it is for: no name at all/, await https(authority.issue([])))));

  test('C05 only old versions of TLS', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await assertRefused('tls_too_old', /older than TLS 1\.2/, await https(authority.issue(['IP:127.0.0.1']), old));
  });

  test('C07 a tls_ca counts for its test only', async () => {
    const upstream = await https(stranger.issue(['IP:127.0.0.1']));
    const found = await tried({ base_url: upstream.url, tls_ca: stranger.ca });
    assert.equal(found.problem, null, JSON.stringify(found));
    assert.equal(found.curl, null, 'curl would need the CA too');
    const before = upstream.receivedBytes;
    assert.equal((await tried({ base_url: upstream.url })).problem?.kind, 'tls_untrusted');
    assert.equal(upstream.receivedBytes, before);
  });

  test('https to a port that does not speak TLS', async () => {
    const upstream = await startScriptedUpstream(() => {}, {
      deaf: true,
      onConnection: (connection) => void connection.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
    });
    upstreams.push(upstream);
    await assertFindsPlain(upstream);
  });

  async function assertFindsPlain(upstream: ScriptedUpstream): Promise<void> {
    const found = await tried({ base_url: `https://127.0.0.1:${upstream.port}` });
    assert.equal(found.problem?.kind, 'tls_not_spoken', JSON.stringify(found));
    assert.match(found.problem.next.join('\n'), /http:\/\//);
  }

  test('C04 a handshake that stalls, and one that is broken off', async () => {
    const silent = await startScriptedUpstream(() => {}, { deaf: true });
    const rude = await startScriptedUpstream(() => {}, {
      deaf: true,
      onConnection: (connection) => void connection.socket.once('data', () => connection.reset()),
    });
    upstreams.push(silent, rude);
    const stalled = await tried({ base_url: `https://127.0.0.1:${silent.port}`, timeout_ms: 500 });
    assert.equal(stalled.problem?.kind, 'connect_timeout');
    assert.match(stalled.problem.cause, /did not finish the TLS handshake within 500 ms \(deadline exceeded\)/);
    const broken = await tried({ base_url: `https://127.0.0.1:${rude.port}` });
    assert.equal(broken.problem?.kind, 'connection_reset', JSON.stringify(broken));
  });

  test('a test says what a request says: same certificates, same verdict', async () => {
    const cases: [ScriptedUpstream, object, string | null][] = [
      [await https(authority.issue(['IP:127.0.0.1'])), {}, null],
      [await https(stranger.issue(['IP:127.0.0.1'])), {}, 'upstream_tls_untrusted'],
      [await https(authority.issue(['DNS:a.test'])), {}, 'upstream_tls_name_mismatch'],
      [await https(authority.issue(['IP:127.0.0.1'], 'expired')), {}, 'upstream_tls_expired'],
    ];
    for (const [upstream, fields, code] of cases) {
      const { path, upstreamId } = await gateway.admin.expose({ base_url: upstream.url, ...fields });
      const found = (await gateway.admin.must('POST', `/upstreams/${upstreamId}/test`)) as unknown as UpstreamTest;
      const response = await fetch(gateway.url + path);
      const body = await response.text();
      assert.equal(found.problem?.code ?? null, code);
      assert.equal(code === null ? null : (JSON.parse(body) as { code: string }).code, code);
    }
  });
}
