import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { firstSignIn } from './admin-app-fixture.ts';
import { ask, askRaw, asWorker, json, refusalIn, serveTcp } from './admin-server-fixture.ts';
import { listenOnTcp } from './admin-server.ts';

describe('the admin server on an address of its own', () => {
  it('serves sign-in and what follows, over one kept-alive connection too', async () => {
    await using served = await serveTcp();
    const login = await ask(served, 'POST', '/admin/login', json, JSON.stringify(firstSignIn));
    assert.equal(login.status, 200);
    const cookie = (login.headers['set-cookie']?.[0] ?? '').split(';', 1)[0] ?? '';
    const made = await ask(served, 'POST', '/admin/upstreams', { ...json, cookie }, '{"name":"a","base_url":"http://127.0.0.1:9"}');
    assert.deepEqual([made.status, made.headers['x-apigate-revision']], [201, '1']);
    const get = `GET /admin/upstreams/a HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n`;
    const twice = await askRaw(served, `${get}\r\n${get}Connection: close\r\n\r\n`);
    assert.equal(twice.match(/HTTP\/1\.1 200 OK/g)?.length, 2);
  });

  it("takes the client's address from the socket and nowhere else", async () => {
    await using served = await serveTcp({ allow: ['192.0.2.0/24'] });
    for (const headers of [
      {},
      { 'x-apigate-client': '192.0.2.1' },
      { 'x-forwarded-for': '192.0.2.1', forwarded: 'for=192.0.2.1', 'x-real-ip': '192.0.2.1' },
      { ...asWorker, 'x-apigate-client': '192.0.2.1' },
    ]) {
      assert.equal((await ask(served, 'GET', '/admin/me', headers)).status, 403);
    }
    await using open = await serveTcp();
    const login = await ask(
      open,
      'POST',
      '/admin/login',
      { ...json, 'x-apigate-client': '192.0.2.7', 'x-apigate-scheme': 'https', 'x-request-id': 'forged' },
      JSON.stringify(firstSignIn),
    );
    assert.doesNotMatch(login.headers['set-cookie']?.[0] ?? '', /Secure/);
    assert.match(String(login.headers['x-request-id']), /^[0-9a-f]{32}$/);
    const signedIn = (await open.fixture.access.audit()).at(-1);
    assert.deepEqual([signedIn?.remote_address, signedIn?.request_id], ['127.0.0.1', login.headers['x-request-id']]);
  });

  it('answers what is not HTTP, has too large a head, or no or two hosts with a problem of its own', async () => {
    await using served = await serveTcp();
    assert.equal(refusalIn(await askRaw(served, 'nonsense\r\n\r\n'), 400).code, 'request_malformed');
    assert.equal(
      refusalIn(
        await askRaw(served, 'POST /admin/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'),
        400,
      ).code,
      'request_malformed',
    );
    assert.equal(
      refusalIn(await askRaw(served, `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`), 431).code,
      'headers_too_large',
    );
    assert.equal(refusalIn(await askRaw(served, 'GET /admin/me HTTP/1.1\r\nConnection: close\r\n\r\n'), 400).code, 'invalid_request');
    assert.equal(
      refusalIn(await askRaw(served, 'GET /admin/me HTTP/1.1\r\nHost: x@y\r\nConnection: close\r\n\r\n'), 400).code,
      'invalid_request',
    );
    assert.equal(
      refusalIn(await askRaw(served, 'GET /admin/me HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n'), 403).code,
      'forbidden',
    );
    const two = await askRaw(served, 'GET /admin/me HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
    assert.match(two, /^HTTP\/1\.1 40[03] /);
    assert.equal(
      refusalIn(await askRaw(served, 'GET http://evil.example/admin/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'), 401)
        .code,
      'unauthenticated',
    );
  });

  it('refuses bodies over 1 MiB, announced or not, without holding them', async () => {
    await using served = await serveTcp();
    const authorization = await served.fixture.token('admin');
    const big = ' '.repeat(10 * 1024 * 1024);
    const reply = await ask(served, 'POST', '/admin/upstreams', { ...json, authorization }, big).catch(
      (error: NodeJS.ErrnoException) => error.code,
    );
    assert.ok(reply === 'EPIPE' || reply === 'ECONNRESET' || (typeof reply === 'object' && reply.status === 413), JSON.stringify(reply));
    const head = `POST /admin/upstreams HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: ${authorization}\r\n`;
    const announced = await askRaw(served, `${head}Content-Length: 10485760\r\nConnection: close\r\n\r\n`);
    assert.equal(refusalIn(announced, 413).code, 'payload_too_large');
    const chunk = `40000\r\n${' '.repeat(0x40000)}\r\n`;
    const socket = connect(served.target);
    socket.on('error', () => undefined);
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(5)}`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  it('ends requests whose head or body does not come, and outlives clients that leave', async () => {
    await using served = await serveTcp({ limits: { headTimeout: 50, requestTimeout: 100 } });
    assert.equal(refusalIn(await askRaw(served, 'GET /admin/me HTTP/1.1\r\nHost: loc'), 408).code, 'request_timeout');
    const authorization = await served.fixture.token('admin');
    const half = `POST /admin/upstreams HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: ${authorization}\r\nContent-Length: 20\r\n\r\n{"name":`;
    assert.equal(refusalIn(await askRaw(served, half), 408).code, 'request_timeout');
    for (let round = 0; round < 5; round += 1) {
      const socket = connect(served.target);
      await once(socket, 'connect');
      socket.write(half);
      socket.resetAndDestroy();
    }
    assert.equal((await ask(served, 'GET', '/admin/me', { authorization })).status, 200);
    assert.deepEqual(
      served.fixture.logged.filter(({ message }) => message.includes('unexpected')),
      [],
    );
  });

  it('holds a bounded number of connections', async () => {
    await using served = await serveTcp({ limits: { maxConnections: 3 } });
    const sockets: Socket[] = [];
    for (let index = 0; index < 3; index += 1) {
      const socket = connect(served.target);
      sockets.push(socket);
      socket.write('GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await once(socket, 'data');
    }
    assert.equal(await askRaw(served, '').catch(() => ''), '', 'a fourth is closed at once');
    const [first] = sockets;
    first?.destroy();
    for (;;) {
      // The server learns of the end a moment later.
      const answer = await askRaw(served, 'GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n').catch(() => '');
      if (answer.startsWith('HTTP/1.1 200 ')) break;
    }
    for (const socket of sockets) socket.destroy();
  });

  it('finishes what is in flight when it closes, and takes nothing new', async () => {
    await using served = await serveTcp();
    const login = ask(served, 'POST', '/admin/login', json, JSON.stringify(firstSignIn));
    while (served.fixture.access.derivations() === 0) await new Promise((resolve) => setImmediate(resolve));
    const closed = served.listener.close();
    assert.equal((await login).status, 200);
    await closed;
    await assert.rejects(ask(served, 'GET', '/version'), { code: 'ECONNREFUSED' });
  });

  it('says so when its address is taken', async () => {
    await using served = await serveTcp();
    const again = listenOnTcp({
      app: served.fixture.app,
      log: { warn: () => undefined, error: () => undefined },
      host: '127.0.0.1',
      port: served.listener.port,
    });
    await assert.rejects(again, { code: 'EADDRINUSE' });
  });
});
