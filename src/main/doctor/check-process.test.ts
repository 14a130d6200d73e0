import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkClock, checkNode, checkOpenFiles, diskFinding, newestKnownNode } from './check-process.ts';

test('the newest known Node.js is the one that the set-up brings', () => {
  const brought = JSON.parse(readFileSync(new URL('../../../tools/node/package.json', import.meta.url), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  assert.deepEqual([...new Set(Object.values(brought.optionalDependencies))], [newestKnownNode]);
});

test('Node.js: too old is broken, older than known is a warning, newer is fine', () => {
  assert.equal(checkNode('24.14.9').result, 'broken');
  assert.equal(checkNode('20.20.2').result, 'broken');
  assert.equal(checkNode('24.15.0').result, 'warning');
  assert.match(checkNode('24.15.0').mend ?? '', new RegExp(newestKnownNode));
  for (const fine of [newestKnownNode, '24.99.0', '25.0.0']) assert.equal(checkNode(fine).result, 'ok');
});

test('open files: two for each client connection, and the number of connections that would fit is told', () => {
  const limits = (hard: string): string =>
    `Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 ${hard}               files\n`;
  assert.equal(checkOpenFiles(20_000, limits('40256')).result, 'ok');
  assert.equal(checkOpenFiles(20_000, limits('unlimited')).result, 'ok');
  const tight = checkOpenFiles(20_000, limits('20256'));
  assert.equal(tight.result, 'warning');
  assert.match(tight.mend ?? '', /APIGATE_MAX_CONNECTIONS to 10000$/);
  assert.match(checkOpenFiles(20_000, limits('100')).mend ?? '', /to 1$/);
});

test('disk space', () => {
  const mebibyte = 1024 * 1024;
  assert.equal(diskFinding('/d', 600 * mebibyte, false).result, 'ok');
  assert.match(diskFinding('/d', 2048 * mebibyte, false).found, /^2\.0 GiB/);
  assert.equal(diskFinding('/d', 100 * mebibyte, false).result, 'warning');
  assert.equal(diskFinding('/d', 10 * mebibyte, false).result, 'broken');
  assert.equal(diskFinding('/d', 600 * mebibyte, true).result, 'broken', 'no inodes');
});

test('the clock: before this version was made, behind the database, away from the gateway', () => {
  const now = Date.parse('2027-01-01T00:00:00Z');
  assert.equal(checkClock(now, now - 1, now).result, 'ok');
  assert.equal(checkClock(now, null, null).result, 'ok');
  assert.equal(checkClock(0, null, null).result, 'broken');
  assert.match(checkClock(now, now + 7_200_000, null).found, /2 h in the future/);
  assert.match(checkClock(now, null, now - 60_000).found, /60 s behind/);
  assert.match(checkClock(now, null, now + 60_000).found, /60 s ahead of/);
  assert.equal(checkClock(now, null, now - 1_500).result, 'ok');
});
