import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPathProblem, isAmongStatuses, statusRangesProblem } from './health-check.ts';

test('statuses are lists of numbers and ranges; anything else is told what is wrong', () => {
  for (const good of ['200', '200-399', '200-299,401', '204,301-302,503']) assert.equal(statusRangesProblem(good), undefined, good);
  for (const bad of ['', '20', '2xx', '200-', '-200', '100-199', '600', '200 - 299', '200,', '200;204', ' 200', '200-299-300'])
    assert.match(statusRangesProblem(bad) ?? '', /^must be statuses from 200 to 599/, bad);
  assert.match(statusRangesProblem('200,399-200') ?? '', /a range that begins after its end: 399-200/);
  assert.match(statusRangesProblem('200,'.repeat(40)) ?? '', /at most 100/);
  assert.deepEqual(
    [199, 200, 250, 299, 300, 401, 402].filter((status) => isAmongStatuses('200-299,401', status)),
    [200, 250, 299, 401],
  );
});

test('a path is one that a request may have', () => {
  for (const good of ['/', '/healthz', '/a?deep=1']) assert.equal(checkPathProblem(good), undefined, good);
  for (const bad of ['', 'healthz', 'http://x/', '/a b', '/../x', '/a#b', '/a\r\nX: y', `/${'a'.repeat(2048)}`])
    assert.ok(checkPathProblem(bad), bad);
});
