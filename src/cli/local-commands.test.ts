import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliFixture } from './cli-fixture.ts';
import type { RotateOptions, SecretKeyReport } from './cli-ports.ts';

const cli = new CliFixture();
const key = 'c'.repeat(64);
const rotated = { from: 'aaaaaaaa', to: 'bbbbbbbb', resumed: false, resealed: 3, unreadable: [], keySource: undefined };

test('a new secret key is read from standard input or a file, and never taken from the command line', async () => {
  const seen: RotateOptions[] = [];
  const local = {
    rotateSecretKey: async (_settings: unknown, options: RotateOptions) => {
      seen.push(options);
      return rotated;
    },
  };
  const fine = await cli.run(['secrets', 'rotate', '--new-key', '-', '--old-key-file', 'old.key'], { local, stdin: `${key}\n` });
  assert.equal(fine.code, 0, fine.stderr);
  assert.deepEqual(seen, [{ newKey: key, oldKeyFile: '/nowhere/old.key' }]);
  assert.equal(fine.stdout, 'The secret key is rotated: aaaaaaaa → bbbbbbbb; 3 values sealed anew.\n');
  assert.equal(fine.stderr, 'Backups made before open only with key aaaaaaaa.\n');
  const literal = await cli.run(['secrets', 'rotate', '--new-key', key], { local });
  assert.equal(literal.code, 2);
  assert.match(literal.stderr, /takes only "-"/);
  assert.equal(literal.stderr.includes(key), false);
  assert.equal((await cli.run(['secrets', 'rotate', '--new-key', '-', '--new-key-file', 'x'], { local, stdin: key })).code, 2);
  assert.equal((await cli.run(['secrets', 'rotate', '--new-key-file', '/not/there'], { local })).code, 2);
  assert.equal(seen.length, 1);
});

test('what was left as it was, and where the key has to go, is said', async () => {
  const unreadable = [{ table: 'upstreams', id: 'up_1', reason: 'the sealed value is damaged' }];
  const local = { rotateSecretKey: async () => ({ ...rotated, resumed: true, unreadable, keySource: 'APIGATE_SECRET_KEY' }) };
  const { code, stdout, stderr } = await cli.run(['secrets', 'rotate'], { local });
  assert.equal(code, 0);
  assert.match(stdout, /^The interrupted rotation is finished/);
  assert.match(stderr, /put the new key alone into APIGATE_SECRET_KEY before the gateway starts again/);
  assert.match(stderr, /upstreams up_1: its secret could not be read before either.*damaged/);
});

test('the state of keys is a table for people and whole in JSON', async () => {
  const report: SecretKeyReport = {
    current: 'bbbbbbbb',
    rotation: { from: 'aaaaaaaa', to: 'bbbbbbbb' },
    source: 'the key file /x.key',
    keys: [
      { id: 'bbbbbbbb', held: true, held_by_gateway: true, values: 2 },
      { id: 'aaaaaaaa', held: true, held_by_gateway: null, values: 1 },
      { id: 'dddddddd', held: false, held_by_gateway: false, values: 1 },
    ],
    damaged: 1,
  };
  const local = { secretKeyStatus: async () => report };
  const { stdout, stderr } = await cli.run(['secrets', 'status'], { local });
  assert.match(stdout, /bbbbbbbb +in use, new +2 +yes +yes\naaaaaaaa +old +1 +yes +none runs\ndddddddd +not in use +1 +no +no\n/);
  assert.match(stderr, /read from the key file \/x\.key.*\n.*interrupted: finish it.*\n.*1 sealed values are damaged/);
  assert.deepEqual(JSON.parse((await cli.run(['secrets', 'status', '-o', 'json'], { local })).stdout), report);
});

test('a backup is named by its full path, and where its key is not is said', async () => {
  const calls: unknown[] = [];
  const local = {
    backUp: async (_settings: unknown, path: string, options: { readonly overwrite: boolean }) => {
      calls.push([path, options]);
      return { path, bytes: 4_096, revision: 7, key_id: 'aaaaaaaa', key_source: '/x.key' };
    },
  };
  const { code, stdout, stderr } = await cli.run(['backup', 'copy.db'], { local });
  assert.deepEqual([code, stdout], [0, '/nowhere/copy.db: 4096 bytes, revision 7\n']);
  assert.match(stderr, /key aaaaaaaa, which is NOT in this file.*\nThat key is in \/x\.key\./);
  await cli.run(['backup', '/b/copy.db', '--force'], { local });
  assert.deepEqual(calls, [
    ['/nowhere/copy.db', { overwrite: false }],
    ['/b/copy.db', { overwrite: true }],
  ]);
  for (const args of [['backup'], ['backup', '-'], ['backup', '']]) assert.equal((await cli.run(args, { local })).code, 2);
});

test('work on files is refused where a server is meant', async () => {
  for (const args of [
    ['secrets', 'status'],
    ['secrets', 'rotate'],
    ['backup', 'x'],
  ]) {
    const named = await cli.run([...args, '--server', 'http://localhost:8080']);
    assert.deepEqual([named.code, named.stdout], [2, '']);
    assert.match(named.stderr, /on the gateway's machine only/);
    assert.equal((await cli.run(args, { env: { APIGATE_SERVER: 'http://localhost:8080' } })).code, 2);
  }
});
