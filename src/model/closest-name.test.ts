import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closestName } from './closest-name.ts';

const known = ['name', 'base_url', 'timeout_ms', 'max_idle_conns', 'idle_conn_timeout_ms', 'max_conns', 'auth_value', 'enabled'];

test('a misspelt or shortened name leads to the one that was meant', () => {
  const meant: [string, string][] = [
    ['nmae', 'name'],
    ['Name', 'name'],
    ['baseUrl', 'base_url'],
    ['base-url', 'base_url'],
    ['url', 'base_url'],
    ['timeout', 'timeout_ms'],
    ['timeoutms', 'timeout_ms'],
    ['max_idle_con', 'max_idle_conns'],
    ['maxconns', 'max_conns'],
    ['auth_value_encrypted', 'auth_value'],
    ['enable', 'enabled'],
  ];
  for (const [wrong, right] of meant) assert.equal(closestName(wrong, known), right, wrong);
});

test('a name that is like none leads nowhere', () => {
  for (const wrong of ['', 'x', 'cors', 'protocol', '__proto__', 'ünïcode', 'y'.repeat(10_000)])
    assert.equal(closestName(wrong, known), undefined, wrong);
});
