// Over 300 lines: each client and backend that nobody here wrote is one short chapter.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { mustRun, run, unlessInstalled } from '../support/foreign-program.ts';
import { startGitHttpServer } from '../support/git-http-server.ts';
import { startHashingBackend, type UploadReceipt } from '../support/hashing-backend.ts';
import { residentMemory, watchMemory } from '../support/memory-watch.ts';
import { startNginxSite } from '../support/nginx-site.ts';
import { startNpmRegistry } from '../support/npm-registry.ts';
import { startGateway, type Gateway } from '../support/start-gateway.ts';

const mebibyte = 1024 * 1024;

let gateway: Gateway;
let scratch: string;
const closing: (() => Promise<unknown>)[] = [];

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'apigate-clients-'));
  gateway = await startGateway({ admin: true, workers: 2 });
});

after(async () => {
  const code = await gateway?.stop();
  for (const close of closing) await close();
  await rm(scratch, { recursive: true, force: true });
  assert.equal(code, 0);
});

/** Puts a public route to a backend in front of it and answers the address that clients use. */
async function through(
  name: string,
  backend: { url: string; close(): Promise<unknown> },
  fields: Record<string, unknown> = {},
): Promise<string> {
  closing.push(() => backend.close());
  const { path } = await gateway.admin.expose({ name, base_url: backend.url, ...fields });
  return gateway.url + path;
}

suite('uploads of 2 GiB', { skip: process.platform === 'linux' ? false : 'reads memory use from /proc' }, () => {
  const size = 2 * 1024 * mebibyte;
  let url: string;

  before(async () => {
    url = await through('uploads', await startHashingBackend());
    // What the gateway needs for any upload at all is not what is measured.
    for (const withLength of [true, false]) await upload(url, 64 * mebibyte, withLength);
  });

  for (const [name, withLength] of [
    ['with Content-Length', true],
    ['chunked', false],
  ] as const) {
    test(`${name}: arrives whole, and the gateway needs less than 32 MiB more`, async () => {
      const before = residentMemory(gateway.pid);
      const memory = watchMemory(gateway.pid);
      const { sent, received } = await upload(url, size, withLength);
      const more = memory.stop() - before;
      assert.equal(received.bytes, size);
      assert.equal(received.sha256, sent);
      assert.equal(received.framing, withLength ? `content-length: ${size}` : 'transfer-encoding: chunked');
      assert.ok(more < 32 * mebibyte, `${(more / mebibyte).toFixed(1)} MiB more`);
    });
  }
});

suite('curl', { skip: unlessInstalled('curl') }, () => {
  let url: string;

  before(async () => {
    url = await through('curl', await startHashingBackend());
  });

  test('downloads and reads the status', async () => {
    const { stdout } = await mustRun('curl', ['-sS', '-w', ' %{http_code} %{http_version}', url]);
    assert.match(stdout, /"bytes":0.* 201 1\.1$/);
  });

  test('uploads a file after 100 Continue, and one from a pipe in chunks', async () => {
    const body = randomBytes(3 * mebibyte);
    const file = join(scratch, 'upload.bin');
    await writeFile(file, body);
    const sha256 = createHash('sha256').update(body).digest('hex');
    const whole = await mustRun('curl', ['-sSv', '-H', 'Expect: 100-continue', '-T', file, url]);
    assert.match(whole.stderr, /^< HTTP\/1\.1 100 /m);
    assert.deepEqual(JSON.parse(whole.stdout), { bytes: body.length, sha256, framing: `content-length: ${body.length}` });
    const piped = await mustRun('sh', ['-c', 'cat "$0" | curl -sS -T - "$1"', file, url]);
    assert.deepEqual(JSON.parse(piped.stdout), { bytes: body.length, sha256, framing: 'transfer-encoding: chunked' });
  });

  test('reuses one connection for many requests, and speaks HTTP/1.0', async () => {
    const { stdout } = await mustRun('curl', [
      '-sS',
      '-o',
      '/dev/null',
      '-w',
      '%{num_connects} %{http_code}\\n',
      url,
      '-o',
      '/dev/null',
      url,
      '-o',
      '/dev/null',
      url,
    ]);
    assert.deepEqual(stdout.trim().split('\n'), ['1 201', '0 201', '0 201']);
    const old = await mustRun('curl', ['-sS', '--http1.0', '-w', ' %{http_code}', url]);
    assert.match(old.stdout, / 201$/);
  });
});

suite('fetch of Node.js', () => {
  test('streams an upload and reads the answer', async () => {
    const url = await through('fetch', await startHashingBackend());
    const pieces = Array.from({ length: 64 }, () => randomBytes(64 * 1024));
    const response = await fetch(url, { method: 'POST', body: ReadableStream.from(pieces), duplex: 'half' });
    const receipt = (await response.json()) as UploadReceipt;
    assert.equal(response.status, 201);
    assert.equal(receipt.sha256, createHash('sha256').update(Buffer.concat(pieces)).digest('hex'));
    assert.ok(response.headers.get('x-request-id'));
  });

  test('a hundred at once each get their own answer', async () => {
    const url = await through('fetch-many', await startHashingBackend());
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const body = `request ${i} `.repeat(1 + i * 37);
        const receipt = (await (await fetch(url, { method: 'POST', body })).json()) as UploadReceipt;
        assert.equal(receipt.sha256, createHash('sha256').update(body).digest('hex'));
      }),
    );
  });
});

suite('git over smart HTTP', { skip: unlessInstalled('git') }, () => {
  const identity = {
    GIT_AUTHOR_NAME: 'A',
    GIT_AUTHOR_EMAIL: 'a@example.test',
    GIT_COMMITTER_NAME: 'A',
    GIT_COMMITTER_EMAIL: 'a@example.test',
  };
  const env = { ...process.env, ...identity, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' };
  let url: string;

  before(async () => {
    const origin = join(scratch, 'repositories', 'project.git');
    await mkdir(origin, { recursive: true });
    await mustRun('git', ['init', '-q', '--bare', '--initial-branch=main', origin], { env });
    await mustRun('git', ['-C', origin, 'config', 'http.receivepack', 'true'], { env });
    url = `${await through('git', await startGitHttpServer(join(scratch, 'repositories'), '/git'))}/project.git`;
  });

  test('a push and a clone go through, and the clone is whole', async () => {
    const work = join(scratch, 'work');
    await mustRun('git', ['init', '-q', '--initial-branch=main', work], { env });
    // Incompressible and larger than http.postBuffer: the push is sent in chunks.
    await writeFile(join(work, 'large.bin'), randomBytes(4 * mebibyte));
    for (let i = 0; i < 50; i += 1) await writeFile(join(work, `file-${i}.txt`), `${i}\n`.repeat(i));
    await mustRun('git', ['-C', work, 'add', '.'], { env });
    await mustRun('git', ['-C', work, 'commit', '-qm', 'Everything'], { env });
    const trace = { GIT_TRACE_CURL: '1', GIT_TRACE_CURL_NO_DATA: '1' };
    const push = await mustRun('git', ['-C', work, 'push', '-q', url, 'main'], { env: { ...env, ...trace } });
    assert.match(push.stderr, /=> Send header: Transfer-Encoding: chunked/i);

    const clone = join(scratch, 'clone');
    await mustRun('git', ['clone', '-q', url, clone], { env });
    await mustRun('git', ['-C', clone, 'fsck', '--strict'], { env });
    const head = async (folder: string): Promise<string> => (await mustRun('git', ['-C', folder, 'rev-parse', 'HEAD'], { env })).stdout;
    assert.equal(await head(clone), await head(work));
    assert.deepEqual(await readFile(join(clone, 'large.bin')), await readFile(join(work, 'large.bin')));
  });

  test('a repository that does not exist is the backend’s own 404', async () => {
    const missing = await run('git', ['clone', '-q', url.replace('project', 'nothing'), join(scratch, 'nothing')], { env });
    assert.notEqual(missing.code, 0);
    assert.match(missing.stderr, /not found/);
  });
});

suite('npm', { skip: unlessInstalled('npm', 'tar') }, () => {
  test('installs a package from a registry behind the gateway', async () => {
    const source = join(scratch, 'source', 'package');
    await mkdir(source, { recursive: true });
    await writeFile(join(source, 'package.json'), '{"name":"left-gate","version":"1.2.3"}');
    await writeFile(join(source, 'index.js'), 'module.exports = 42;\n');
    await mustRun('tar', ['-czf', join(scratch, 'left-gate.tgz'), '-C', join(scratch, 'source'), 'package']);
    const registry = await through('npm', await startNpmRegistry('/npm', 'left-gate', '1.2.3', join(scratch, 'left-gate.tgz')));

    const project = join(scratch, 'project');
    await mkdir(project);
    await writeFile(join(project, 'package.json'), '{"name":"project","private":true}');
    await mustRun(
      'npm',
      [
        'install',
        '--no-audit',
        '--no-fund',
        '--no-update-notifier',
        `--registry=${registry}/`,
        `--cache=${join(scratch, 'npm-cache')}`,
        'left-gate',
      ],
      { cwd: project },
    );
    assert.equal(await readFile(join(project, 'node_modules/left-gate/index.js'), 'utf8'), 'module.exports = 42;\n');
  });
});

suite('a static site of nginx', { skip: unlessInstalled('nginx') }, () => {
  const large = randomBytes(mebibyte);
  const style = 'p { color: rebeccapurple }\n'.repeat(500);
  let url: string;

  before(async () => {
    const site = join(scratch, 'www', 'site');
    await mkdir(join(site, 'sub'), { recursive: true });
    await writeFile(join(site, 'index.html'), '<h1>Here</h1>');
    await writeFile(join(site, 'sub', 'index.html'), '<h1>Below</h1>');
    await writeFile(join(site, 'style.css'), style);
    await writeFile(join(site, 'large.bin'), large);
    await writeFile(join(scratch, 'www', 'missing.html'), 'nothing of that name');
    url = await through('site', await startNginxSite(join(scratch, 'www')));
  });

  test('pages, their types and validators', async () => {
    const page = await fetch(`${url}/`);
    assert.equal(page.status, 200);
    assert.equal(page.headers.get('content-type'), 'text/html');
    assert.ok(page.headers.get('etag'));
    assert.ok(page.headers.get('last-modified'));
    assert.equal(await page.text(), '<h1>Here</h1>');
  });

  test('conditional requests answer 304 without a body, on a connection that goes on', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    closing.push(async () => agent.destroy());
    const first = await get(`${url}/large.bin`, {}, agent);
    assert.equal(first.status, 200);
    for (const condition of [
      { 'if-none-match': String(first.headers.etag) },
      { 'if-modified-since': String(first.headers['last-modified']) },
    ]) {
      const again = await get(`${url}/large.bin`, condition, agent);
      assert.equal(again.status, 304);
      assert.equal(again.body.length, 0);
      assert.equal(again.headers.etag, first.headers.etag);
    }
    const last = await get(`${url}/large.bin`, {}, agent);
    assert.deepEqual([last.status, last.reused, last.body.equals(large)], [200, true, true]);
  });

  test('ranges: one, the end, several, none that can be', async () => {
    const one = await get(`${url}/large.bin`, { range: 'bytes=1000-1999' });
    assert.equal(one.status, 206);
    assert.equal(one.headers['content-range'], `bytes 1000-1999/${large.length}`);
    assert.ok(one.body.equals(large.subarray(1000, 2000)));
    const end = await get(`${url}/large.bin`, { range: 'bytes=-10' });
    assert.ok(end.body.equals(large.subarray(-10)));
    const several = await get(`${url}/large.bin`, { range: 'bytes=0-9,100-109' });
    assert.equal(several.status, 206);
    assert.match(String(several.headers['content-type']), /^multipart\/byteranges/);
    const none = await get(`${url}/large.bin`, { range: `bytes=${large.length}-` });
    assert.equal(none.status, 416);
    assert.equal(none.headers['content-range'], `bytes */${large.length}`);
    assert.equal(none.headers['proxy-status'], undefined);
  });

  test('HEAD tells the length and sends nothing', async () => {
    const head = await get(`${url}/large.bin`, {}, undefined, 'HEAD');
    assert.deepEqual([head.status, head.headers['content-length'], head.body.length], [200, String(large.length), 0]);
  });

  test('content codings pass untouched', async () => {
    const coded = await get(`${url}/style.css`, { 'accept-encoding': 'gzip' });
    assert.equal(coded.headers['content-encoding'], 'gzip');
    assert.ok(coded.body.length < style.length / 2);
    assert.equal(await (await fetch(`${url}/style.css`)).text(), style);
  });

  test('its 404, its own page, and its redirects are the site’s own', async () => {
    const missing = await get(`${url}/nothing-here`);
    assert.deepEqual([missing.status, missing.body.toString(), missing.headers['proxy-status']], [404, 'nothing of that name', undefined]);
    const redirect = await get(`${url}/sub`);
    assert.equal(redirect.status, 301);
    assert.match(String(redirect.headers.location), /\/site\/sub\/$/);
  });
});

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  readonly reused: boolean;
}

function get(url: string, headers: http.OutgoingHttpHeaders = {}, agent?: http.Agent, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent: agent ?? false }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces), reused: request.reusedSocket }),
      );
      response.once('error', reject);
    });
    request.once('error', reject).end();
  });
}

/** Uploads bytes that are made on the way; each block carries its number, so that none can change places. */
function upload(url: string, size: number, withLength: boolean): Promise<{ sent: string; received: UploadReceipt }> {
  const hash = createHash('sha256');
  const blockSize = 256 * 1024;
  const pattern = randomBytes(blockSize);
  return new Promise((resolve, reject) => {
    const request = http.request(
      url,
      { method: 'PUT', agent: false, headers: withLength ? { 'content-length': size } : { 'transfer-encoding': 'chunked' } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        response.once('end', () => {
          if (response.statusCode !== 201) reject(new Error(`the upload was answered ${response.statusCode}: ${text}`));
          else resolve({ sent: hash.digest('hex'), received: JSON.parse(text) as UploadReceipt });
        });
      },
    );
    request.once('error', reject);
    let done = 0;
    const send = (): void => {
      while (done < size) {
        // A block may still wait in the socket: the next one needs memory of its own.
        const block = Buffer.from(pattern);
        block.writeDoubleLE(done, 0);
        hash.update(block);
        done += blockSize;
        if (!request.write(block)) return void request.once('drain', send);
      }
      request.end();
    };
    send();
  });
}
