import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorCatalogue, type ErrorCode } from '../errors/catalogue.ts';
import { problemOfCode, stepCommands, stepInTerminal, testAnotherPath, upstreamProblems } from './upstream-problems.ts';

test('every error by the fault of an upstream has a cause, without what to do, and steps that say what to do', () => {
  const codes = (Object.keys(errorCatalogue) as ErrorCode[]).filter((code) => code.startsWith('upstream_'));
  for (const code of codes.filter((each) => each !== 'upstream_disabled' && each !== 'upstream_overloaded')) {
    const { title, cause, next } = problemOfCode(code);
    assert.match(cause, /^(?:The|No) [^:]+\.$/, code);
    assert.ok(title.length <= 50 && next.length >= 1, code);
    const behind = Object.values(upstreamProblems).filter((problem) => problem.code === code);
    for (const problem of behind) for (const step of problem.next) assert.ok(next.includes(step), `${code}: ${step}`);
    assert.equal(next.at(-1)!.startsWith('Ask what it is'), behind.length > 1, `${code}: ${next.at(-1)}`);
    assert.equal(new Set(next).size, next.length, code);
  }
});

test('where several problems can be behind a code, the likeliest comes first', () => {
  assert.equal(problemOfCode('upstream_connect_timeout').next[0], upstreamProblems.connect_timeout.next[0]);
  assert.equal(problemOfCode('upstream_dns_failure').next[0], upstreamProblems.name_not_found.next[0]);
  assert.equal(problemOfCode('upstream_connection_refused').title, 'Connection refused');
});

test('steps name fields, and no flag of a command; a terminal gets the command that does the step', () => {
  const codes = (Object.keys(errorCatalogue) as ErrorCode[]).filter((code) => code.startsWith('upstream_'));
  const problems = [...Object.values(upstreamProblems), ...codes.map(problemOfCode)];
  const steps = [...problems.flatMap(({ next }): readonly string[] => next), testAnotherPath];
  for (const step of steps) assert.doesNotMatch(step, /--|apigate /);
  for (const step of Object.keys(stepCommands)) assert.ok(steps.includes(step), step);
  assert.equal(
    stepInTerminal('If it may take longer, raise timeout_ms.'),
    'If it may take longer, raise timeout_ms: apigate upstreams update NAME --timeout 60000',
  );
  assert.equal(stepInTerminal('Look at the backend: is it slow, or stuck?'), 'Look at the backend: is it slow, or stuck?');
});
