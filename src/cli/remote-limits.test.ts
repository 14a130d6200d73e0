import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { CliFixture } from './cli-fixture.ts';
import { CliError } from './cli-error.ts';
import { readEvents } from './read-events.ts';
import { RemoteAdminClient } from './remote-admin-client.ts';

const mebibyte = 1024 * 1024;

describe('a server that answers whatever it likes', () => {
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  const connections = { open: 0 };
  const server = createServer((request, response) => {
    connections.open += 1;
    response.once('close', () => (connections.open -= 1));
    answer(request, response);
  });
  let url = '';
  before(async () => {
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  const run = (...argv: string[]) => new CliFixture().run([...argv, '--server', url], { env: { APIGATE_TOKEN: 'agt_1' } });
  const endlessly = (response: ServerResponse, piece: string | Buffer): void => {
    const more = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', more);
    more();
  };
  /** A client that may read little, so that the tests do not have to send much. */
  const small = (limits: ConstructorParameters<typeof RemoteAdminClient>[2]) => new RemoteAdminClient(url, 'agt_1', limits);
  const failure = async (work: Promise<unknown>): Promise<CliError> => {
    const error = await work.then(
      () => assert.fail('it was read'),
      (caught: unknown) => caught,
    );
    assert.ok(error instanceof CliError, String(error));
    return error;
  };

  it('without end is read up to 64 MiB, whatever it says that it is', async () => {
    for (const [type, status] of [
      ['application/json', 200],
      ['application/problem+json', 500],
      ['text/html', 404],
    ] as const) {
      answer = (_request, response) => {
        response.writeHead(status, { 'content-type': type });
        endlessly(response, Buffer.alloc(mebibyte, 0x20));
      };
      const { code, stdout, stderr } = await run('export');
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /answers with more than 64 MiB: the rest was not read\n.*check the address/);
    }
  });

  it('with an export of 50 MiB is read whole', async () => {
    const routes = Array.from({ length: 50 }, (_, at) => ({ name: `r${at}`, description: 'x'.repeat(mebibyte - 100) }));
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ version: 1, upstreams: [], routes, keys: [] }));
    };
    const { code, stdout, stderr } = await run('export', '-o', 'json');
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as { routes: unknown[] }).routes.length, 50);
  });

  it('with a little that unpacks to much is counted as what it unpacks to', async () => {
    const packed = gzipSync(Buffer.alloc(4 * mebibyte, 0x20));
    answer = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(packed);
    const error = await failure(small({ answerBytes: mebibyte }).request('GET', '/admin/keys'));
    assert.match(error.message, /more than 1 MiB/);
    assert.equal(error.exitCode, 1);
  });

  it('with pages that do not end is read up to a bound in all', async () => {
    let pages = 0;
    answer = (_request, response) => {
      pages += 1;
      const data = [{ name: 'x'.repeat(100_000) }];
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data, next_cursor: String(pages) }));
    };
    const client = small({ allBytes: mebibyte });
    const error = await failure(
      (async () => {
        for (;;) await client.request('GET', '/admin/keys');
      })(),
    );
    assert.match(error.message, /more than 1 MiB, on page after page/);
    assert.equal(pages, 11);
  });

  it('with a stream that never begins, or falls silent, is given up as unreachable; with comments it is listened to', async () => {
    const stop = new AbortController();
    answer = () => undefined;
    const error = await failure(small({ streamSilence: 200 }).stream('/admin/requests/stream', {}, stop.signal));
    assert.deepEqual([error.exitCode, /did not answer within 0.2 s/.test(error.message)], [6, true]);

    let comments = 0;
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => {
        comments += 1;
        if (comments <= 10) response.write(': nothing\n\n');
        if (comments === 10) response.write('data: 1\n\n');
      }, 50);
      response.once('close', () => clearInterval(timer));
    };
    const response = await small({ streamSilence: 2_000 }).stream('/admin/requests/stream', {}, stop.signal);
    const seen: string[] = [];
    await assert.rejects(
      (async () => {
        for await (const { data } of readEvents(response.body!)) seen.push(data);
      })(),
      /silent for too long/,
    );
    assert.deepEqual(seen, ['1']);
    for (let wait = 0; connections.open > 0 && wait < 200; wait += 1) await sleep(10);
    assert.equal(connections.open, 0, 'the connections are closed');
  });

  it('with a stream of one event without end is read up to 1 MiB', async () => {
    for (const piece of ['data: '.padEnd(1_000, 'x'), `data: ${'x'.repeat(1_000)}\n`]) {
      answer = (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        endlessly(response, piece);
      };
      const { code, stderr } = await run('tail');
      assert.equal(code, 1, stderr);
      assert.match(stderr, /an event of more than 1 MiB/);
    }
  });
});
