import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { useGateway } from '../support/harness.ts';
import { fetchRaw } from '../support/raw-client.ts';
import { answerOk, type ScriptedUpstream } from '../support/scripted-upstream.ts';

/* What is matched is a view of the target: unreserved characters decoded, repeated slashes merged. Or a route could be slipped past. */

let guarded: ScriptedUpstream;
const harness = useGateway({
  admin: true,
  prepare: async (prepared) => {
    guarded = await prepared.scripted(answerOk);
    await prepared.gateway.admin.expose({ name: 'guarded', base_url: guarded.url }, { path_pattern: '/private', auth_required: true });
    await prepared.gateway.admin.expose(
      { name: 'guarded-exact', base_url: guarded.url },
      { path_pattern: '/exact/secret', match_type: 'exact', auth_required: true },
    );
  },
});

describe('a guarded route is not slipped past', () => {
  for (const target of [
    '/private',
    '/private/',
    '/private/x',
    '/%70rivate',
    '/pr%69vate/x',
    '//private',
    '///private/x',
    '//%70rivate',
    '/private?x',
    '/private//x',
    '/private;x',
    '/exact/secret',
    '/exact//secret',
    '//exact/secret',
    '/exact/%73ecret',
    '/exact/secret?',
  ]) {
    test(`${target} needs a key and goes nowhere`, async () => {
      const response = await fetchRaw(harness.port, 'GET', { target });
      // A path parameter makes another segment than the pattern's: then it is another route's request, never this one's.
      if (target === '/private;x' && response.status === 200) return assert.equal(harness.upstream.requests.at(-1)!.target, target);
      assert.equal(response.status, 401, response.body.toString());
      assert.equal(response.json()['code'], 'missing_api_key');
      assert.equal(guarded.requests.length, 0);
    });
  }
  for (const target of [
    '/private2',
    '/%50rivate',
    '/privatex/y',
    '/Private',
    '/exact/secret2',
    '/x/private',
    '/exact/secret/x',
    '/exact/secret/',
  ]) {
    test(`${target} is another path`, async () => {
      assert.equal((await fetchRaw(harness.port, 'GET', { target })).status, 200);
      assert.equal(harness.upstream.requests.at(-1)!.target, target);
    });
  }
});

describe('M11 reserved paths', () => {
  for (const target of [
    '/admin',
    '/admin/',
    '/admin/upstreams',
    '//admin/upstreams',
    '/%61dmin/upstreams',
    '/a%64min',
    '/admin//upstreams',
    '/admin?x',
    '/ui',
    '/ui/x',
    '/%75i/',
    '/metrics',
    '//metrics',
    '/version',
    '/healthz',
    '/readyz',
    '/%68ealthz',
    '//readyz',
  ]) {
    test(`M11 ${target} never reaches an upstream`, async () => {
      const upstreamRequests = harness.upstream.requests.length;
      const response = await fetchRaw(harness.port, 'GET', { target });
      assert.equal(harness.upstream.requests.length, upstreamRequests, `${response.status}`);
    });
  }
  for (const target of [
    '/administrator',
    '/admin.txt',
    '/Admin',
    '/uix',
    '/metricsx',
    '/versions',
    '/healthzz',
    '/x/admin',
    '/admin%2fupstreams',
    '/admin;x',
  ]) {
    test(`M11 ${target} is nobody's reserved path, or at least never the admin API's`, async () => {
      const upstreamRequests = harness.upstream.requests.length;
      const response = await fetchRaw(harness.port, 'GET', { target });
      const reachedUpstream = harness.upstream.requests.length > upstreamRequests;
      if (/%2f|;/.test(target)) return assert.ok(reachedUpstream || response.status >= 400);
      assert.ok(reachedUpstream, `${response.status}`);
    });
  }
  for (const header of ['X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Prefix', 'X-HTTP-Method-Override']) {
    test(`M11 ${header} does not change what is matched`, async () => {
      const response = await fetchRaw(harness.port, 'GET', { target: '/public', fields: [[header, '/admin/upstreams']] });
      assert.equal(response.status, 200);
      assert.equal(harness.upstream.requests.at(-1)!.target, '/public');
    });
  }
});
