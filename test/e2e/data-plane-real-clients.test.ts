import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type EchoedRequest, type EchoUpstream, startEchoUpstream } from '../support/echo-upstream.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';

const run = promisify(execFile);

function missing(command: string, flag: string): string | false {
  try {
    execFileSync(command, [flag], { stdio: 'ignore' });
    return false;
  } catch {
    return `${command} is not installed`;
  }
}

let directory: string;
let upstream: EchoUpstream;
let gateway: Gateway;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'apigate-e2e-'));
  // nginx started by root serves as nobody.
  await chmod(directory, 0o755);
  upstream = await startEchoUpstream();
  gateway = await startGateway({ upstream: upstream.url, workers: 2 });
});

after(async () => {
  const code = await gateway?.stop();
  await upstream?.close();
  await rm(directory, { recursive: true, force: true });
  assert.equal(code, 0);
});

describe('curl', { skip: missing('curl', '--version') }, () => {
  async function curl(...args: string[]): Promise<string> {
    const { stdout } = await run('curl', ['--silent', '--show-error', '--fail', '--max-time', '20', ...args], {
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  }

  test('GET, POST and an HTTP/1.0 request', async () => {
    const got = JSON.parse(await curl(`${gateway.url}/hello?a=1`)) as EchoedRequest;
    assert.deepEqual([got.method, got.target], ['GET', '/hello?a=1']);
    const posted = JSON.parse(await curl('--data', 'a=1&b=2', `${gateway.url}/form`)) as EchoedRequest;
    assert.deepEqual(
      [posted.method, posted.bodyLength, posted.bodyHash],
      ['POST', 7, createHash('sha256').update('a=1&b=2').digest('hex')],
    );
    const old = JSON.parse(await curl('--http1.0', `${gateway.url}/old`)) as EchoedRequest;
    assert.equal(old.target, '/old');
  });

  test('uploads with length, chunked and with Expect: 100-continue arrive whole', async () => {
    const bytes = randomBytes(3_000_000);
    const file = join(directory, 'upload.bin');
    await writeFile(file, bytes);
    const hash = createHash('sha256').update(bytes).digest('hex');
    for (const args of [
      ['--upload-file', file],
      ['--upload-file', file, '--header', 'Transfer-Encoding: chunked'],
      ['--data-binary', `@${file}`, '--header', 'Expect: 100-continue'],
    ]) {
      const got = JSON.parse(await curl(...args, `${gateway.url}/upload`)) as EchoedRequest;
      assert.deepEqual([got.bodyLength, got.bodyHash], [bytes.length, hash], args.join(' '));
    }
  });

  test('HEAD and several requests on one connection', async () => {
    assert.match(await curl('--head', `${gateway.url}/head`), /^HTTP\/1\.1 200 /);
    const out = await curl('--write-out', '\n%{num_connects}\n', `${gateway.url}/1`, `${gateway.url}/2`, `${gateway.url}/3`);
    assert.deepEqual(
      out.split('\n').filter((line) => /^\d$/.test(line)),
      ['1', '0', '0'],
    );
  });
});

describe("Node's fetch", () => {
  test('JSON there and back, 200 at once over pooled connections', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const response = await fetch(`${gateway.url}/fetch/${index}`, {
          method: 'PUT',
          body: JSON.stringify({ index }),
          headers: { 'content-type': 'application/json' },
        });
        return (await response.json()) as EchoedRequest;
      }),
    );
    for (const [index, answer] of answers.entries()) {
      assert.equal(answer.target, `/fetch/${index}`);
      assert.equal(answer.bodyHash, createHash('sha256').update(JSON.stringify({ index })).digest('hex'));
    }
  });

  test('a streamed upload and an abort', async () => {
    const body = new ReadableStream({
      async start(controller) {
        for (let piece = 0; piece < 10; piece += 1) {
          controller.enqueue(new TextEncoder().encode('0123456789'));
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        controller.close();
      },
    });
    const response = await fetch(`${gateway.url}/stream`, { method: 'POST', body, duplex: 'half' });
    assert.equal(((await response.json()) as EchoedRequest).bodyLength, 100);
    const abort = new AbortController();
    const aborted = fetch(`${gateway.url}/abort`, {
      method: 'POST',
      body: new ReadableStream({ pull: () => new Promise(() => {}) }),
      duplex: 'half',
      signal: abort.signal,
    });
    setTimeout(() => abort.abort(), 50);
    await assert.rejects(aborted);
    assert.equal((await fetch(`${gateway.url}/after`)).status, 200);
  });
});

describe('nginx as the upstream', { skip: missing('nginx', '-v') }, () => {
  let nginx: ReturnType<typeof spawn>;
  let site: Gateway;
  let port: number;

  before(async () => {
    port = await freePort();
    await mkdir(join(directory, 'www'));
    await writeFile(join(directory, 'www/index.html'), '<!doctype html><title>static</title>');
    await writeFile(join(directory, 'www/big.bin'), randomBytes(8_000_000));
    await writeFile(join(directory, 'www/text.txt'), 'lorem ipsum '.repeat(10_000));
    await writeFile(
      join(directory, 'nginx.conf'),
      `daemon off; worker_processes 1; pid ${directory}/nginx.pid; error_log ${directory}/error.log;
events { worker_connections 512; }
http {
  access_log off; client_body_temp_path ${directory}/t1; proxy_temp_path ${directory}/t2; fastcgi_temp_path ${directory}/t3; uwsgi_temp_path ${directory}/t4; scgi_temp_path ${directory}/t5;
  types { text/html html; text/plain txt; } gzip on; gzip_types text/plain; gzip_min_length 100; gzip_proxied any; keepalive_requests 7;
  server { listen 127.0.0.1:${port}; root ${directory}/www; autoindex on; }
}`,
    );
    nginx = spawn('nginx', ['-p', directory, '-c', join(directory, 'nginx.conf')], { stdio: 'ignore' });
    await eventually(
      () =>
        fetch(`http://127.0.0.1:${port}/`).then(
          () => true,
          () => false,
        ),
      'nginx',
      5_000,
    );
    site = await startGateway({ upstream: `http://127.0.0.1:${port}` });
  });

  after(async () => {
    await site?.stop();
    const gone = new Promise((resolve) => nginx.once('exit', resolve));
    nginx.kill('SIGTERM');
    await gone;
  });

  test('a static site comes through byte for byte: pages, a big file, ranges, conditional requests, gzip', async () => {
    assert.equal(await (await fetch(`${site.url}/`)).text(), '<!doctype html><title>static</title>');
    const big = await readFile(join(directory, 'www/big.bin'));
    const got = await fetch(`${site.url}/big.bin`);
    assert.ok(big.equals(Buffer.from(await got.arrayBuffer())));
    const range = await fetch(`${site.url}/big.bin`, { headers: { range: 'bytes=100-199' } });
    assert.equal(range.status, 206);
    assert.ok(big.subarray(100, 200).equals(Buffer.from(await range.arrayBuffer())));
    const again = await fetch(`${site.url}/big.bin`, { headers: { 'if-none-match': got.headers.get('etag')! } });
    assert.equal(again.status, 304);
    const text = await fetch(`${site.url}/text.txt`, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(text.headers.get('content-encoding'), 'gzip');
    assert.equal(await text.text(), 'lorem ipsum '.repeat(10_000));
    assert.equal((await fetch(`${site.url}/none`)).status, 404);
  });

  test('an upstream that closes after every seventh request costs no client anything', async () => {
    for (let round = 0; round < 10; round += 1) {
      const statuses = await Promise.all(Array.from({ length: 30 }, async () => (await fetch(`${site.url}/`)).status));
      assert.deepEqual([...new Set(statuses)], [200]);
    }
  });

  test('git clones over HTTP through the gateway', { skip: missing('git', '--version') }, async () => {
    const source = join(directory, 'source');
    const git = async (cwd: string, ...args: string[]): Promise<void> => {
      await run('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.test', '-c', 'init.defaultBranch=main', ...args], {
        cwd,
        env: { PATH: process.env['PATH'] ?? '', HOME: directory, GIT_TERMINAL_PROMPT: '0' },
      });
    };
    await mkdir(source);
    await git(source, 'init', '--quiet');
    await writeFile(join(source, 'file.bin'), randomBytes(500_000));
    await git(source, 'add', '.');
    await git(source, 'commit', '--quiet', '-m', 'one');
    await git(directory, 'clone', '--quiet', '--bare', source, join(directory, 'www/repo.git'));
    await git(join(directory, 'www/repo.git'), 'update-server-info');
    await git(directory, 'clone', '--quiet', `${site.url}/repo.git`, 'cloned');
    assert.ok((await readFile(join(source, 'file.bin'))).equals(await readFile(join(directory, 'cloned/file.bin'))));
  });
});
