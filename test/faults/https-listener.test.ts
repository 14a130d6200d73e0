// Over 300 lines: one listener seen from all sides by one gateway, started once.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import tls from 'node:tls';
import { hasOpenssl, TestAuthority } from '../support/certificates.ts';
import { clientHello } from '../support/client-hello.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { useGateway } from '../support/harness.ts';
import { type ConnectOptions, fetchRaw, RawClient } from '../support/raw-client.ts';
import { answerOk } from '../support/scripted-upstream.ts';
import { adminEmail, adminPassword, launchGateway, startGateway } from '../support/start-gateway.ts';
import { openFilesOf, portOf, tcpSocketsOf } from '../support/tcp-sockets.ts';

if (!hasOpenssl()) {
  test('the HTTPS listener', { skip: 'the openssl command is not installed' }, () => {});
} else {
  const authority = new TestAuthority('Front CA');
  const directory = mkdtempSync(join(tmpdir(), 'apigate-https-'));
  const files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
  const issued = authority.issue(['DNS:gateway.test', 'IP:127.0.0.1']);
  writeFileSync(files.cert, issued.cert);
  writeFileSync(files.key, issued.key);
  after(() => {
    rmSync(directory, { recursive: true, force: true });
    authority.remove();
  });

  const securePort = await freePort();
  const flagsFor = (port: number): string[] => ['--tls-cert', files.cert, '--tls-key', files.key, '--tls-port', String(port)];
  const harness = useGateway({ admin: true, flags: flagsFor(securePort) });
  const trusting: ConnectOptions = { tls: { ca: authority.ca, servername: 'gateway.test' } };
  const connect = (more: tls.ConnectionOptions = {}, port = securePort): Promise<RawClient> =>
    RawClient.connect(port, { tls: { ...trusting.tls, ...more } });

  /** A plain TCP connection to the HTTPS port. */
  const connectPlain = (): Promise<RawClient> => RawClient.connect(securePort);

  async function assertServed(): Promise<void> {
    using client = await connect();
    assert.equal((await client.request('GET')).status, 200);
  }

  describe('what it serves', () => {
    test('HTTPS beside HTTP: the same routes on both ports', async () => {
      using client = await connect();
      for (let round = 0; round < 3; round += 1)
        assert.equal((await client.request('GET', { target: '/both' })).body.toString(), 'GET /both 0');
      assert.equal((await fetchRaw(harness.port, 'GET', { target: '/both' })).status, 200);
      assert.equal((await client.request('GET', { target: '/readyz' })).status, 200);
    });

    test('the admin API tells both listeners, each with its scheme', async () => {
      const { listeners } = await harness.gateway.admin.must('GET', '/settings');
      const planes = ['traffic', 'admin'];
      assert.deepEqual(listeners, [
        { scheme: 'http', host: '127.0.0.1', port: harness.port, planes },
        { scheme: 'https', host: '127.0.0.1', port: securePort, planes },
      ]);
    });

    test('the upstream is told that the client came by https', async () => {
      using client = await connect();
      await client.request('GET', { target: '/proto', host: 'gateway.test' });
      const request = harness.upstream.requests.at(-1)!;
      assert.equal(request.value('x-forwarded-proto'), 'https');
      assert.equal(request.value('x-forwarded-port'), String(securePort));
      assert.match(request.value('forwarded') ?? '', /;proto=https$/);
      await fetchRaw(harness.port, 'GET', { target: '/proto' });
      assert.equal(harness.upstream.requests.at(-1)!.value('x-forwarded-proto'), 'http');
    });

    test('M05 the session cookie is Secure over HTTPS, and not over HTTP', async () => {
      const sign = {
        target: '/admin/login',
        fields: [['Content-Type', 'application/json']] as const,
        body: JSON.stringify({ email: adminEmail, password: adminPassword }),
      };
      using client = await connect();
      const secure = (await client.request('POST', { ...sign, host: `127.0.0.1:${securePort}` })).value('set-cookie') ?? '';
      const plain = (await fetchRaw(harness.port, 'POST', sign)).value('set-cookie') ?? '';
      assert.match(secure, /^session=.*; Secure(;|$)/);
      assert.match(plain, /^session=/);
      assert.doesNotMatch(plain, /Secure/);
    });

    test('an upgrade passes through as on HTTP', async () => {
      harness.upstream.script = async (request, connection) => {
        await connection.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
        );
        assert.equal(request.value('upgrade'), 'websocket');
        await connection.write(await connection.stream.exactly(4, performance.now() + 3_000, 'tunnel bytes'));
        connection.end();
      };
      using client = await connect();
      await client.send(
        `GET /socket HTTP/1.1\r\nHost: gateway.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      );
      assert.equal((await client.response()).status, 101);
      await client.send('ping');
      assert.equal((await client.ended()).rest.latin1Slice(), 'ping');
    });

    test('a request cut into single bytes, each in a record of its own, is the same request', async () => {
      using client = await connect();
      await client.sendPieces('POST /bytes HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc'.split(''));
      assert.equal((await client.response()).body.toString(), 'POST /bytes 3');
    });

    test('pipelined requests are answered in order', async () => {
      using client = await connect();
      await client.send(Array.from({ length: 20 }, (_, index) => `GET /p${index} HTTP/1.1\r\nHost: a.test\r\n\r\n`).join(''));
      for (let index = 0; index < 20; index += 1) assert.equal((await client.response()).body.toString(), `GET /p${index} 0`);
    });
  });

  describe('versions and protocols', () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      test(`${version} is accepted`, async () => {
        using client = await connect({ minVersion: version, maxVersion: version });
        assert.equal((client.socket as tls.TLSSocket).getProtocol(), version);
        assert.equal((await client.request('GET')).status, 200);
      });
    }

    for (const version of ['TLSv1', 'TLSv1.1'] as const) {
      test(`${version} is refused`, async () => {
        await assert.rejects(
          connect({ minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' }),
          /protocol version|unsupported protocol|version too low|ECONNRESET/i,
        );
        await assertServed();
      });
    }

    test('ALPN: http/1.1 is chosen where it is offered', async () => {
      using client = await connect({ ALPNProtocols: ['h2', 'http/1.1'] });
      assert.equal((client.socket as tls.TLSSocket).alpnProtocol, 'http/1.1');
      assert.equal((await client.request('GET')).status, 200);
    });

    test('ALPN: a client that offers only h2 is told in the handshake', async () => {
      await assert.rejects(connect({ ALPNProtocols: ['h2'] }), /no application protocol|ECONNRESET/i);
      await assertServed();
    });

    test('ALPN: a client that offers nothing is served', async () => {
      using client = await connect();
      assert.equal((client.socket as tls.TLSSocket).alpnProtocol, false);
      assert.equal((await client.request('GET')).status, 200);
    });

    test('a session is resumed, in both versions', async () => {
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const first = await connect({ minVersion: version, maxVersion: version });
        await first.request('GET');
        const session = (first.socket as tls.TLSSocket).getSession();
        assert.ok(session);
        using second = await connect({ minVersion: version, maxVersion: version, session });
        first.destroy();
        assert.equal((second.socket as tls.TLSSocket).isSessionReused(), true, version);
        assert.equal((await second.request('GET')).status, 200);
      }
    });
  });

  describe('C08 clients that do not behave', () => {
    test('C08 plain text is closed', async () => {
      for (const bytes of ['GET / HTTP/1.1\r\nHost: a.test\r\n\r\n', 'x', '\0'.repeat(100), randomBytes(2_000)]) {
        using client = await connectPlain();
        await client.send(bytes);
        client.end();
        const { rest } = await client.ended();
        assert.doesNotMatch(rest.latin1Slice(), /HTTP/);
      }
      await assertServed();
    });

    test('C08 connections that close or reset at once do no harm', async () => {
      for (let round = 0; round < 20; round += 1) {
        const client = await connectPlain();
        if (round % 2 === 0) client.destroy();
        else client.reset();
      }
      await assertServed();
    });

    test('C08 a ClientHello byte by byte, slower than the handshake timeout, is closed while others are served', async () => {
      const start = performance.now();
      using slow = await connectPlain();
      using silent = await connectPlain();
      const hello = clientHello('gateway.test');
      let at = 0;
      const drip = setInterval(() => slow.socket.write(hello.subarray(at, ++at)), 400);
      try {
        while (performance.now() - start < 7_000) {
          const asked = performance.now();
          await assertServed();
          assert.ok(performance.now() - asked < 3_000);
          await new Promise((resolve) => setTimeout(resolve, 1_000));
        }
        if (performance.now() - start < 9_000) assert.equal(slow.open, true, 'a client has some time for its handshake');
        await slow.ended(15_000);
        await silent.ended(15_000);
      } finally {
        clearInterval(drip);
      }
    });

    test('C08 an unknown server name gets the one certificate there is', async () => {
      using client = await connect({ servername: 'unknown.test', checkServerIdentity: () => undefined });
      assert.equal((await client.request('GET')).status, 200);
    });

    for (const size of [255, 256, 1_024, 10_240]) {
      test(`C08 a server name of ${size} bytes is answered by a handshake message or an alert`, async () => {
        using client = await connectPlain();
        await client.send(clientHello('a'.repeat(size)));
        const [type] = await client.stream.exactly(1, performance.now() + 3_000, 'an answer');
        assert.ok(type === 0x15 || type === 0x16, `record type ${type}`);
        client.destroy();
        await assertServed();
      });
    }

    test('C08 the hello of the test itself is a good one', async () => {
      using client = await connectPlain();
      await client.send(clientHello('gateway.test'));
      assert.equal((await client.stream.exactly(1, performance.now() + 3_000, 'an answer'))[0], 0x16);
    });

    test('C08 hellos with bytes flipped do no harm', async () => {
      const hello = clientHello('gateway.test');
      for (let round = 0; round < 60; round += 1) {
        const broken = Buffer.from(hello);
        broken[(round * 7) % broken.length]! ^= 1 << (round % 8);
        using client = await connectPlain();
        await client.send(broken);
        client.end();
        await client.ended();
      }
      await assertServed();
    });

    test('C08 a broken record after the handshake ends that connection only', async () => {
      const raw = net.connect(securePort, '127.0.0.1');
      const secure = tls.connect({ socket: raw, ca: authority.ca, servername: 'gateway.test' });
      await new Promise((resolve) => secure.once('secureConnect', resolve));
      secure.on('error', () => {});
      const closed = new Promise((resolve) => raw.once('close', resolve));
      raw.write(Buffer.from([0x17, 0x03, 0x03, 0x00, 0x20, ...randomBytes(32)]));
      await closed;
      await assertServed();
    });

    test('C08 200 handshakes broken off half-way leave no descriptor behind', async () => {
      const before = openFilesOf(harness.gateway.pid);
      const hello = clientHello('gateway.test');
      for (let round = 0; round < 10; round += 1) {
        await Promise.all(
          Array.from({ length: 20 }, async (_, index) => {
            const client = await connectPlain();
            await client.send(index % 4 === 0 ? hello.subarray(0, 100) : hello);
            if (index % 4 !== 0) await client.stream.exactly(1, performance.now() + 5_000, 'the server hello');
            if (index % 2 === 0) client.reset();
            else client.destroy();
          }),
        );
      }
      await eventually(
        () => openFilesOf(harness.gateway.pid) <= before + 2,
        () => `${before} open files; there are ${openFilesOf(harness.gateway.pid)}`,
        5_000,
      );
      await assertServed();
    });
  });

  describe('bodies', () => {
    const size = 48 * 1024 * 1024;
    const block = randomBytes(1024 * 1024);
    const digest = createHash('sha256');
    for (let at = 0; at < size; at += block.length) digest.update(block);
    const expected = digest.digest('hex');

    test('a large download is byte-exact, and a client that does not read stops the upstream', async () => {
      let written = 0;
      const { path } = await harness.exposed({}, async (_request, connection) => {
        await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        for (; written < size; written += block.length) await connection.write(block);
      });
      using client = await connect();
      const hash = createHash('sha256');
      await client.send(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      client.socket.pause();
      let last = -1;
      await eventually(
        async () => {
          const still = written === last && written > 0;
          last = written;
          if (!still) await new Promise((resolve) => setTimeout(resolve, 300));
          return still;
        },
        'the upstream to be held up',
        10_000,
      );
      assert.ok(written < size / 2, `${written} bytes were taken from the upstream`);
      client.socket.resume();
      await client.response({ onData: (piece) => void hash.update(piece), timeoutMs: 15_000 });
      assert.equal(hash.digest('hex'), expected);
    });

    for (const framing of ['Content-Length', 'chunked'] as const) {
      test(`a large upload with ${framing} is byte-exact, and an upstream that does not read stops the client`, async () => {
        const hash = createHash('sha256');
        let read: () => void = () => {};
        const { path } = await harness.exposed({}, async (request, connection) => {
          request.onData = (piece) => void hash.update(piece);
          connection.socket.pause();
          await new Promise<void>((resolve) => (read = resolve));
          connection.socket.resume();
          if (await request.complete) await connection.write(`HTTP/1.1 200 OK\r\n${request.nonceEcho}Content-Length: 0\r\n\r\n`);
        });
        using client = await connect();
        const field = framing === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${size}`;
        await client.send(`POST ${path} HTTP/1.1\r\nHost: a.test\r\n${field}\r\n\r\n`);
        let taken = 0;
        const sending = (async () => {
          for (; taken < size; taken += block.length) {
            if (framing === 'chunked') await client.send(`${block.length.toString(16)}\r\n`);
            await client.send(block);
            if (framing === 'chunked') await client.send('\r\n');
          }
          if (framing === 'chunked') await client.send('0\r\n\r\n');
        })();
        let last = -1;
        await eventually(
          async () => {
            const still = taken === last && taken > 0;
            last = taken;
            if (!still) await new Promise((resolve) => setTimeout(resolve, 300));
            return still;
          },
          'the client to be held up',
          10_000,
        );
        assert.ok(taken < size / 2, `${taken} bytes were taken from the client`);
        read();
        await sending;
        assert.equal((await client.response({ timeoutMs: 15_000 })).status, 200);
        assert.equal(hash.digest('hex'), expected);
      });
    }

    test('a body that breaks off upstream is a broken one for the client', async () => {
      const { path } = await harness.exposed({}, async (_request, connection) => {
        await connection.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
        connection.end();
      });
      using client = await connect();
      await assert.rejects(client.request('GET', { target: path }), { name: 'BrokenMessage' });
    });

    test('a body that ends with the connection: close_notify where it is complete, none where it broke off', async () => {
      // Over TLS 1.2 a record's type can be read on the wire; 0x15 is an alert, and close_notify the only one here.
      for (const [ending, alerts] of [
        ['0\r\n\r\n', 1],
        ['', 0],
      ] as const) {
        const { path } = await harness.exposed({}, async (_request, connection) => {
          await connection.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n${ending}`);
          if (ending === '') connection.end();
        });
        const wire: Buffer[] = [];
        const relay = net.createServer((near) => {
          const far = net.connect(securePort, '127.0.0.1');
          near.on('error', () => far.destroy()).pipe(far);
          far
            .on('data', (bytes) => wire.push(bytes))
            .on('error', () => near.destroy())
            .pipe(near);
        });
        await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
        using client = await connect({ maxVersion: 'TLSv1.2' }, (relay.address() as net.AddressInfo).port);
        await client.send(`GET ${path} HTTP/1.0\r\nHost: a.test\r\n\r\n`);
        const { rest } = await client.ended();
        relay.close();
        assert.match(rest.latin1Slice(), /\r\n\r\nhello$/);
        assert.equal(recordTypes(Buffer.concat(wire)).filter((type) => type === 0x15).length, alerts);
      }
    });

    test('A19 a client that leaves in its upload: the upstream never gets a complete request', async () => {
      for (const leave of ['destroy', 'end'] as const) {
        const { path, upstream } = await harness.exposed({}, answerOk);
        using client = await connect();
        await client.send(`POST ${path} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000\r\n\r\nhalf`);
        const request = await upstream.request(0);
        client[leave]();
        assert.equal(await request.ended(), false);
        await eventually(() => upstream.open.length === 0, 'the upstream connection is closed');
      }
    });

    test('A20 a client that leaves in its download: the upstream is let go', async () => {
      const { path, upstream } = await harness.exposed({}, async (_request, connection) => {
        await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        while (connection.isOpen) await connection.write(block);
      });
      using client = await connect();
      await client.send(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      await client.stream.exactly(100_000, performance.now() + 5_000, 'some of the body');
      client.destroy();
      await eventually(() => upstream.open.length === 0, 'the upstream connection is closed', 2_000);
      await assertServed();
    });
  });

  test('HTTPS instead of HTTP: with --port 0 nothing listens for plain HTTP', async () => {
    const port = await freePort();
    const gateway = await launchGateway({ port: 0, upstream: harness.upstream.url, flags: flagsFor(port) });
    try {
      await eventually(
        () => gateway.exit !== undefined || /ready on https:/.test(gateway.stderr),
        () => `readiness\n${gateway.output}`,
        20_000,
      );
      assert.match(gateway.stderr, new RegExp(`https://127\\.0\\.0\\.1:${port}\\b`));
      assert.doesNotMatch(gateway.stderr, /http:/);
      using client = await connect({}, port);
      assert.equal((await client.request('GET', { target: '/only' })).status, 200);
      const listening = gateway.lines.filter((line) => String(line['msg'] ?? line['message']).startsWith('listening for'));
      assert.deepEqual(
        listening.map((line) => line['port']),
        [port],
      );
    } finally {
      assert.equal(await gateway.stop(), 0);
    }
  });

  test('the limit of connections counts handshakes that are not finished', async () => {
    const port = await freePort();
    const gateway = await startGateway({ upstream: harness.upstream.url, flags: flagsFor(port), env: { APIGATE_MAX_CONNECTIONS: '20' } });
    try {
      const silent = await Promise.all(Array.from({ length: 60 }, () => RawClient.connect(port)));
      const held = (): number => tcpSocketsOf(gateway.pid).filter(({ local }) => portOf(local) === port).length;
      await eventually(
        () => held() <= 20,
        () => `${held()} connections held`,
      );
      for (let round = 0; round < 3; round += 1) {
        using client = await connect({}, port);
        assert.equal((await client.request('GET')).status, 200, 'a client that finishes is served');
      }
      for (const client of silent) client.destroy();
      await eventually(
        () => held() === 0,
        () => `${held()} connections held`,
      );
      // All are forgotten: as many as the limit allows stay open together.
      const clients = await Promise.all(Array.from({ length: 19 }, () => connect({}, port)));
      for (const client of clients) assert.equal((await client.request('GET')).status, 200);
      for (const client of clients) assert.equal((await client.request('GET')).status, 200);
      for (const client of clients) client.destroy();
    } finally {
      assert.equal(await gateway.stop(), 0);
    }
  });

  test('drain: a request in flight over TLS is finished with Connection: close, idle ones are closed, handshakes half-way do not hold the exit', async () => {
    const port = await freePort();
    let release: () => void = () => {};
    const upstream = await harness.scripted(async (request, connection) => {
      if (request.target === '/held') await new Promise<void>((resolve) => (release = resolve));
      await answerOk(request, connection);
    });
    const gateway = await startGateway({ upstream: upstream.url, flags: flagsFor(port) });
    try {
      using idle = await connect({}, port);
      assert.equal((await idle.request('GET', { target: '/idle' })).status, 200);
      using half = await RawClient.connect(port);
      await half.send(clientHello('gateway.test').subarray(0, 50));
      using busy = await connect({}, port);
      await busy.send('GET /held HTTP/1.1\r\nHost: a.test\r\n\r\n');
      await upstream.request(1);
      gateway.process.kill('SIGTERM');
      assert.equal((await idle.ended()).ending, 'fin');
      await assert.rejects(connect({}, port), 'no new connection');
      assert.equal(gateway.exit, undefined);
      release();
      const response = await busy.response();
      assert.equal(response.status, 200);
      assert.equal(response.value('connection')?.toLowerCase(), 'close');
      assert.equal((await busy.ended()).ending, 'fin');
      await eventually(() => gateway.exit !== undefined, 'exit', 3_000);
    } finally {
      assert.equal(await gateway.stop(), 0);
    }
  });
}

/** Types of the TLS records in a stream of bytes. */
function recordTypes(bytes: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) types.push(bytes[at]!);
  return types;
}
