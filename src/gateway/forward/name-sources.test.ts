import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { candidatesOf, parseHosts, parseSearchRules, WatchedFile } from './name-sources.ts';

test('a hosts file: comments, several names, several addresses, any case', () => {
  const hosts = parseHosts(
    '# head\n127.0.0.1\tlocalhost  Backend.Test # here\n::1 localhost\n\n10.0.0.5 db\n10.0.0.6 db db.test\nnonsense name\n10.0.0.7\n',
  );
  assert.deepEqual(hosts.get('localhost'), ['127.0.0.1', '::1']);
  assert.deepEqual(hosts.get('backend.test'), ['127.0.0.1']);
  assert.deepEqual(hosts.get('db'), ['10.0.0.5', '10.0.0.6']);
  assert.equal(hosts.has('name'), false);
  assert.equal(hosts.has('here'), false);
});

test('search rules as Kubernetes and Compose write them', () => {
  const kubernetes = 'search prod.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5 timeout:2\n';
  assert.deepEqual(parseSearchRules(kubernetes), { domains: ['prod.svc.cluster.local', 'svc.cluster.local', 'cluster.local'], ndots: 5 });
  assert.deepEqual(parseSearchRules('nameserver 127.0.0.11\noptions edns0 trust-ad ndots:0\n'), { domains: [], ndots: 0 });
  assert.deepEqual(parseSearchRules('domain First.Test.\n; search no\nsearch last.test . # x\n'), { domains: ['last.test'], ndots: 1 });
  assert.deepEqual(parseSearchRules(''), { domains: [], ndots: 1 });
  assert.equal(parseSearchRules('options ndots:99').ndots, 15);
});

test('which full names a name may stand for, in order', () => {
  const rules = { domains: ['a.test', 'b.test'], ndots: 2 };
  assert.deepEqual(candidatesOf('db', rules), ['db.a.test', 'db.b.test', 'db']);
  assert.deepEqual(candidatesOf('x.y.z', rules), ['x.y.z', 'x.y.z.a.test', 'x.y.z.b.test']);
  assert.deepEqual(candidatesOf('db.', rules), ['db']);
  assert.deepEqual(candidatesOf('db', { domains: [], ndots: 1 }), ['db']);
});

test('a file is read again when it has changed, at most once a second, and may be missing', () => {
  const directory = mkdtempSync(join(tmpdir(), 'apigate-names-'));
  const path = join(directory, 'hosts');
  let changes = 0;
  const file = new WatchedFile(path, parseHosts, () => changes++);
  assert.equal(file.get(0).size, 0);
  writeFileSync(path, '10.0.0.1 one\n');
  assert.equal(file.get(999).size, 0);
  assert.deepEqual(file.get(1000).get('one'), ['10.0.0.1']);
  assert.equal(changes, 1);
  writeFileSync(path, '10.0.0.2 one more\n');
  assert.deepEqual(file.get(2000).get('more'), ['10.0.0.2']);
  rmSync(directory, { recursive: true });
  assert.equal(file.get(3000).size, 0);
});
