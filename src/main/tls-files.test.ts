import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import type { TlsFiles } from '../gateway/worker-protocol.ts';
import { readTlsFiles, watchTlsFiles } from './tls-files.ts';

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe('certificate files', { skip: hasOpenssl ? false : 'the openssl command is not installed' }, () => {
  const root = mkdtempSync(join(tmpdir(), 'apigate-tls-files-'));
  const [first, second] = hasOpenssl ? [makePair('first'), makePair('second')] : [];
  const interval = 10;
  let paths: { readonly cert: string; readonly key: string };
  let heard: (TlsFiles | Error)[];
  let stop: () => void;
  let count = 0;

  after(() => rmSync(root, { recursive: true, force: true }));
  beforeEach(() => {
    const directory = join(root, String((count += 1)));
    mkdirSync(directory);
    paths = { cert: join(directory, 'cert'), key: join(directory, 'key') };
    write(first!);
    heard = [];
    stop = watchTlsFiles(paths, readTlsFiles(paths), (files) => heard.push(files), interval);
  });
  afterEach(() => stop());

  const bad: readonly [name: string, change: () => void, reason: RegExp][] = [
    ['an empty certificate', () => writeFileSync(paths.cert, ''), /cert holds no certificate in PEM form/],
    ['a key where the certificate should be', () => writeFileSync(paths.cert, first!.key), /cert holds no certificate in PEM form/],
    ['a certificate where the key should be', () => writeFileSync(paths.key, first!.cert), /key holds no private key in PEM form/],
    ['a key that does not fit', () => writeFileSync(paths.key, second!.key), /key does not fit the certificate/],
    ['a missing key', () => unlinkSync(paths.key), /key cannot be read: ENOENT/],
    ['a directory', () => replace(paths.cert, () => mkdirSync(paths.cert)), /cert cannot be read: it is not a regular file/],
    [
      'a pipe that nobody writes to',
      () => replace(paths.key, () => execFileSync('mkfifo', [paths.key])),
      /key cannot be read: it is not a regular file/,
    ],
    ['a file of 2 MiB', () => writeFileSync(paths.cert, ' '.repeat(2 << 20)), /cert cannot be read: it has 2097152 bytes/],
    ['a chain that is cut off', () => writeFileSync(paths.cert, first!.cert + second!.cert.slice(0, 200)), /cannot be used/],
    ['a key too short for TLS', () => write(weakPair()), /cannot be used: .*key too small/],
  ];
  for (const [name, change, reason] of bad) {
    test(`${name} is reported once, and a good pair after it is taken`, async () => {
      change();
      assert.throws(() => readTlsFiles(paths), reason);
      await until(() => heard.length === 1);
      await looks(5);
      assert.equal(heard.length, 1);
      assert.match((heard[0] as Error).message, reason);
      rmSync(paths.cert, { recursive: true, force: true });
      rmSync(paths.key, { recursive: true, force: true });
      write(second!);
      await until(() => heard.at(-1) !== heard[0]);
      assert.deepEqual(heard.at(-1), second);
    });
  }

  test('files that stay as they are, or are touched, are no change', async () => {
    await looks(3);
    utimesSync(paths.cert, 1, 1);
    write(first!);
    await looks(3);
    assert.deepEqual(heard, []);
  });

  test('a change between the first reading and the start of the watch is seen', async () => {
    stop();
    const read = readTlsFiles(paths);
    write(second!);
    stop = watchTlsFiles(paths, read, (files) => heard.push(files), interval);
    await until(() => heard.length === 1);
    assert.deepEqual(heard, [second]);
  });

  test('the two files written one after the other, within one look, are one change', async () => {
    stop();
    stop = watchTlsFiles(paths, first!, (files) => heard.push(files), 100);
    writeFileSync(paths.cert, second!.cert);
    await looks(1);
    writeFileSync(paths.key, second!.key);
    await until(() => heard.length > 0);
    await looks(3);
    assert.deepEqual(heard, [second]);
  });

  test('going back to the pair in use after a bad one is no change', async () => {
    writeFileSync(paths.key, second!.key);
    await until(() => heard.length === 1);
    writeFileSync(paths.key, first!.key);
    await looks(4);
    assert.equal(heard.length, 1);
  });

  function write({ cert, key }: TlsFiles): void {
    writeFileSync(paths.cert, cert);
    writeFileSync(paths.key, key);
  }

  function replace(path: string, make: () => void): void {
    unlinkSync(path);
    make();
  }

  function makePair(name: string, key = ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']): TlsFiles {
    const [certPath, keyPath] = [join(root, `${name}.cert`), join(root, `${name}.key`)];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', ...key, '-nodes', '-keyout', keyPath, '-out', certPath, '-subj', `/CN=${name}`, '-days', '9'],
      { stdio: 'ignore' },
    );
    return { cert: readFileSync(certPath, 'utf8'), key: readFileSync(keyPath, 'utf8') };
  }

  function weakPair(): TlsFiles {
    return makePair('weak', ['rsa:512']);
  }

  /** Time for so many looks of the watch. */
  async function looks(many: number): Promise<void> {
    for (let index = 0; index < many; index += 1) await new Promise((resolve) => setTimeout(resolve, interval));
  }

  async function until(condition: () => boolean): Promise<void> {
    for (const end = performance.now() + 3_000; !condition();) {
      assert.ok(performance.now() < end, `heard ${heard.map((each) => (each instanceof Error ? each.message : 'a pair')).join(', ')}`);
      await looks(1);
    }
  }
});
