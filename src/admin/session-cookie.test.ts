import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clearedSessionCookie, sessionCookie, sessionTokenOf } from './session-cookie.ts';

describe('session cookie', () => {
  it('M05 is HttpOnly, SameSite=Strict, for every path, without a domain, and Secure on TLS', () => {
    assert.equal(sessionCookie('abc', 'http'), 'session=abc; HttpOnly; SameSite=Strict; Path=/');
    assert.equal(sessionCookie('abc', 'https'), 'session=abc; HttpOnly; SameSite=Strict; Path=/; Secure');
    assert.equal(clearedSessionCookie('https'), 'session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0; Secure');
  });

  it('is found among others, and refused when two differ', () => {
    assert.equal(sessionTokenOf('a=b; session=abc; c=d'), 'abc');
    assert.equal(sessionTokenOf('session=abc'), 'abc');
    assert.equal(sessionTokenOf('session=abc; session=abc'), 'abc');
    assert.equal(sessionTokenOf('session=abc; session=def'), undefined);
    assert.equal(sessionTokenOf('xsession=abc; sessionx=abc; session'), undefined);
    assert.equal(sessionTokenOf(''), undefined);
    assert.equal(sessionTokenOf(undefined), undefined);
  });
});
