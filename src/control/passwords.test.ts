import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../errors/gateway-error.ts';
import { createPasswords, passwordProblem } from './passwords.ts';

describe('createPasswords', () => {
  it('takes the right password and no other, in any Unicode form', async () => {
    const passwords = createPasswords({ logCost: 4 });
    const stored = await passwords.hash('caf\u00e9 au lait, deux fois');
    assert.match(stored, /^\$scrypt\$ln=4,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    assert.equal(await passwords.verify('caf\u00e9 au lait, deux fois', stored), true);
    assert.equal(await passwords.verify('cafe\u0301 au lait, deux fois', stored), true);
    assert.equal(await passwords.verify('cafe au lait, deux fois', stored), false);
    assert.equal(await passwords.verify('', stored), false);
  });

  it('hashes with N = 2^17 unless told otherwise, and salts each hash', async () => {
    const passwords = createPasswords();
    const first = await passwords.hash('correct horse battery');
    assert.match(first, /^\$scrypt\$ln=17,r=8,p=1\$/);
    assert.notEqual(await createPasswords({ logCost: 4 }).hash('x'), await createPasswords({ logCost: 4 }).hash('x'));
    // A hash made with other parameters stays valid when the default moves on.
    assert.equal(await createPasswords({ logCost: 4 }).verify('correct horse battery', first), true);
  });

  it('does the same work for an account that does not exist', async () => {
    let derivations = 0;
    const passwords = createPasswords({ logCost: 4, onDerive: () => (derivations += 1) });
    assert.equal(await passwords.verify('whatever it may be', undefined), false);
    assert.equal(derivations, 1);
  });

  it('runs two at once at most, lets a bounded number wait and refuses the rest', async () => {
    let started = 0;
    const passwords = createPasswords({ logCost: 10, queueLimit: 3, onDerive: () => (started += 1) });
    const all = Array.from({ length: 8 }, () => passwords.hash('a long enough password'));
    assert.equal(started, 2);
    const results = await Promise.allSettled(all);
    assert.equal(results.filter((result) => result.status === 'fulfilled').length, 5);
    for (const result of results) {
      if (result.status === 'rejected') {
        assert.ok(result.reason instanceof GatewayError);
        assert.equal(result.reason.code, 'too_many_attempts');
        assert.equal(result.reason.retryAfter, 5);
      }
    }
    // The queue is empty again: a later one runs at once.
    await passwords.hash('a long enough password');
    assert.equal(started, 6);
  });

  it('says so when a stored hash is damaged, rather than letting anybody in', async () => {
    await assert.rejects(createPasswords({ logCost: 4 }).verify('x', '$scrypt$ln=4,r=8,p=1$AAAA$AAAA'), /stored password hash/);
    await assert.rejects(createPasswords({ logCost: 4 }).verify('x', ''), /stored password hash/);
  });
});

describe('passwordProblem', () => {
  it('asks for length and takes nearly anything else', () => {
    assert.equal(passwordProblem('correct horse battery', 'a@b.example'), undefined);
    assert.equal(
      passwordProblem(
        '\u{1f600}\u{1f601}\u{1f602}\u{1f603}\u{1f604}\u{1f605}\u{1f606}\u{1f607}\u{1f608}\u{1f609}\u{1f60a}\u{1f60b}',
        'a@b.example',
      ),
      undefined,
    );
    assert.match(passwordProblem('elevenchars', 'a@b.example') ?? '', /at least 12/);
    assert.match(passwordProblem('x'.repeat(257), 'a@b.example') ?? '', /at most 256/);
    assert.match(passwordProblem('aaaaaaaaaaaaa', 'a@b.example') ?? '', /different/);
    assert.match(passwordProblem('Somebody@Example.com', 'somebody@example.com') ?? '', /e-mail/);
  });
});
