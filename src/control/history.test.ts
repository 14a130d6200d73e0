import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createApiKey, revokeApiKey, updateApiKey } from './api-keys.ts';
import { applyGatewayConfig } from './apply-gateway-config.ts';
import { ann, type ControlFixture, errorOf, fieldErrorsOf, openControl } from './control-fixture.ts';
import type { Actor } from './control-context.ts';
import { diffRevisions, getRevision, type HistoryQuery, listHistory } from './history.ts';
import { rollBack } from './rollback.ts';
import { createRoute } from './routes.ts';
import { createUpstream, deleteUpstream, updateUpstream } from './upstreams.ts';

let control: ControlFixture;

beforeEach(async () => {
  control = await openControl();
});

afterEach(() => control.close());

const root: Actor = { kind: 'cli', id: '', label: 'root' };
const api = { name: 'api', base_url: 'https://api.example.com' };

async function listed(query: HistoryQuery = {}): Promise<number[]> {
  return (await listHistory(control.context, query)).data.map(({ revision }) => revision);
}

describe('the list', () => {
  test('tells who changed what and when, newest first, a rollback as such', async () => {
    await createUpstream(control.context, ann, api);
    control.clock.now += 60_000;
    await createApiKey(control.context, root, { name: 'k' });
    await revokeApiKey(control.context, root, 'k');
    await deleteUpstream(control.context, ann, 'api');
    await rollBack(control.context, root, '1');
    const { data, total, next_cursor } = await listHistory(control.context, {});
    assert.deepEqual([total, next_cursor], [5, null]);
    assert.deepEqual(
      data.map(({ revision, actor, rollback_to, counts, changes }) => [
        revision,
        actor?.label,
        rollback_to,
        Object.values(counts).join(),
        changes.map(({ action, type, name }) => `${action} ${type} ${name}`).join(),
      ]),
      [
        [5, 'root', 1, '1,0,0', 'create upstream api'],
        [4, 'ann@example.com', null, '0,0,1', 'delete upstream api'],
        [3, 'root', null, '0,1,0', 'update key k'],
        [2, 'root', null, '1,0,0', 'create key k'],
        [1, 'ann@example.com', null, '1,0,0', 'create upstream api'],
      ],
    );
    const first = data.at(-1);
    assert.deepEqual(
      [first?.at, first?.actor, first?.remote_address, first?.request_id],
      ['2026-11-23T05:00:00.000Z', { kind: 'admin', id: ann.id, label: 'ann@example.com' }, '127.0.0.1', 'request-1'],
    );
  });

  test('comes page by page and is filtered by who and what', async () => {
    await createUpstream(control.context, ann, api);
    for (const timeout_ms of [1, 2, 3]) await updateUpstream(control.context, root, 'api', { timeout_ms });
    await createRoute(control.context, ann, { name: 'r', path_pattern: '/', upstream_id: 'api' });
    assert.deepEqual(await listed({ resource: 'route' }), [5]);
    assert.deepEqual(await listed({ resource: 'api' }), [4, 3, 2, 1]);
    assert.deepEqual(await listed({ actor: 'cli' }), [4, 3, 2]);
    assert.deepEqual(await listed({ actor: 'ann@example.com', resource: 'upstream' }), [1]);
    const page = await listHistory(control.context, { limit: 2, resource: 'api' });
    assert.deepEqual([page.data.map(({ revision }) => revision), page.total, page.next_cursor], [[4, 3], 4, '3']);
    await createUpstream(control.context, ann, { ...api, name: 'later' });
    assert.deepEqual(await listed({ limit: 2, resource: 'api', cursor: '3' }), [2, 1]);
    for (const cursor of ['0', 'x', '-1', '1.5']) assert.deepEqual(Object.keys(await fieldErrorsOf(listed({ cursor }))), ['cursor']);
  });

  test('of a revision with many objects tells the first few and how many there are', async () => {
    const routes = Array.from({ length: 40 }, (_, index) => ({ name: `r${index}`, path_pattern: `/${index}`, upstream: 'api' }));
    await applyGatewayConfig(control.context, ann, { upstreams: [api], routes });
    const { data } = await listHistory(control.context, {});
    assert.deepEqual([data[0]?.counts.create, data[0]?.changes.length], [41, 10]);
    assert.equal((await getRevision(control.context, '1')).changes.length, 41);
  });
});

describe('one revision', () => {
  test('is told field by field, with secrets as changed only', async () => {
    await createUpstream(control.context, ann, { ...api, auth_type: 'bearer', auth_value: 'old-secret' });
    await updateUpstream(control.context, ann, 'api', { auth_value: 'new-secret', timeout_ms: 5 });
    await createApiKey(control.context, ann, { name: 'k' });
    await revokeApiKey(control.context, ann, 'k');
    const [made, changed, , revoked] = await Promise.all(['1', '2', '3', '4'].map((text) => getRevision(control.context, text)));
    assert.deepEqual(made?.changes, [
      {
        action: 'create',
        type: 'upstream',
        name: 'api',
        fields: { base_url: { to: api.base_url }, auth_type: { to: 'bearer' }, auth_value: { to: '(stored)' } },
      },
    ]);
    assert.deepEqual(changed?.changes[0]?.fields, {
      timeout_ms: { from: 30_000, to: 5 },
      auth_value: { from: '(stored)', to: '(changed)' },
    });
    assert.deepEqual(Object.keys(revoked?.changes[0]?.fields ?? {}), ['revoked_at']);
    assert.doesNotMatch(JSON.stringify([made, changed, revoked]), /secret/);
    const nothing = await getRevision(control.context, '0');
    assert.deepEqual([nothing.at, nothing.actor, nothing.changes], [null, null, []]);
  });

  test('the oldest one kept is told without fields; those before are gone', async () => {
    await createUpstream(control.context, ann, api);
    for (const timeout_ms of [1, 2, 3]) await updateUpstream(control.context, ann, 'api', { timeout_ms });
    await control.store.write((tx) => tx.history.prune({ revisions: 2, rows: 1000, atMost: 100 }));
    assert.deepEqual(await listed(), [4, 3, 2]);
    assert.deepEqual((await getRevision(control.context, '2')).changes, [{ action: 'update', type: 'upstream', name: 'api', fields: {} }]);
    assert.deepEqual((await getRevision(control.context, '3')).changes[0]?.fields, { timeout_ms: { from: 1, to: 2 } });
    assert.match((await errorOf(getRevision(control.context, '1'), 'revision_pruned')).message, /Revision 1 is not kept any more; .* is 2/);
    await errorOf(getRevision(control.context, '5'), 'not_found');
  });
});

describe('what is kept', () => {
  const countOf = (database: DatabaseSync): unknown => database.prepare('SELECT count(*) AS n FROM row_history').get()?.['n'];

  test('are the latest 1,000 revisions; each change clears away a part of what lies before them', async () => {
    const routes = Array.from({ length: 300 }, (_, index) => ({ name: `r${index}`, path_pattern: `/${index}`, upstream: 'api' }));
    for (const description of ['one', 'two']) {
      await applyGatewayConfig(control.context, ann, { upstreams: [api], routes: routes.map((route) => ({ ...route, description })) });
    }
    using database = new DatabaseSync(control.store.path);
    const counts = [countOf(database)];
    // As if there had been as many changes.
    database.exec('UPDATE gateway_state SET revision = 1500');
    for (let round = 1; round <= 8; round += 1) {
      await updateUpstream(control.context, ann, 'api', { timeout_ms: round });
      counts.push(countOf(database));
    }
    assert.equal(await control.store.read((tx) => tx.history.from()), 508);
    await errorOf(getRevision(control.context, '2'), 'revision_pruned');
    // One state of each route is left, and all of the upstream.
    assert.equal(counts.at(-1), 300 + 9);
    const removed = counts.slice(1).map((count, index) => Number(counts[index]) + 1 - Number(count));
    assert.ok(
      removed.every((count) => count <= 1 + 102),
      removed.join(),
    );
    assert.equal((await control.store.read((tx) => tx.history.at(508))).routes.length, 300);
    const { changes } = await diffRevisions(control.context, { from: '508' });
    assert.deepEqual(
      changes.map(({ fields }) => fields),
      [{ timeout_ms: { from: 30_000, to: 8 } }],
    );
  });
});

describe('the difference', () => {
  test('of two revisions is told both ways, by ids, and against the present one when no second is named', async () => {
    await createUpstream(control.context, ann, api);
    await createRoute(control.context, ann, { name: 'r', path_pattern: '/r', upstream_id: 'api' });
    await createApiKey(control.context, ann, { name: 'k', routes: ['r'] });
    await updateUpstream(control.context, ann, 'api', { name: 'renamed' });
    await deleteUpstream(control.context, ann, 'renamed', { cascade: true });
    await updateApiKey(control.context, ann, 'k', { rate_limit_per_minute: 5 });
    const diff = async (from: number, to?: number) =>
      (await diffRevisions(control.context, { from: String(from), ...(to === undefined ? {} : { to: String(to) }) })).changes;
    // A route whose upstream has another name has not changed.
    assert.deepEqual(await diff(3, 4), [
      { action: 'update', type: 'upstream', name: 'renamed', fields: { name: { from: 'api', to: 'renamed' } } },
    ]);
    assert.deepEqual(
      (await diff(3)).map(({ action, type, name, fields }) => [action, type, name, Object.keys(fields)]),
      [
        ['update', 'key', 'k', ['rate_limit_per_minute']],
        ['delete', 'route', 'r', []],
        ['delete', 'upstream', 'api', []],
      ],
    );
    const back = await diff(6, 3);
    assert.deepEqual(back.find(({ type }) => type === 'route')?.fields, { path_pattern: { to: '/r' }, upstream: { to: 'api' } });
    assert.deepEqual(await diff(2, 2), []);
    await errorOf(diff(7), 'not_found');
    await errorOf(diff(1, 7), 'not_found');
  });
});
