import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import http2 from 'node:http2';
import { text } from 'node:stream/consumers';
import { suite, test } from 'node:test';
import { mustRun, run, unlessInstalled } from '../support/foreign-program.ts';
import { useGateway } from '../support/harness.ts';
import { startHashingBackend } from '../support/hashing-backend.ts';
import { startNodeServer } from '../support/node-server.ts';
import { RawClient } from '../support/raw-client.ts';

const harness = useGateway({ admin: true, script: false });
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

const withoutHttp2 =
  unlessInstalled('curl') || (/^Features:.*\bHTTP2\b/m.test((await run('curl', ['--version'])).stdout) ? false : 'curl without HTTP/2');

suite('curl speaks HTTP/1.0', { skip: unlessInstalled('curl') }, () => {
  test('an answer in chunks reaches it whole and without chunks, however large', async () => {
    const pieces = Array.from({ length: 40 }, () => randomBytes(50_000));
    await using server = await startNodeServer((_request, response) => {
      for (const piece of pieces) response.write(piece);
      response.end();
    });
    const { path } = await harness.gateway.admin.expose({ base_url: server.url });
    // -i without decoding: what came over the wire.
    const { stdout } = await mustRun('sh', [
      '-c',
      'curl -sS --http1.0 --raw -D - -o - "$0" | { sed -u "/^\\r$/q" >&2; sha256sum; }',
      harness.gateway.url + path,
    ]);
    assert.equal(stdout.split(' ')[0], createHash('sha256').update(Buffer.concat(pieces)).digest('hex'));
    const { stdout: head } = await mustRun('curl', ['-sS', '--http1.0', '--raw', '-D', '-', '-o', '/dev/null', harness.gateway.url + path]);
    assert.match(head, /^HTTP\/1\.[01] 200 /);
    assert.doesNotMatch(head, /^transfer-encoding:/im);
    assert.match(head, /^connection: close\r$/im);
  });

  test('an upload arrives whole, and two requests on a kept connection are answered', async () => {
    const backend = await startHashingBackend();
    try {
      const { path } = await harness.gateway.admin.expose({ base_url: backend.url });
      const url = harness.gateway.url + path;
      const body = 'ß'.repeat(100_000);
      const { stdout } = await mustRun('curl', ['-sS', '--http1.0', '--data-binary', '@-', url], { input: body });
      assert.equal((JSON.parse(stdout) as { sha256: string }).sha256, createHash('sha256').update(body).digest('hex'));
      const twice = ['-o', '/dev/null', url, '-o', '/dev/null', url];
      const kept = await mustRun('curl', ['-sS', '--http1.0', '-H', 'Connection: keep-alive', '-w', '%{http_code}\\n', ...twice]);
      assert.equal(kept.stdout, '201\n201\n');
    } finally {
      await backend.close();
    }
  });
});

suite('HTTP/2 without TLS', () => {
  test('the preface is refused with 400 and the connection closed, and nothing of it reaches an upstream', async () => {
    let count = 0;
    await using server = await startNodeServer((_request, response) => {
      count += 1;
      response.end();
    });
    await harness.gateway.admin.expose({ base_url: server.url, name: 'everything' }, { path_pattern: '/' });
    using client = await RawClient.connect(harness.port);
    // The preface and an empty SETTINGS frame, as RFC 9113 section 3.4 has them.
    await client.send(Buffer.concat([Buffer.from(preface), Buffer.from('000000040000000000', 'hex')]));
    const response = await client.response();
    assert.deepEqual([response.version, response.status], ['HTTP/1.1', 400]);
    assert.equal(response.json()['code'], 'request_malformed');
    await client.ended();
    assert.equal(count, 0);
  });

  test('http2 of Node.js sees an error at once, not silence', async () => {
    const session = http2.connect(harness.gateway.url);
    const failed = await new Promise<Error>((resolve) => {
      session.once('error', resolve);
      const stream = session.request({ ':path': '/' });
      stream.once('error', () => undefined);
    });
    assert.match(failed.message, /Protocol error|HTTP\/1\.1 required|closed|ECONNRESET|frame/i);
    assert.ok(session.destroyed);
  });

  test('curl with prior knowledge fails at once', { skip: withoutHttp2 }, async () => {
    const started = performance.now();
    const failed = await run('curl', ['-sS', '--http2-prior-knowledge', '-m', '20', harness.gateway.url]);
    assert.notEqual(failed.code, 0);
    assert.notEqual(failed.code, 28, 'not by running out of time');
    assert.ok(performance.now() - started < 15_000);
  });

  test('curl that offers to upgrade goes on in HTTP/1.1, and the upstream is not offered it', { skip: withoutHttp2 }, async () => {
    let offered: unknown;
    await using server = await startNodeServer((request, response) => {
      offered = [request.headers.upgrade, request.headers['http2-settings'], request.headers.connection];
      void text(request).then(() => response.end('fine'));
    });
    const { path } = await harness.gateway.admin.expose({ base_url: server.url });
    const { stdout } = await mustRun('curl', ['-sS', '--http2', '-w', ' %{http_version} %{http_code}', harness.gateway.url + path]);
    assert.equal(stdout, 'fine 1.1 200');
    assert.deepEqual(offered, [undefined, undefined, undefined]);
  });
});
