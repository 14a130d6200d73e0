import assert from 'node:assert/strict';
import { chmod, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { run } from '../support/foreign-program.ts';
import { freePort } from '../support/free-port.ts';
import { plainEnvironment, runApigate } from '../support/run-apigate.ts';
import { refusalLimit, refusedStart, type RefusedStart, scopedGateway } from '../support/scoped-gateway.ts';
import { entry, type Gateway, startGateway } from '../support/start-gateway.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** One clear line of what is wrong, and no stack. */
function assertOneLine({ code, message }: RefusedStart, ...wanted: readonly RegExp[]): void {
  assert.equal(code, 1, message);
  assert.match(message, /^apigate: .+\n$/, 'one line');
  for (const words of wanted) assert.match(message, words);
}

/** A database that a gateway has served, with a sealed secret in it, at rest. */
let served: Gateway;
before(async () => {
  served = await startGateway({ admin: true });
  await served.admin.must('POST', '/upstreams', {
    name: 'sealed',
    base_url: 'http://backend.test',
    auth_type: 'bearer',
    auth_value: 'canary',
  });
  served.process.kill('SIGTERM');
  await served.exited;
});
after(async () => void (await served.stop()));

/** A copy of it for one test. */
async function copyOfServed(directory: string): Promise<void> {
  for (const file of await readdir(served.directory)) await copyFile(join(served.directory, file), join(directory, file));
}

async function keyFileIn(directory: string): Promise<string> {
  return join(
    directory,
    (await readdir(directory)).find((file) => file.includes('key'))!,
  );
}

describe('a database that cannot be used stops the start with one line that names it', { concurrency: 2 }, () => {
  test('its directory is missing', async (context) => {
    const directory = await temporaryDirectory(context);
    const refused = await refusedStart(context, { directory, flags: ['--database', 'nowhere/apigate.db'] });
    assertOneLine(refused, /nowhere\/apigate\.db cannot be opened: the directory .*nowhere does not exist/);
    assert.deepEqual(await readdir(directory), []);
  });

  test('it is a directory', async (context) => {
    const directory = await temporaryDirectory(context);
    await mkdir(join(directory, 'apigate.db'));
    assertOneLine(await refusedStart(context, { directory }), /apigate\.db cannot be opened: it is not a regular file/);
  });

  test('its directory may not be written to', async (context) => {
    const directory = await temporaryDirectory(context);
    // Not even root can make a file there.
    const path = process.platform === 'linux' ? '/sys/apigate.db' : join(directory, 'closed', 'apigate.db');
    if (process.platform !== 'linux') await mkdir(join(directory, 'closed'), { mode: 0o555 });
    assertOneLine(
      await refusedStart(context, { directory, flags: ['--database', path] }),
      /apigate\.db cannot be (?:created|opened for writing): permission denied/,
    );
  });

  test('it may not be written to', async (context) => {
    const directory = await temporaryDirectory(context);
    await copyOfServed(directory);
    await chmod(directory, 0o755);
    for (const file of await readdir(directory)) await chmod(join(directory, file), 0o444);
    const database = join(directory, 'apigate.db');
    const flags = ['serve', '--host', '127.0.0.1', '--port', String(await freePort()), '--database', database];
    // Root may write everything, so somebody else has to try.
    const [program, ...args] =
      process.getuid?.() === 0
        ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, entry]
        : [process.execPath, entry];
    const readable = process.getuid?.() !== 0 || (await run('setpriv', [...args.slice(0, 3), 'test', '-r', entry])).code === 0;
    if (!readable) return context.skip('nobody but root can read this checkout');
    const { code, stderr, stdout } = await run(program, [...args, ...flags], { env: plainEnvironment({}), timeout: refusalLimit });
    assert.equal(stdout, '');
    assertOneLine({ code, message: stderr, port: 0 }, /apigate\.db cannot be opened for writing: permission denied/);
  });

  for (const [what, damage] of [
    ['no database at all', () => Buffer.from('this is a letter to my bank\n'.repeat(1_000))],
    ['its header is damaged', (bytes: Buffer) => Buffer.concat([Buffer.alloc(100), bytes.subarray(100)])],
    ['its pages are damaged', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 4_096), Buffer.alloc(bytes.length - 4_096, 0xa5)])],
    ['it is cut off', (bytes: Buffer) => bytes.subarray(0, Math.floor(bytes.length / 2))],
  ] as const) {
    test(`${what}: it is left as it is`, async (context) => {
      const directory = await temporaryDirectory(context);
      await copyOfServed(directory);
      const path = join(directory, 'apigate.db');
      const damaged = damage(await readFile(path));
      await writeFile(path, damaged);
      assertOneLine(
        await refusedStart(context, { directory }),
        /apigate\.db is damaged or not an SQLite database.*restore it from a backup, or move it away/,
      );
      assert.ok((await readFile(path)).equals(damaged), 'the file was changed');
    });
  }

  test('it is a database of another program', async (context) => {
    const directory = await temporaryDirectory(context);
    const path = join(directory, 'apigate.db');
    new DatabaseSync(path).exec('CREATE TABLE bookmarks (url TEXT)');
    const bytes = await readFile(path);
    assertOneLine(await refusedStart(context, { directory }), /apigate\.db is a database of another program/);
    assert.ok((await readFile(path)).equals(bytes));
  });

  test('a newer APIGate has changed its schema: the message has both versions', async (context) => {
    const directory = await temporaryDirectory(context);
    await copyOfServed(directory);
    const database = new DatabaseSync(join(directory, 'apigate.db'));
    const version = (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
    database.exec(`PRAGMA user_version = ${version + 100}`);
    database.close();
    assertOneLine(
      await refusedStart(context, { directory }),
      new RegExp(`\\b${version + 100}\\b.*\\b${version}\\b|\\b${version}\\b.*\\b${version + 100}\\b`),
    );
  });
});

describe('the secret key', { concurrency: 2 }, () => {
  test('another key in the environment stops the start with the ids of both keys, and so it does the CLI', async (context) => {
    const directory = await temporaryDirectory(context);
    await copyOfServed(directory);
    const env = { APIGATE_SECRET_KEY: '0123456789abcdef'.repeat(4) };
    const refused = await refusedStart(context, { directory, env });
    assertOneLine(refused, /sealed with secret key [0-9a-f]{8}, but APIGATE_SECRET_KEY is key [0-9a-f]{8}\./);
    const [wanted = '', given = ''] = refused.message.match(/key [0-9a-f]{8}/g) ?? [];
    assert.notEqual(wanted, given);
    assert.ok(!refused.message.includes('0123456789abcdef'), 'the key itself is not shown');

    const cli = await runApigate(['upstreams', 'list'], { env: { ...env, APIGATE_DATABASE_DSN: join(directory, 'apigate.db') } });
    assert.notEqual(cli.code, 0);
    assert.ok(cli.stdout === '' && cli.stderr.includes(wanted) && cli.stderr.includes(given), cli.stderr);
  });

  test('another key file does too, a missing one is named and not made anew, a damaged one is told apart', async (context) => {
    const directory = await temporaryDirectory(context);
    await copyOfServed(directory);
    const keyFile = await keyFileIn(directory);
    const right = await readFile(keyFile, 'utf8');
    await writeFile(keyFile, `${'f'.repeat(64)}\n`);
    assertOneLine(
      await refusedStart(context, { directory }),
      new RegExp(`sealed with secret key [0-9a-f]{8}, but the key file .*${basename(keyFile)} is key [0-9a-f]{8}`),
    );
    await writeFile(keyFile, 'not a key\n');
    assertOneLine(await refusedStart(context, { directory }), new RegExp(`${basename(keyFile)}.*64 hexadecimal digits`));
    await writeFile(keyFile, right);
    await chmod(keyFile, 0o644);
    const exposed = await refusedStart(context, { directory });
    assertOneLine(exposed, new RegExp(basename(keyFile)));
  });

  test('a missing key file is named with the id that the database wants, and not made anew', async (context) => {
    const directory = await temporaryDirectory(context);
    const keyFile = basename(await keyFileIn(served.directory));
    for (const file of await readdir(served.directory))
      if (file !== keyFile) await copyFile(join(served.directory, file), join(directory, file));
    assertOneLine(
      await refusedStart(context, { directory }),
      new RegExp(
        `sealed with secret key [0-9a-f]{8}, and no key is given: set APIGATE_SECRET_KEY, or put the key file back at .*${keyFile}`,
      ),
    );
    assert.ok(!(await readdir(directory)).includes(keyFile));
  });

  test('the right key in the environment instead of the file is as good', async (context) => {
    const directory = await temporaryDirectory(context);
    const keyFile = basename(await keyFileIn(served.directory));
    for (const file of await readdir(served.directory))
      if (file !== keyFile) await copyFile(join(served.directory, file), join(directory, file));
    const gateway = await scopedGateway(context, {
      directory,
      env: { APIGATE_SECRET_KEY: (await readFile(join(served.directory, keyFile), 'utf8')).trim() },
    });
    assert.equal((await gateway.admin.must('GET', '/upstreams/sealed'))['auth_value_set'], true);
  });

  test('a key that is none stops the start', async (context) => {
    assertOneLine(
      await refusedStart(context, { env: { APIGATE_SECRET_KEY: 'canary-short' } }),
      /APIGATE_SECRET_KEY must be 64 hexadecimal digits or base64 of 32 bytes/,
    );
  });
});

describe('--upstream that requests may not go to stops the start', { concurrency: 2 }, () => {
  for (const [url, reason] of [
    ['http://169.254.169.254/latest/', /must not lead to 169\.254\.169\.254: that is a link-local address/],
    ['http://[fd00:ec2::254]', /must not lead to fd00:ec2::254/],
    ['ftp://backend.test', /upstream_url \(flag --upstream\): ftp:\/\/ is not spoken to upstreams/],
    ['http://2130706433/', /unusual spelling of an address/],
    ['http://user:canary-pw@backend.test', /upstream_url \(flag --upstream\): the URL holds a user name or password/],
  ] as const) {
    test(url.replace(/canary-\w+/, '…'), async (context) => {
      const refused = await refusedStart(context, { upstream: url });
      assert.notEqual(refused.code, 0);
      assert.match(refused.message, reason);
      assert.match(refused.message, /upstream/i);
      assert.doesNotMatch(refused.message, /canary|public|\n\s+at /, 'nothing but what is wrong');
    });
  }

  test('the gateway itself', async (context) => {
    const port = await freePort();
    const refused = await refusedStart(context, { port, upstream: `http://localhost:${port}/x` });
    assert.notEqual(refused.code, 0);
    assert.match(refused.message, /must not lead back to this gateway/);
  });
});
