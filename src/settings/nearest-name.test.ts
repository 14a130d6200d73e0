import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { nearestName } from './nearest-name.ts';

const known = ['server_host', 'server_port', 'log_level', 'workers'];

it('finds the name that was meant', () => {
  for (const [typed, meant] of [
    ['server_prot', 'server_port'],
    ['serverport', 'server_port'],
    ['SERVER-PORT', 'server_port'],
    ['wrokers', 'workers'],
    ['worker', 'workers'],
    ['log_levle', 'log_level'],
  ] as const) {
    assert.equal(nearestName(typed, known), meant);
  }
});

it('says nothing where nothing is near', () => {
  for (const typed of ['', 'x', 'database', 'completely_different', 'y'.repeat(10_000)]) assert.equal(nearestName(typed, known), undefined);
});

it('a name is nearest to itself, and stays so with one character changed', () => {
  fc.assert(
    fc.property(fc.constantFrom(...known), fc.nat(), fc.constantFrom('q', '7'), (name, at, character) => {
      const changed = name.slice(0, at % name.length) + character + name.slice((at % name.length) + 1);
      return nearestName(name, known) === name && nearestName(changed, known) === name;
    }),
  );
});
