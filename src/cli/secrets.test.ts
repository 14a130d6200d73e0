import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { CliFixture, type CallOptions } from './cli-fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'apigate-cli-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'secret'), 'canary-7f3a\n');
writeFileSync(join(folder, 'empty'), '');
writeFileSync(join(folder, 'binary'), Buffer.from([0xff, 0xfe]));

const canary = 'canary-7f3a';
const terminal = { columns: 80 };
const create = ['upstreams', 'create', '--name', 'u', '--url', 'http://b', '--auth-type', 'bearer'];

/** Runs, and checks that the secret went to the API and nowhere else. */
async function sends(argv: readonly string[], options: CallOptions, field: string): Promise<string> {
  const cli = new CliFixture();
  const { code, stdout, stderr } = await cli.run(argv, { cwd: folder, ...options });
  assert.equal(code, 0, stderr);
  assert.equal(cli.api.firstBody[field], canary);
  assert.doesNotMatch(stdout + stderr, new RegExp(canary));
  return stderr;
}

describe('an auth value', () => {
  it('comes from standard input, without its last newline', async () => {
    for (const typed of [canary, `${canary}\n`, `${canary}\r\n`])
      await sends([...create, '--auth-value', '-'], { stdin: typed }, 'auth_value');
    const cli = new CliFixture();
    await cli.run([...create, '--auth-value', '-'], { stdin: ['two\n', 'lines\n\n'] });
    assert.equal(cli.api.firstBody['auth_value'], 'two\nlines\n');
  });

  it('comes from a terminal without echo', async () => {
    const stderr = await sends([...create, '--auth-value', '-'], { terminal, stdin: [`${canary}\r`] }, 'auth_value');
    assert.match(stderr, /^<echo off>Auth value: <echo on>\n/);
  });

  it('comes from a file', async () => {
    await sends([...create, '--auth-value-file', 'secret'], {}, 'auth_value');
    await sends(['upstreams', 'update', 'u', '--auth-value-file', 'secret'], {}, 'auth_value').catch((error: unknown) =>
      assert.match(String(error), /Not found/),
    );
  });

  it('given literally works, with a warning about the history of shells', async () => {
    assert.match(await sends([...create, '--auth-value', canary], {}, 'auth_value'), /^Warning: shells keep commands in their history/m);
  });

  it('that is a reference is no secret and needs no warning', async () => {
    for (const reference of ['${env.TOKEN}', '${file:/run/secrets/token}']) {
      const { stderr } = await new CliFixture().run([...create, '--auth-value', reference]);
      assert.doesNotMatch(stderr, /history/);
    }
  });

  it('cannot come from two places, from nothing, or from bytes that are no text', async () => {
    for (const [argv, options, expected] of [
      [['--auth-value', 'x', '--auth-value-file', 'secret'], {}, /cannot be used with/],
      [['--auth-value', '-'], { stdin: '' }, /standard input is empty/],
      [['--auth-value', '-'], { stdin: '\n' }, /standard input is empty/],
      [['--auth-value', '-'], { stdin: 'x'.repeat(70_000) }, /more than 64 KiB/],
      [['--auth-value-file', 'empty'], {}, /empty is empty/],
      [['--auth-value-file', 'binary'], {}, /binary is not UTF-8 text/],
      [['--auth-value-file', 'missing'], {}, /--auth-value-file: .*ENOENT/],
    ] as const) {
      const cli = new CliFixture();
      const { code, stderr } = await cli.run([...create, ...argv], { cwd: folder, ...options });
      assert.equal(code, 2, argv.join(' '));
      assert.match(stderr, expected);
      assert.deepEqual(cli.api.seen, []);
    }
  });

  it('a private key is not taken for a CA', async () => {
    writeFileSync(join(folder, 'key.pem'), `-----BEGIN PRIVATE KEY-----\n${canary}\n-----END PRIVATE KEY-----\n`);
    const { code, stderr } = await new CliFixture().run([...create, '--tls-ca', 'key.pem'], { cwd: folder });
    assert.equal(code, 2);
    assert.match(stderr, /holds a private key/);
    assert.doesNotMatch(stderr, new RegExp(canary));
  });
});

describe('a password', () => {
  const admin = ['admins', 'create', '--email', 'ops@example.com'];

  it('comes from standard input or a file', async () => {
    await sends([...admin, '--password', '-'], { stdin: `${canary}\n` }, 'password');
    await sends([...admin, '--password-file', 'secret'], {}, 'password');
  });

  it('is asked for twice on a terminal, without echo; backspace and Ctrl-U work', async () => {
    const stderr = await sends(admin, { terminal, stdin: [`${canary}\r`, `oops\u0015${canary}x\u007f\r`] }, 'password');
    assert.match(stderr, /^<echo off>Password: <echo on>\n<echo off>The same again: <echo on>\n/);
    await sends([...admin, '--password', '-'], { terminal, stdin: ['canary', '-7f', '3a', '\n', `${canary}\n`] }, 'password');
  });

  it('typed differently the second time changes nothing', async () => {
    const cli = new CliFixture();
    const { code, stderr } = await cli.run(admin, { terminal, stdin: [`${canary}\r`, 'other\r'] });
    assert.equal(code, 2);
    assert.match(stderr, /the two passwords differ/);
    assert.deepEqual(cli.api.seen, []);
  });

  it('Ctrl-C at the question cancels, as shells count it', async () => {
    const cli = new CliFixture();
    assert.equal((await cli.run(admin, { terminal, stdin: ['can\u0003'] })).code, 130);
    assert.deepEqual(cli.api.seen, []);
  });

  it('is not asked for without a terminal, and not taken from the command line', async () => {
    const missing = await new CliFixture().run(admin, { stdin: 'piped but not asked for' });
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /--password -.*--password-file/);
    const literal = await new CliFixture().run([...admin, '--password', canary]);
    assert.equal(literal.code, 2);
    assert.match(literal.stderr, /only "-"/);
    assert.doesNotMatch(literal.stderr, new RegExp(canary));
  });

  it('is changed by update', async () => {
    const cli = new CliFixture();
    cli.api.add('admins', { email: 'ops@example.com' });
    const { code } = await cli.run(['admins', 'update', 'ops@example.com', '--password', '-'], { stdin: canary });
    assert.equal(code, 0);
    assert.deepEqual([cli.api.seen[0]?.path, cli.api.seen[0]?.body], ['/admin/admins/ops%40example.com', { password: canary }]);
  });
});

it('errors of the API never make the CLI repeat a secret', async () => {
  const cli = new CliFixture();
  cli.api.refuseNext({ status: 422, code: 'validation_failed', errors: [{ field: 'auth_value', message: 'must not hold a line break' }] });
  const { stdout, stderr } = await cli.run([...create, '--auth-value', '-'], { stdin: canary });
  assert.match(stderr, /--auth-value: must not hold a line break/);
  assert.doesNotMatch(stdout + stderr, new RegExp(canary));
});
