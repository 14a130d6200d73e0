// Over 300 lines: what export and apply promise together, one promise after the other.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { ApplyResult, PlannedChange } from '../model/declared-config.ts';
import { createApiKey, getApiKey, revokeApiKey } from './api-keys.ts';
import { applyGatewayConfig, type ApplyOptions } from './apply-gateway-config.ts';
import { ann, contentOf, type ControlFixture, errorOf, fieldErrorsOf, openControl } from './control-fixture.ts';
import { exportGatewayConfig } from './export-gateway-config.ts';
import { createRoute, deleteRoute, getRoute, updateRoute } from './routes.ts';
import { syncManaged } from './sync-managed.ts';
import { createUpstream, getUpstream, updateUpstream } from './upstreams.ts';

let control: ControlFixture;

beforeEach(async () => {
  control = await openControl();
});

afterEach(() => control.close());

async function apply(input: unknown, options: ApplyOptions = {}): Promise<ApplyResult> {
  return (await applyGatewayConfig(control.context, ann, input, options)).value;
}

/** `create route r`, … */
function told(changes: readonly PlannedChange[]): string[] {
  return changes.map(({ action, type, name }) => `${action} ${type} ${name}`);
}

const api = { name: 'api', base_url: 'https://api.example.com' };
const whole = {
  version: 1,
  upstreams: [
    { ...api, timeout_ms: 5000, auth_type: 'bearer', auth_value: '${env.API_TOKEN}' },
    { name: 'plain', base_url: 'http://10.0.0.1:3000/base', description: 'over two\nlines', enabled: false, max_conns: 7 },
  ],
  routes: [
    { name: 'a', path_pattern: '/a', upstream: 'api', methods: ['GET'], headers: { 'X-Version': '2' }, priority: -3 },
    { name: 'b', path_pattern: '^/b', upstream: 'plain', match_type: 'regex', host_pattern: '*.example.com', auth_required: false },
    {
      name: 'c',
      path_pattern: '/c',
      upstream: 'api',
      host_pattern: 'x',
      host_match_type: 'regex',
      headers: [
        { name: 'X', value: '^1', is_regex: true },
        { name: 'Y', value: '2', required: false },
      ],
    },
  ],
  keys: [{ name: 'all' }, { name: 'one', routes: ['a'], rate_limit_per_minute: 60, expires_at: '2031-01-01T00:00:00.000Z' }],
};

describe('apply', () => {
  test('makes everything in one revision, with one publish and an audit row for each object', async () => {
    control.environment['API_TOKEN'] = 'secret-token';
    const result = await apply(whole);
    assert.deepEqual(told(result.changes), [
      'create upstream api',
      'create upstream plain',
      'create route a',
      'create route b',
      'create route c',
      'create key all',
      'create key one',
    ]);
    assert.equal(result.revision, 1);
    assert.deepEqual(result.warnings, []);
    assert.equal(control.workers.changes.length, 1);
    assert.equal(control.workers.revision, 1);
    assert.deepEqual(control.workers.upstreamNamed('api').credential, { kind: 'value', value: 'secret-token' });
    assert.equal(control.workers.routeNamed('b').upstream_id, control.workers.upstreamNamed('plain').id);
    const audit = (await control.audit()).toReversed();
    assert.deepEqual(
      audit.map(({ action, resource_name, revision, actor_label }) => `${action} ${resource_name} ${revision} ${actor_label}`),
      result.changes.map(({ action, type, name }) => `${type}.${action} ${name} 1 ann@example.com`),
    );
    const key = await getApiKey(control.context, 'one');
    assert.deepEqual(key.routes, [(await getRoute(control.context, 'a')).id]);
  });

  test('new keys are answered once, and are the ones that are served; later applies make none', async () => {
    const result = await apply(whole);
    assert.deepEqual(
      result.created_keys.map(({ name }) => name),
      ['all', 'one'],
    );
    for (const { name, key } of result.created_keys) {
      assert.match(key, /^ak_[0-9a-f]{64}$/);
      assert.equal((await getApiKey(control.context, name)).prefix, key.slice(0, 12));
    }
    const again = await apply({ keys: [{ name: 'one', rate_limit_per_minute: 5 }] });
    assert.deepEqual(again.created_keys, []);
    assert.deepEqual(told(again.changes), ['update key one']);
  });

  test('what is so already makes no revision, no audit row and no publish, a literal secret included', async () => {
    const input = { ...whole, upstreams: [{ ...api, auth_type: 'bearer', auth_value_encrypted: 'literal' }, whole.upstreams[1]] };
    await apply(input);
    const before = await contentOf(control.store);
    control.clock.now += 60_000;
    const again = await apply(input);
    assert.deepEqual([again.changes, again.unchanged, again.revision], [[], 7, 1]);
    assert.equal(await contentOf(control.store), before);
    assert.equal((await control.audit()).length, 7);
    assert.equal(control.workers.changes.length, 1);
  });

  test('a field that is left out goes back to its default; a stored auth_value is kept', async () => {
    await createUpstream(control.context, ann, { ...api, auth_type: 'bearer', auth_value: 'kept', timeout_ms: 1, description: 'x' });
    const result = await apply({ upstreams: [{ ...api, auth_type: 'bearer' }] });
    assert.deepEqual(result.changes, [
      {
        action: 'update',
        type: 'upstream',
        name: 'api',
        fields: { description: { from: 'x', to: '' }, timeout_ms: { from: 1, to: 30_000 } },
      },
    ]);
    assert.deepEqual(control.workers.upstreamNamed('api').credential, { kind: 'value', value: 'kept' });
  });

  test('a kept auth_value is never sent elsewhere: another origin or type asks for it again', async () => {
    await createUpstream(control.context, ann, { ...api, auth_type: 'bearer', auth_value: 'kept' });
    const before = await contentOf(control.store);
    for (const changed of [
      { name: 'api', base_url: 'https://evil.example.com', auth_type: 'bearer' },
      { ...api, auth_type: 'basic' },
    ]) {
      assert.match((await fieldErrorsOf(apply({ upstreams: [changed] })))['upstreams.0.auth_value'] ?? '', /must be given again/);
    }
    assert.equal(await contentOf(control.store), before);
  });

  test('swapped contents of two objects of one input are applied together', async () => {
    const one = { name: 'one', base_url: 'http://10.0.0.1' };
    const two = { name: 'two', base_url: 'http://10.0.0.2' };
    const routes = [
      { name: 'r1', path_pattern: '/1', upstream: 'one' },
      { name: 'r2', path_pattern: '/2', upstream: 'two' },
    ];
    await apply({ upstreams: [one, two], routes });
    await apply({
      upstreams: [
        { ...two, name: 'one' },
        { ...one, name: 'two' },
      ],
      routes: [
        { ...routes[0], path_pattern: '/2' },
        { ...routes[1], path_pattern: '/1' },
      ],
    });
    assert.equal(control.workers.upstreamNamed('one').base_url, 'http://10.0.0.2');
    assert.equal(control.workers.routeNamed('r2').path_pattern, '/1');
    assert.equal(control.workers.revision, 2);
  });

  test('every error of every object is told at once, and nothing is stored', async () => {
    await apply({ upstreams: [api], routes: [{ name: 'r', path_pattern: '/', upstream: 'api' }] });
    const before = await contentOf(control.store);
    const errors = await fieldErrorsOf(
      apply({
        versoin: 1,
        upstreams: [
          { name: 'one', base_url: 'ftp://x', timeout: 5 },
          { name: 123, base_url: 'http://10.0.0.1' },
          { ...api, auth_type: 'bearer' },
          { ...api, name: 'both', auth_type: 'bearer', auth_value: 'a', auth_value_encrypted: 'b' },
          { ...api, name: 'twice' },
          { ...api, name: 'twice' },
          'text',
        ],
        routes: [
          { name: 'r', path_pattern: '/', upstream: 'nowhere' },
          { name: 's', path_pattern: 'x', upstream_id: 'api', id: 'rt_0123456789abcdef' },
          { name: 't', path_pattern: '/t' },
          { name: 'u', path_pattern: '/u', upstream: 'api', headers: [{ name: 'a b', value: '' }] },
        ],
        keys: [
          { name: 'k', routes: ['r', 'no such'] },
          { name: 'l', expires_at: 'tomorrow' },
        ],
      }),
    );
    assert.deepEqual(Object.keys(errors).toSorted(), [
      'keys.0.routes.1',
      'keys.1.expires_at',
      'routes.0.upstream',
      'routes.1.id',
      'routes.1.path_pattern',
      'routes.2.upstream',
      'routes.3.headers.0.name',
      'upstreams.0.base_url',
      'upstreams.0.timeout',
      'upstreams.1.name',
      'upstreams.2.auth_value',
      'upstreams.3.auth_value_encrypted',
      'upstreams.4.name',
      'upstreams.5.name',
      'upstreams.6',
      'versoin',
    ]);
    assert.match(errors['versoin'] ?? '', /did you mean version/);
    assert.match(errors['upstreams.0.timeout'] ?? '', /did you mean timeout_ms/);
    assert.equal(errors['upstreams.1.name'], 'must be a string, not a number');
    assert.equal(errors['upstreams.4.name'], 'is the name of 2 upstreams here');
    assert.match(errors['routes.1.id'] ?? '', /leave it out/);
    assert.equal(await contentOf(control.store), before);
    assert.equal((await control.audit()).length, 2);
  });

  test('input that is no declared gateway config is refused for what it is', async () => {
    assert.deepEqual(await fieldErrorsOf(apply([])), { '': 'must be a JSON object, not a list' });
    assert.deepEqual(await fieldErrorsOf(apply({ version: 2 })), { version: 'must be 1' });
    assert.deepEqual(await fieldErrorsOf(apply({ routes: null })), { routes: 'must be a list, not null' });
    const polluted: unknown = JSON.parse(
      '{"__proto__": {}, "upstreams": [{"name": "x", "base_url": "http://10.0.0.1", "__proto__": {"enabled": false}}]}',
    );
    assert.deepEqual(Object.keys(await fieldErrorsOf(apply(polluted))).toSorted(), ['__proto__', 'upstreams.0.__proto__']);
  });

  test('thousands of wrong objects are answered with a thousand errors', async () => {
    const error = await errorOf(apply({ routes: Array.from({ length: 5_000 }, () => ({})) }), 'validation_failed');
    assert.equal(error.errors.length, 1_001);
    assert.match(error.errors.at(-1)?.message ?? '', /more errors/);
  });

  test('changed routes are tried against all routes as they would be, and what the compiler finds is told at their place', async () => {
    await apply({ upstreams: [api], routes: [{ name: 'old', path_pattern: '/old', upstream: 'api' }] });
    control.trial.seen.length = 0;
    control.trial.warnings = ['surprising'];
    const input = {
      routes: [
        { name: 'old', path_pattern: '/old', upstream: 'api' },
        { name: 'new', path_pattern: '/new', upstream: 'api' },
      ],
    };
    const result = await apply(input);
    assert.deepEqual(result.warnings, [{ field: 'routes.1', message: 'surprising' }]);
    assert.deepEqual(
      control.trial.seen.map((all) => all.map(({ name }) => name)),
      [['old', 'new']],
    );
    control.trial.errors = [{ field: 'path_pattern', message: 'does not compile' }];
    assert.deepEqual(await fieldErrorsOf(apply({ routes: [{ name: 'third', path_pattern: '/3', upstream: 'api' }] })), {
      'routes.0.path_pattern': 'does not compile',
    });
  });

  test('a reference that leads nowhere is told, and stored', async () => {
    const result = await apply({ upstreams: [{ ...api, auth_type: 'bearer', auth_value: '${env.NOT_THERE}' }] });
    assert.match(
      result.warnings.map(({ field, message }) => `${field} ${message}`).join(),
      /^upstreams\.0 requests to this upstream answer 503/,
    );
  });
});

describe('a dry run', () => {
  test('answers what apply would do, field by field, without a secret, and changes nothing', async () => {
    await apply({
      upstreams: [{ ...api, auth_type: 'bearer', auth_value: 'old-secret' }],
      routes: [{ name: 'r', path_pattern: '/', upstream: 'api' }],
    });
    const before = await contentOf(control.store);
    const input = {
      upstreams: [
        { ...api, auth_type: 'bearer', auth_value: 'new-secret' },
        { ...api, name: 'other', auth_type: 'basic', auth_value: 'user:new-secret' },
      ],
      routes: [{ name: 'r', path_pattern: '/', upstream: 'other', priority: 9 }],
      keys: [{ name: 'k' }],
    };
    const dry = await apply(input, { dryRun: true });
    assert.equal(await contentOf(control.store), before);
    assert.deepEqual(dry, {
      dry_run: true,
      revision: 1,
      changes: [
        { action: 'update', type: 'upstream', name: 'api', fields: { auth_value: { from: '(stored)', to: '(changed)' } } },
        {
          action: 'create',
          type: 'upstream',
          name: 'other',
          fields: { base_url: { to: 'https://api.example.com' }, auth_type: { to: 'basic' }, auth_value: { to: '(stored)' } },
        },
        { action: 'update', type: 'route', name: 'r', fields: { upstream: { from: 'api', to: 'other' }, priority: { from: 0, to: 9 } } },
        { action: 'create', type: 'key', name: 'k', fields: {} },
      ],
      unchanged: 0,
      warnings: [],
      created_keys: [],
      traffic: null,
      traffic_note: null,
    });
    const real = await apply(input, { expectRevision: dry.revision });
    assert.deepEqual(real.changes, dry.changes);
    assert.equal(real.created_keys.length, 1);
    assert.doesNotMatch(JSON.stringify([dry, await control.audit()]), /new-secret|old-secret/);
  });

  test('tells a credential that was cleared, referred to or stored before from one another', async () => {
    await createUpstream(control.context, ann, { ...api, auth_type: 'bearer', auth_value: '${env.A}' });
    const input = { upstreams: [{ ...api, auth_type: 'bearer', auth_value: 'sealed-one' }] };
    const toldOf = async (): Promise<unknown> => (await apply(input, { dryRun: true })).changes[0]?.fields;
    assert.deepEqual(await toldOf(), { auth_value: { from: '${env.A}', to: '(stored)' } });
    await updateUpstream(control.context, ann, 'api', { auth_value: null });
    assert.deepEqual(await toldOf(), { auth_value: { from: null, to: '(stored)' } });
    await updateUpstream(control.context, ann, 'api', { auth_value: 'another' });
    assert.deepEqual(await toldOf(), { auth_value: { from: '(stored)', to: '(changed)' } });
  });

  test('the revision that it answers can be asked for: after another change it is 412', async () => {
    const { revision } = await apply({ upstreams: [api] }, { dryRun: true });
    await createUpstream(control.context, ann, { ...api, name: 'meanwhile' });
    await errorOf(apply({ upstreams: [api] }, { expectRevision: revision }), 'precondition_failed');
    assert.equal(control.workers.revision, 1);
  });

  test('finds the same errors as apply', async () => {
    assert.deepEqual(await fieldErrorsOf(apply({ routes: [{ name: 'r', path_pattern: '/', upstream: 'x' }] }, { dryRun: true })), {
      'routes.0.upstream': 'is neither the id nor the name of an upstream',
    });
  });
});

describe('prune', () => {
  beforeEach(async () => {
    await apply(whole);
  });

  test('removes what the lists do not name, and leaves kinds alone that have no list', async () => {
    const result = await apply({ routes: [whole.routes[0]] }, { prune: true });
    assert.deepEqual(told(result.changes), ['delete route b', 'delete route c']);
    const all = await apply({ upstreams: [whole.upstreams[0]], routes: [whole.routes[0]], keys: [] }, { prune: true });
    assert.deepEqual(told(all.changes), ['delete key all', 'delete key one', 'delete upstream plain']);
    assert.equal(all.revision, 3);
    assert.deepEqual([control.workers.upstreams.size, control.workers.routes.size, control.workers.keys.size], [1, 1, 0]);
    assert.deepEqual((await control.audit()).filter(({ action }) => action.endsWith('.delete')).length, 5);
  });

  test('is refused with the routes that use an upstream it would remove, all at once', async () => {
    const before = await contentOf(control.store);
    const error = await errorOf(apply({ upstreams: [] }, { prune: true }), 'conflict');
    assert.match(error.message, /"api" is used by 2 routes: "a", "c".*"plain" is used by the route "b".*declare the routes too/);
    assert.equal(error.errors.length, 3);
    assert.equal(await contentOf(control.store), before);
  });

  test('is refused where a declared object needs one that it would remove', async () => {
    const errors = await fieldErrorsOf(
      apply(
        { upstreams: [whole.upstreams[0]], routes: [{ ...whole.routes[0], upstream: 'plain' }], keys: [{ name: 'one', routes: ['b'] }] },
        { prune: true },
      ),
    );
    assert.match(errors['routes.0.upstream'] ?? '', /prune removes/);
    assert.match(errors['keys.0.routes.0'] ?? '', /prune removes/);
  });

  test('leaves revoked keys and managed objects alone', async () => {
    await syncManaged(control.context, { url: 'http://10.0.0.9', public: true });
    await revokeApiKey(control.context, ann, 'one');
    const result = await apply({ upstreams: [], routes: [], keys: [] }, { prune: true });
    assert.deepEqual(
      told(result.changes).filter((line) => /default|one/.test(line)),
      [],
    );
    assert.deepEqual(
      [...control.workers.routes.values()].map(({ name }) => name),
      ['default'],
    );
    assert.deepEqual(
      [...control.workers.keys.values()].map(({ name, revoked }) => [name, revoked]),
      [['one', true]],
    );
    const errors = await fieldErrorsOf(apply({ upstreams: [{ name: 'default', base_url: 'http://10.0.0.1' }] }));
    assert.match(errors['upstreams.0.name'] ?? '', /managed/);
  });
});

describe('export', () => {
  test('applied to a fresh database it is the same again; applied where it came from it changes nothing', async () => {
    await apply(whole);
    const exported = await exportGatewayConfig(control.context);
    assert.deepEqual(exported.value, {
      ...whole,
      routes: [
        whole.routes[0],
        whole.routes[1],
        {
          ...whole.routes[2],
          headers: [
            { name: 'X', value: '^1', is_regex: true },
            { name: 'Y', value: '2', required: false },
          ],
        },
      ],
    });
    assert.deepEqual((await apply(exported.value, { prune: true })).changes, []);
    const fresh = await openControl();
    try {
      await applyGatewayConfig(fresh.context, ann, exported.value);
      assert.equal(JSON.stringify((await exportGatewayConfig(fresh.context)).value), JSON.stringify(exported.value));
    } finally {
      await fresh.close();
    }
  });

  test('holds no stored secret: on the same database it is kept, on another it is asked for', async () => {
    await apply({ upstreams: [{ ...api, auth_type: 'bearer', auth_value: 'very-secret' }] });
    const { value, warnings } = await exportGatewayConfig(control.context);
    assert.deepEqual(value.upstreams, [{ ...api, auth_type: 'bearer' }]);
    assert.match(warnings.join(), /stored auth_value of the upstream "api" is left out/);
    assert.deepEqual((await apply(value)).changes, []);
    const fresh = await openControl();
    try {
      const errors = await fieldErrorsOf(applyGatewayConfig(fresh.context, ann, value));
      assert.deepEqual(errors, { 'upstreams.0.auth_value': 'is required with auth_type bearer' });
    } finally {
      await fresh.close();
    }
  });

  test('a cleared credential stays cleared', async () => {
    await createUpstream(control.context, ann, { ...api, auth_type: 'bearer', auth_value: 'x' });
    await updateUpstream(control.context, ann, 'api', { auth_value: null });
    const { value } = await exportGatewayConfig(control.context);
    assert.deepEqual(value.upstreams, [{ ...api, auth_type: 'bearer', auth_value: null }]);
    assert.deepEqual((await apply(value)).changes, []);
    assert.equal((await getUpstream(control.context, 'api')).auth_value_set, false);
  });

  test('names no managed object and no revoked key, and a deleted route of a key by its id', async () => {
    await syncManaged(control.context, { url: 'http://10.0.0.9', public: true });
    await apply(whole);
    await revokeApiKey(control.context, ann, 'all');
    const { id } = await getRoute(control.context, 'a');
    await deleteRoute(control.context, ann, 'a');
    const { value } = await exportGatewayConfig(control.context);
    assert.deepEqual(
      value.upstreams.map(({ name }) => name),
      ['api', 'plain'],
    );
    assert.deepEqual(
      value.keys.map(({ name, routes }) => [name, routes]),
      [['one', [id]]],
    );
    assert.deepEqual((await apply(value, { prune: true })).changes, []);
  });

  test('is in order of name, whatever the order of making', async () => {
    for (const name of ['b', 'a', 'Z']) await createUpstream(control.context, ann, { ...api, name });
    for (const name of ['2', '10', '1']) await createRoute(control.context, ann, { name, path_pattern: `/${name}`, upstream_id: 'a' });
    await createApiKey(control.context, ann, { name: 'k' });
    await updateRoute(control.context, ann, '1', { priority: 5 });
    const { value } = await exportGatewayConfig(control.context);
    assert.deepEqual(
      value.upstreams.map(({ name }) => name),
      ['Z', 'a', 'b'],
    );
    assert.deepEqual(
      value.routes.map(({ name }) => name),
      ['1', '10', '2'],
    );
  });
});
