import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileAllowList } from './allow-list.ts';

describe('compileAllowList', () => {
  it('knows loopback and private peers, however they are spelled', () => {
    const list = compileAllowList(['loopback', 'private']);
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '::FFFF:10.1.2.3', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fd00::1', 'fe80::1%eth0']) {
      assert.equal(list.allows(address), true, address);
    }
    for (const address of ['8.8.8.8', '172.32.0.1', '172.15.0.1', '::ffff:8.8.8.8', '2001:db8::1', '::', '0.0.0.0', '', 'localhost', '127.0.0.1:80', '127.1']) {
      assert.equal(list.allows(address), false, address);
    }
  });

  it('takes addresses and CIDRs of both families, and any', () => {
    const list = compileAllowList(['203.0.113.0/24', '2001:db8::/32', '198.51.100.7']);
    assert.equal(list.allows('203.0.113.200'), true);
    assert.equal(list.allows('::ffff:203.0.113.200'), true);
    assert.equal(list.allows('2001:db8:1::1'), true);
    assert.equal(list.allows('198.51.100.7'), true);
    assert.equal(list.allows('198.51.100.8'), false);
    assert.equal(list.allows('127.0.0.1'), false);
    assert.equal(compileAllowList(['any']).allows('8.8.8.8'), true);
    assert.equal(compileAllowList(['any']).allows('not an address'), false);
    assert.equal(compileAllowList([]).allows('127.0.0.1'), false);
  });

  it('names an entry that it does not understand', () => {
    for (const entry of ['privat', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '10.0/8', '::/129', '1.2.3.4/8/8', '']) {
      assert.throws(() => compileAllowList(['loopback', entry]), (error: Error) => error.message.includes(`"${entry}"`));
    }
  });
});
