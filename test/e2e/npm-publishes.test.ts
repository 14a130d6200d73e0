import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { run, unlessInstalled, type RunResult } from '../support/foreign-program.ts';
import { useGateway } from '../support/harness.ts';
import { unlessPeers } from '../support/peers.ts';
import { scopedFetch, type ScopedFetch } from '../support/undici-peer.ts';
import { startVerdaccio, type VerdaccioRegistry } from '../support/verdaccio-registry.ts';

// Verdaccio stays for the whole file: sockets are counted at the end.
const harness = useGateway({ admin: true, script: false, workers: 2, concurrent: true });

suite('npm with a registry of Verdaccio', { skip: unlessInstalled('npm') || unlessPeers() }, () => {
  let scratch: string;
  let verdaccio: VerdaccioRegistry;
  let token: string;
  let connections: ScopedFetch;

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'apigate-npm-'));
    verdaccio = await startVerdaccio(scratch);
    // It makes the addresses of tarballs from the Host that it sees.
    await harness.gateway.admin.expose({ name: 'packages', base_url: verdaccio.url, preserve_host: true }, { path_pattern: '/' });
    const user = { name: 'ann', password: 'correct horse' };
    connections = scopedFetch();
    const response = await connections.fetch(`${harness.gateway.url}/-/user/org.couchdb.user:ann`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(user),
    });
    assert.equal(response.status, 201);
    token = ((await response.json()) as { token: string }).token;
  });

  after(async () => {
    await connections?.[Symbol.asyncDispose]();
    await verdaccio?.[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true, force: true });
  });

  /** Runs npm in a folder, with nothing of the tester's own configuration; each folder has its own cache. */
  async function npm(folder: string, auth: string | null, ...args: string[]): Promise<RunResult> {
    const { host } = new URL(harness.gateway.url);
    const lines = [`registry=${harness.gateway.url}/`, ...(auth === null ? [] : [`//${host}/:_authToken=${auth}`])];
    await writeFile(join(folder, '.npmrc'), `${lines.join('\n')}\n`);
    return await run('npm', [...args, '--no-audit', '--no-fund', '--no-update-notifier', `--cache=${join(folder, '.cache')}`], {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, npm_config_userconfig: join(folder, 'none'), npm_config_fetch_retries: '0' },
      timeout: 90_000,
    });
  }

  async function folderWith(name: string, files: Readonly<Record<string, string | Buffer>>): Promise<string> {
    const folder = join(scratch, name);
    await mkdir(folder);
    for (const [file, content] of Object.entries(files)) await writeFile(join(folder, file), content);
    return folder;
  }

  test('a package is published with the client’s token and installed whole by someone without one', async () => {
    // Its upload is larger than any buffer on the way, and the slash in its name is encoded.
    const data = randomBytes(3_000_000);
    const source = await folderWith('source', {
      'package.json': '{"name":"@scope/left-gate","version":"1.2.3","main":"index.js"}',
      'index.js': 'module.exports = 42;\n',
      'data.bin': data,
      '.npmignore': '.cache\n.npmrc\n',
    });
    const published = await npm(source, token, 'publish', '--access=public');
    assert.equal(published.code, 0, published.stderr);
    assert.match(published.stdout, /\+ @scope\/left-gate@1\.2\.3/);

    const project = await folderWith('project', { 'package.json': '{"name":"project","private":true}' });
    const installed = await npm(project, null, 'install', '@scope/left-gate');
    assert.equal(installed.code, 0, installed.stderr);
    assert.ok(data.equals(await readFile(join(project, 'node_modules/@scope/left-gate/data.bin'))));
    const lock = JSON.parse(await readFile(join(project, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { resolved: string; integrity: string }>;
    };
    const { resolved, integrity } = lock.packages['node_modules/@scope/left-gate']!;
    assert.ok(resolved.startsWith(`${harness.gateway.url}/`), `the tarball came through the gateway: ${resolved}`);
    const tarball = Buffer.from(await (await connections.fetch(resolved)).arrayBuffer());
    assert.equal(integrity, `sha512-${createHash('sha512').update(tarball).digest('base64')}`);
  });

  test('the registry itself refuses a token that it does not know, in its own words', async () => {
    const source = await folderWith('strangers', { 'package.json': '{"name":"intruder","version":"1.0.0"}' });
    const refused = await npm(source, 'not-a-token', 'publish');
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /E401/);
    const missing = await npm(source, null, 'view', 'intruder');
    assert.match(missing.stderr, /E404/);
    assert.doesNotMatch(refused.stderr + missing.stderr, /urn:apigate/);
  });

  test('whoami, a second version, dist-tags and unpublish', async () => {
    const source = await folderWith('tags', { 'package.json': '{"name":"tagged","version":"1.0.0"}' });
    const must = async (...args: string[]): Promise<string> => {
      const result = await npm(source, token, ...args);
      assert.equal(result.code, 0, `npm ${args.join(' ')}: ${result.stderr}`);
      return result.stdout.trim();
    };
    assert.equal(await must('whoami'), 'ann');
    await must('publish');
    await writeFile(join(source, 'package.json'), '{"name":"tagged","version":"2.0.0-rc.1"}');
    await must('publish', '--tag=next');
    await must('dist-tag', 'add', 'tagged@1.0.0', 'stable');
    assert.deepEqual(JSON.parse(await must('view', 'tagged', 'dist-tags', '--json')), {
      latest: '1.0.0',
      next: '2.0.0-rc.1',
      stable: '1.0.0',
    });
    await must('unpublish', 'tagged', '--force');
    assert.match((await npm(source, token, 'view', 'tagged')).stderr, /E404/);
  });
});
