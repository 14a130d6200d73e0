import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { AddressResolver, type ResolveFailure } from './resolve-address.ts';

/** What the name server says to a question such as `a.test A`: addresses with a TTL, an error, or nothing at all. */
type Reply = { readonly ttl: number; readonly addresses: readonly string[] } | 'NXDOMAIN' | 'SERVFAIL' | 'silence';

const server = dgram.createSocket('udp4');
const replies = new Map<string, Reply>();
const asked: string[] = [];
let address = '';
let directory = '';
let now = 0;

server.on('message', (query, from) => {
  const labels: string[] = [];
  let at = 12;
  while (query[at]! > 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!));
    at += 1 + query[at]!;
  }
  const type = query.readUInt16BE(at + 1) === 1 ? 'A' : 'AAAA';
  const question = `${labels.join('.').toLowerCase()} ${type}`;
  asked.push(question);
  const other = question.endsWith(' A') ? `${question}AAA` : question.slice(0, -3);
  const reply = replies.get(question) ?? (replies.has(other) ? { ttl: 60, addresses: [] } : 'NXDOMAIN');
  if (reply === 'silence') return;
  const records = typeof reply === 'string' ? [] : reply.addresses.map((each) => record(type, each, (reply as { ttl: number }).ttl));
  const head = Buffer.from(query.subarray(0, at + 5));
  head.writeUInt16BE(0x8180 | (reply === 'NXDOMAIN' ? 3 : reply === 'SERVFAIL' ? 2 : 0), 2);
  head.writeUInt16BE(records.length, 6);
  head.writeUInt16BE(0, 10);
  server.send(Buffer.concat([head, ...records]), from.port, from.address);
});

function record(type: string, text: string, ttl: number): Buffer {
  const data =
    type === 'A'
      ? Buffer.from(text.split('.').map(Number))
      : Buffer.concat([Buffer.from('20010db8', 'hex'), Buffer.alloc(11), Buffer.from([Number(text.split('::')[1])])]);
  const head = Buffer.from('c00c000100010000000000', 'hex');
  head.writeUInt16BE(type === 'A' ? 1 : 28, 2);
  head.writeUInt32BE(ttl, 6);
  const fixed = Buffer.alloc(12);
  head.copy(fixed, 0, 0, 10);
  fixed.writeUInt16BE(data.length, 10);
  return Buffer.concat([fixed, data]);
}

function resolver(options: { hosts?: string; resolvConf?: string; timeoutMs?: number } = {}): AddressResolver {
  const [hostsPath, resolvConfPath] = [join(directory, 'hosts'), join(directory, 'resolv.conf')];
  writeFileSync(hostsPath, options.hosts ?? '');
  writeFileSync(resolvConfPath, options.resolvConf ?? '');
  return new AddressResolver({ servers: [address], hostsPath, resolvConfPath, now: () => now, timeoutMs: options.timeoutMs ?? 4000 });
}

function ask(from: AddressResolver, host: string): Promise<{ failure: ResolveFailure | null; addresses: readonly string[] }> {
  return new Promise((resolve) => from.resolve(host, (failure, addresses) => resolve({ failure, addresses })));
}

/** The answer, if it came before resolve returned. */
function atOnce(from: AddressResolver, host: string): readonly string[] | ResolveFailure | undefined {
  let answer: readonly string[] | ResolveFailure | undefined;
  from.resolve(host, (failure, addresses) => (answer = failure ?? addresses));
  return answer;
}

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'apigate-dns-'));
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  address = `127.0.0.1:${server.address().port}`;
});

beforeEach(() => {
  replies.clear();
  asked.length = 0;
  now = 1000;
});

after(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

test('addresses, localhost and the hosts file are answered at once and ask nobody', () => {
  const names = resolver({ hosts: '10.1.1.1 backend\n10.1.1.2 backend\n' });
  assert.deepEqual(atOnce(names, '192.0.2.7'), ['192.0.2.7']);
  assert.deepEqual(atOnce(names, '2001:db8::7'), ['2001:db8::7']);
  assert.equal(atOnce(names, 'localhost')?.[0], '127.0.0.1');
  assert.equal(atOnce(names, 'api.localhost.')?.[0], '127.0.0.1');
  assert.deepEqual(atOnce(names, 'backend'), ['10.1.1.1', '10.1.1.2']);
  assert.deepEqual(atOnce(names, 'backend.'), ['10.1.1.1', '10.1.1.2']);
  assert.deepEqual(asked, []);
});

test('both families are asked and alternate, IPv4 first; callers take turns at being first', async () => {
  replies.set('a.test A', { ttl: 10, addresses: ['10.0.0.1', '10.0.0.2'] });
  replies.set('a.test AAAA', { ttl: 10, addresses: ['2001:db8::9'] });
  const names = resolver();
  assert.deepEqual(await ask(names, 'a.test'), { failure: null, addresses: ['10.0.0.1', '2001:db8::9', '10.0.0.2'] });
  assert.deepEqual(atOnce(names, 'a.test'), ['10.0.0.2', '2001:db8::9', '10.0.0.1']);
  assert.deepEqual(asked.toSorted(), ['a.test A', 'a.test AAAA']);
});

test('callers at the same time share one question', async () => {
  replies.set('a.test A', { ttl: 10, addresses: ['10.0.0.1'] });
  const names = resolver();
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask(names, 'a.test')));
  assert.ok(answers.every(({ addresses }) => addresses[0] === '10.0.0.1'));
  assert.equal(asked.length, 2);
});

test('an answer is kept for its TTL; then the old one still serves while it is renewed, but never past 30 s', async () => {
  replies.set('a.test A', { ttl: 5, addresses: ['10.0.0.1'] });
  const names = resolver();
  await ask(names, 'a.test');
  replies.set('a.test A', { ttl: 5, addresses: ['10.0.0.2'] });
  now += 4999;
  assert.deepEqual(atOnce(names, 'a.test'), ['10.0.0.1']);
  assert.equal(asked.length, 2);
  now += 1;
  assert.deepEqual(atOnce(names, 'a.test'), ['10.0.0.1']);
  await until(() => atOnce(names, 'a.test')?.[0] === '10.0.0.2');
  assert.equal(asked.length, 4);
  replies.set('a.test A', { ttl: 5, addresses: ['10.0.0.3'] });
  now += 30_000;
  assert.equal(atOnce(names, 'a.test'), undefined);
  await until(() => atOnce(names, 'a.test')?.[0] === '10.0.0.3');
});

test('a TTL of a day counts as less than 30 s, one of nothing as a second', async () => {
  replies.set('day.test A', { ttl: 86_400, addresses: ['10.0.0.1'] });
  replies.set('none.test A', { ttl: 0, addresses: ['10.0.0.1'] });
  const names = resolver();
  await Promise.all([ask(names, 'day.test'), ask(names, 'none.test')]);
  now += 999;
  atOnce(names, 'none.test');
  now += 23_000;
  atOnce(names, 'day.test');
  assert.equal(asked.length, 4);
  now += 2000;
  await until(() => (atOnce(names, 'day.test'), asked.length === 6));
});

test('a name that does not exist fails within the time of a question, and for no more than 5 s', async () => {
  const names = resolver();
  const start = performance.now();
  assert.deepEqual(await ask(names, 'no.test'), { failure: 'dns_not_found', addresses: [] });
  assert.ok(performance.now() - start < 3_500, 'it waited for a timeout');
  now += 4999;
  assert.equal(atOnce(names, 'no.test'), 'dns_not_found');
  replies.set('no.test A', { ttl: 5, addresses: ['10.0.0.1'] });
  now += 1;
  assert.deepEqual(await ask(names, 'no.test'), { failure: null, addresses: ['10.0.0.1'] });
});

test('servers that answer with an error are a failure, soon', async () => {
  replies.set('bad.test A', 'SERVFAIL');
  replies.set('bad.test AAAA', 'SERVFAIL');
  const start = performance.now();
  assert.deepEqual(await ask(resolver(), 'bad.test'), { failure: 'dns_failure', addresses: [] });
  assert.ok(performance.now() - start < 3_500, 'it waited for a timeout');
});

test('a silent server is a timeout, and other names are not held up', async () => {
  replies.set('hang.test A', 'silence');
  replies.set('hang.test AAAA', 'silence');
  replies.set('a.test A', { ttl: 5, addresses: ['10.0.0.1'] });
  const names = resolver({ timeoutMs: 1_000 });
  const start = performance.now();
  const seen = { hanging: false };
  const hanging = ask(names, 'hang.test').finally(() => (seen.hanging = true));
  assert.equal((await ask(names, 'a.test')).failure, null);
  assert.equal(seen.hanging, false, 'the other name was held up');
  assert.deepEqual(await hanging, { failure: 'dns_timeout', addresses: [] });
  assert.ok(performance.now() - start >= 990);
});

test('one family that is broken does not hold up the other', async () => {
  for (const broken of ['silence', 'SERVFAIL', 'NXDOMAIN'] as const) {
    replies.set(`${broken}.test A`.toLowerCase().replace(' a', ' A'), { ttl: 5, addresses: ['10.0.0.1'] });
    replies.set(`${broken.toLowerCase()}.test AAAA`, broken);
    const start = performance.now();
    assert.deepEqual(await ask(resolver(), `${broken.toLowerCase()}.test`), { failure: null, addresses: ['10.0.0.1'] });
    assert.ok(performance.now() - start < 3_500, broken);
  }
});

test('single-label names are completed by the search domains, as in Kubernetes', async () => {
  replies.set('db.prod.svc.cluster.local A', { ttl: 5, addresses: ['10.96.0.5'] });
  replies.set('api.example.com A', { ttl: 5, addresses: ['10.0.0.9'] });
  const names = resolver({ resolvConf: 'search prod.svc.cluster.local svc.cluster.local\noptions ndots:5\n' });
  assert.deepEqual((await ask(names, 'db')).addresses, ['10.96.0.5']);
  assert.deepEqual([...new Set(asked.map((question) => question.split(' ')[0]))], ['db.prod.svc.cluster.local']);
  asked.length = 0;
  assert.deepEqual((await ask(names, 'api.example.com')).addresses, ['10.0.0.9']);
  assert.deepEqual(
    [...new Set(asked.map((question) => question.split(' ')[0]))],
    ['api.example.com.prod.svc.cluster.local', 'api.example.com.svc.cluster.local', 'api.example.com'],
  );
  assert.equal((await ask(names, 'nobody')).failure, 'dns_not_found');
});

test('single-label names without search domains are asked as they are, as in Compose', async () => {
  replies.set('backend A', { ttl: 5, addresses: ['172.18.0.3'] });
  replies.set('my_service A', { ttl: 5, addresses: ['172.18.0.4'] });
  const names = resolver({ resolvConf: 'options ndots:0\n' });
  assert.deepEqual((await ask(names, 'backend')).addresses, ['172.18.0.3']);
  assert.deepEqual((await ask(names, 'my_service')).addresses, ['172.18.0.4']);
});

test('while the servers fail, the last good answer serves on for minutes, then no longer', async () => {
  replies.set('a.test A', { ttl: 5, addresses: ['10.0.0.1'] });
  const names = resolver();
  await ask(names, 'a.test');
  replies.set('a.test A', 'SERVFAIL');
  replies.set('a.test AAAA', 'SERVFAIL');
  now += 60_000;
  assert.deepEqual((await ask(names, 'a.test')).addresses, ['10.0.0.1']);
  now += 60_000;
  assert.deepEqual(atOnce(names, 'a.test'), ['10.0.0.1']);
  now += 300_000;
  assert.equal((await ask(names, 'a.test')).failure, 'dns_failure');
});

test('a name that ceased to exist does not serve on', async () => {
  replies.set('a.test A', { ttl: 5, addresses: ['10.0.0.1'] });
  const names = resolver();
  await ask(names, 'a.test');
  replies.clear();
  now += 30_000;
  assert.equal((await ask(names, 'a.test')).failure, 'dns_not_found');
});

test('a bad server address is refused at once', () => {
  assert.throws(() => new AddressResolver({ servers: ['nonsense'] }), /address/i);
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 3000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
