import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createHostRule } from './host-rule.ts';

describe('createHostRule', () => {
  const answers = createHostRule(['Gateway.Example']);

  it('answers to addresses, localhost and the given names, with or without a port', () => {
    for (const host of [
      '127.0.0.1',
      '127.0.0.1:8080',
      '10.1.2.3:1',
      '[::1]',
      '[::1]:8080',
      '[fd00::1]:8080',
      'localhost',
      'LOCALHOST:8080',
      'localhost.',
      'gateway.example',
      'gateway.example:443',
      'gateway.example.:443',
    ]) {
      assert.equal(answers(host), true, host);
    }
  });

  it('answers to no other name, and to nothing malformed', () => {
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      'evil.localhost',
      '127.0.0.1.evil.example',
      'gateway.example.evil.example',
      'x@localhost',
      'localhost:',
      'localhost:80:80',
      '[::1',
      '[localhost]',
      '::1',
      '[127.0.0.1]',
      'localhost/x',
      '',
      ' localhost',
    ]) {
      assert.equal(answers(host), false, host);
    }
    assert.equal(answers(undefined), false);
  });
});
