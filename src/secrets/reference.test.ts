import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createReferenceResolver, readReference, type ReferenceResolver, type SecretReference } from './reference.ts';

let directory: string;
let resolver: ReferenceResolver;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'apigate-reference-'));
  resolver = createReferenceResolver({ environment: { TOKEN: 'from-env', EMPTY: '' }, protectedFiles: [join(directory, 'own.key')] });
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('references are told from plain values, and what only resembles one is refused', () => {
  assert.deepEqual(readReference('${env.TOKEN}'), { kind: 'reference', reference: { kind: 'env', name: 'TOKEN' } });
  assert.deepEqual(readReference('${file:/run/secrets/a b}'), { kind: 'reference', reference: { kind: 'file', path: '/run/secrets/a b' } });
  for (const plain of ['token', '$TOKEN', '${TOKEN}', 'a}b', '${', '']) assert.equal(readReference(plain).kind, 'plain', plain);
  const malformed = [
    '${env.}',
    '${env.A-B}',
    '${env.1A}',
    '${file:}',
    '${file:relative}',
    '${file:../x}',
    'Bearer ${env.TOKEN}',
    '${env.A}${env.B}',
    '${env:TOKEN}',
    '${ env.TOKEN }',
    '${file:/a\n}',
  ];
  for (const text of malformed) assert.equal(readReference(text).kind, 'malformed', text);
});

test("the gateway's own settings cannot be referred to", () => {
  for (const name of ['APIGATE_SECRET_KEY', 'apigate_admin_password']) assert.equal(readReference(`\${env.${name}}`).kind, 'malformed');
});

test('an environment variable gives its value, or the reason why not', async () => {
  assert.equal(await valueOf({ kind: 'env', name: 'TOKEN' }), 'from-env');
  assert.match(await reasonOf({ kind: 'env', name: 'MISSING' }), /MISSING is not set/);
  assert.match(await reasonOf({ kind: 'env', name: 'EMPTY' }), /EMPTY is empty/);
  assert.match(await reasonOf({ kind: 'env', name: 'constructor' }), /constructor is not set/);
});

test('a file gives its content without one line end at its end', async () => {
  for (const [content, value] of [
    ['a', 'a'],
    ['a\n', 'a'],
    ['a\r\n', 'a'],
    ['a\n\n', 'a\n'],
    [' a ', ' a '],
  ] as const) {
    assert.equal(await valueOf(file(content)), value);
  }
});

test('a file that cannot give a secret says why, and blocks nothing', async () => {
  assert.match(await reasonOf({ kind: 'file', path: join(directory, 'missing') }), /missing does not exist/);
  mkdirSync(join(directory, 'folder'));
  assert.match(await reasonOf({ kind: 'file', path: join(directory, 'folder') }), /not a plain file/);
  assert.match(await reasonOf(file('\n')), /is empty/);
  assert.match(await reasonOf(file('x'.repeat(20_000))), /too large/);
  assert.match(await reasonOf({ kind: 'file', path: '/proc/self/environ' }), /not a plain file/);
  assert.match(await reasonOf({ kind: 'file', path: '/dev/zero' }), /not a plain file/);
  execFileSync('sh', ['-c', 'mkfifo "$0"', join(directory, 'pipe')]);
  assert.match(await reasonOf({ kind: 'file', path: join(directory, 'pipe') }), /not a plain file/);
  const secret = file('x');
  chmodSync(secret.path, 0);
  if (process.getuid?.() !== 0) assert.match(await reasonOf(secret), /may not be read/);
});

test("the gateway's own files are not read, by whatever way they are reached", async () => {
  const own = join(directory, 'own.key');
  writeFileSync(own, 'key');
  symlinkSync(own, join(directory, 'link'));
  linkSync(own, join(directory, 'hard'));
  writeFileSync(`${own}-wal`, 'log');
  for (const name of ['own.key', 'own.key-wal', 'link', 'hard', '../' + directory.split('/').at(-1) + '/own.key']) {
    assert.match(await reasonOf({ kind: 'file', path: join(directory, name) }), /gateway's own/);
  }
});

test('the version of a file changes when its content, or the link to it, changes', async () => {
  const secret = file('one');
  const link: SecretReference = { kind: 'file', path: join(directory, 'current') };
  symlinkSync(secret.path, link.path);
  const first = await resolver.resolve(link);
  assert.equal(await resolver.version(link), first.version);
  writeFileSync(secret.path, 'two!');
  assert.notEqual(await resolver.version(link), first.version);

  const before = await resolver.version(link);
  writeFileSync(join(directory, 'other'), 'two!');
  symlinkSync(join(directory, 'other'), join(directory, 'next'));
  renameSync(join(directory, 'next'), link.path);
  assert.notEqual(await resolver.version(link), before);
  rmSync(join(directory, 'other'));
  assert.equal(await resolver.version(link), 'ENOENT');
});

function file(content: string): SecretReference & { path: string } {
  const path = join(directory, 'secret');
  writeFileSync(path, content);
  return { kind: 'file', path };
}

async function valueOf(reference: SecretReference): Promise<string> {
  const resolved = await resolver.resolve(reference);
  assert.ok(resolved.ok, resolved.ok ? '' : resolved.reason);
  return resolved.value;
}

async function reasonOf(reference: SecretReference): Promise<string> {
  const resolved = await resolver.resolve(reference);
  assert.equal(resolved.ok, false);
  return resolved.ok ? '' : resolved.reason;
}
