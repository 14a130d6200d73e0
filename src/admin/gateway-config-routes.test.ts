import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { countTurns } from '../control/count-turns-fixture.ts';
import { routeRow, upstreamRow } from '../store/row-fixtures.ts';
import { openApp, type AppFixture } from './admin-app-fixture.ts';

let fixture: AppFixture;
let reader: string;
let writer: string;

before(async () => {
  fixture = await openApp();
  reader = await fixture.token('read');
  writer = await fixture.token('write');
});
after(() => fixture[Symbol.asyncDispose]());

const declared = {
  upstreams: [{ name: 'api', base_url: 'http://10.0.0.1' }],
  routes: [{ name: 'r', path_pattern: '/', upstream: 'api' }],
  keys: [{ name: 'k' }],
};

test('a token that may read may export, and not apply, not even as a dry run', async () => {
  assert.equal((await fixture.call('GET', '/admin/export', { authorization: reader })).status, 200);
  for (const query of ['', '?dry_run=true']) {
    assert.equal((await fixture.call('POST', `/admin/apply${query}`, { authorization: reader, json: declared })).status, 403);
  }
  assert.equal((await fixture.call('GET', '/admin/export')).status, 401);
  assert.equal((await fixture.call('POST', '/admin/apply', { json: declared })).status, 401);
});

test('apply answers what it did with its revision, and export what holds then', async () => {
  const dry = await fixture.call('POST', '/admin/apply?dry_run=true', { authorization: writer, json: declared });
  assert.equal(dry.status, 200, dry.text);
  assert.equal(dry.headers.get('x-apigate-revision'), null);
  assert.deepEqual([dry.body.dry_run, dry.body.revision, dry.body.changes.length], [true, 0, 3]);
  const stale = await fixture.call('POST', '/admin/apply?expect_revision=7', { authorization: writer, json: declared });
  assert.equal(stale.status, 412);

  const real = await fixture.call('POST', '/admin/apply?expect_revision=0', { authorization: writer, json: declared });
  assert.equal(real.status, 200, real.text);
  assert.equal(real.headers.get('x-apigate-revision'), '1');
  assert.deepEqual(real.body.warnings, [{ field: 'routes.0', message: 'h\u00e9 \u201cwarned\u201d' }]);
  assert.match(real.body.created_keys[0].key, /^ak_/);

  const exported = await fixture.call('GET', '/admin/export', { authorization: reader });
  assert.equal(exported.headers.get('x-apigate-revision'), '1');
  assert.deepEqual(exported.body, { version: 1, ...declared });
  const pruned = await fixture.call('POST', '/admin/apply?prune=true', { authorization: writer, json: { keys: [] } });
  assert.deepEqual(pruned.body.changes, [{ action: 'delete', type: 'key', name: 'k', fields: {} }]);
});

test('an export says in a header which secrets it leaves out', async () => {
  const upstream = { name: 'sealed', base_url: 'http://10.0.0.2', auth_type: 'bearer', auth_value: 'hidden-away' };
  const made = await fixture.call('POST', '/admin/apply', { authorization: writer, json: { upstreams: [upstream] } });
  assert.equal(made.status, 200, made.text);
  const exported = await fixture.call('GET', '/admin/export', { authorization: reader });
  assert.match(exported.headers.get('x-apigate-warnings') ?? '', /sealed/);
  assert.doesNotMatch(exported.text + made.text, /hidden-away/);
});

test('query parameters and bodies are checked as everywhere, but a body may have 10 MiB', async () => {
  const wrong = await fixture.call('POST', '/admin/apply?dryrun=true&prune=yes', { authorization: writer, json: declared });
  assert.deepEqual(wrong.body.errors.map(({ field }: { field: string }) => field).toSorted(), ['dryrun', 'prune']);
  const headers = { 'content-type': 'application/json' };
  const twice = await fixture.call('POST', '/admin/apply', { authorization: writer, headers, body: '{"keys":[],"keys":[]}' });
  assert.equal(twice.status, 400);
  const padded = (size: number) => `{"keys":[]${' '.repeat(size - 11)}}`;
  const fits = await fixture.call('POST', '/admin/apply', { authorization: writer, headers, body: padded(10 * 1024 * 1024) });
  assert.equal(fits.status, 200, fits.text);
  const large = await fixture.call('POST', '/admin/apply', { authorization: writer, headers, body: padded(10 * 1024 * 1024 + 1) });
  assert.equal(large.status, 413);
  const elsewhere = await fixture.call('POST', '/admin/keys', { authorization: writer, headers, body: padded(1024 * 1024 + 1) });
  assert.equal(elsewhere.status, 413);
});

test('an export is YAML for whoever asks for that, and says where a stored secret is left out', async () => {
  const secret = 'a-stored-Canary-93';
  const upstream = { name: 'secretive', base_url: 'http://10.0.0.3', auth_type: 'bearer', auth_value: secret };
  assert.equal((await fixture.call('POST', '/admin/upstreams', { authorization: writer, json: upstream })).status, 201);
  const asYaml = await fixture.call('GET', '/admin/export', { authorization: reader, headers: { accept: 'application/yaml' } });
  assert.equal(asYaml.status, 200, asYaml.text);
  assert.equal(asYaml.headers.get('content-type'), 'application/yaml');
  assert.match(asYaml.text, /auth_type: bearer # auth_value is stored and not exported/);
  assert.ok(!asYaml.text.includes(secret));
  const asJson = await fixture.call('GET', '/admin/export', { authorization: reader });
  assert.deepEqual(parse(asYaml.text), asJson.body);
});

test('a large export lets others run, as YAML and as JSON, and both say the same', async () => {
  await fixture.access.access.store.write(async (tx) => {
    const revision = await tx.nextRevision();
    await tx.upstreams.put(upstreamRow(1, { revision }));
    for (let number = 0; number < 2_500; number += 1) await tx.routes.put(routeRow(number, { revision, upstream_id: upstreamRow(1).id }));
  });
  const json = await countTurns(() => fixture.call('GET', '/admin/export', { authorization: reader }));
  const headers = { accept: 'application/yaml' };
  const yaml = await countTurns(() => fixture.call('GET', '/admin/export', { authorization: reader, headers }));
  assert.equal(json.value.body.routes.length, 2_501);
  assert.equal(yaml.value.headers.get('content-type'), 'application/yaml');
  assert.equal(yaml.value.headers.get('x-apigate-revision'), json.value.headers.get('x-apigate-revision'));
  assert.deepEqual(parse(yaml.value.text), json.value.body);
  // It takes several times as long as the JSON.
  assert.ok(yaml.turns >= 8 && yaml.turns > json.turns, `${yaml.turns} turns for YAML, ${json.turns} for JSON`);
});
