import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileAllowList } from './allow-list.ts';

describe('compileAllowList', () => {
  it("takes addresses and CIDRs of both families, however the peer's address is spelled", () => {
    const list = compileAllowList(['127.0.0.0/8', '::1/128', 'fe80::/10', '203.0.113.0/24', '2001:db8::/32', '198.51.100.7']);
    const allowed = [
      '127.0.0.1',
      '127.9.9.9',
      '::1',
      '::ffff:127.0.0.1',
      '::FFFF:203.0.113.200',
      '203.0.113.255',
      '2001:db8:1::1',
      'fe80::1%eth0',
      '198.51.100.7',
    ];
    for (const address of allowed) assert.equal(list.allows(address), true, address);
    const others = [
      '8.8.8.8',
      '203.0.114.0',
      '198.51.100.8',
      '::ffff:8.8.8.8',
      '2001:db9::1',
      '::',
      '0.0.0.0',
      '',
      'localhost',
      '127.0.0.1:80',
      '127.1',
    ];
    for (const address of others) assert.equal(list.allows(address), false, address);
  });

  it('allows everybody with an address by the widest CIDRs, and nobody by an empty list', () => {
    const everybody = compileAllowList(['0.0.0.0/0', '::/0']);
    for (const address of ['8.8.8.8', '2001:db8::1', '::ffff:8.8.8.8']) assert.equal(everybody.allows(address), true, address);
    assert.equal(everybody.allows('not an address'), false);
    assert.equal(compileAllowList([]).allows('127.0.0.1'), false);
  });

  it('names an entry that it does not understand', () => {
    for (const entry of ['private', 'any', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '10.0/8', '::/129', '1.2.3.4/8/8', '']) {
      assert.throws(
        () => compileAllowList(['127.0.0.0/8', entry]),
        (error: Error) => error.message.includes(`"${entry}"`),
      );
    }
  });
});
