import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { routeRow, upstreamRow } from '../store/row-fixtures.ts';
import { applyGatewayConfig } from './apply-gateway-config.ts';
import { ann, type ControlFixture, openControl } from './control-fixture.ts';
import { countTurns } from './count-turns-fixture.ts';
import { exportGatewayConfig } from './export-gateway-config.ts';
import { diffRevisions, getRevision } from './history.ts';
import { loadGatewayConfigChange } from './load-change.ts';
import { rollBack } from './rollback.ts';
import { updateUpstream } from './upstreams.ts';

/** Limits are ten times what a slow machine needs: they catch work that grows with the table, not slowness. */
const size = 10_000;
let control: ControlFixture;

before(async () => {
  control = await openControl();
  await control.store.write(async (tx) => {
    const revision = await tx.nextRevision();
    for (let number = 0; number < size; number += 1) {
      await tx.upstreams.put(upstreamRow(number, { revision }));
      await tx.routes.put(routeRow(number, { revision }));
    }
  });
});

after(async () => await control.close());

test('10,000 upstreams and routes load at once', async () => {
  const started = performance.now();
  const change = await loadGatewayConfigChange(control.context, null);
  assert.deepEqual([change.upstreams.length, change.routes.length], [size, size]);
  assert.ok(performance.now() - started < 10_000, `${performance.now() - started} ms`);
});

test('a write beside 10,000 rows takes a few milliseconds and reads none of them', async () => {
  await control.context.publishing.reach(1);
  const times: number[] = [];
  for (let round = 0; round < 21; round += 1) {
    const started = performance.now();
    await updateUpstream(control.context, ann, `upstream-${round}`, { timeout_ms: round + 1 });
    times.push(performance.now() - started);
  }
  const median = times.toSorted((a, b) => a - b)[10]!;
  assert.ok(median < 100, `median ${median} ms`);
  assert.deepEqual(
    control.workers.changes.slice(1).map(({ upstreams, routes }) => [upstreams.length, routes.length]),
    times.map(() => [1, 0]),
  );
});

test('what looks at thousands of objects leaves the event loop and the store to others', async () => {
  const { context } = control;
  const before = await context.store.read((tx) => tx.revision());
  const routes = Array.from({ length: 3_000 }, (_, number) => ({
    name: `new-${number}`,
    path_pattern: `/new/${number}`,
    upstream: 'upstream-1',
  }));
  await applyGatewayConfig(context, ann, { routes });
  const works: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['export', () => exportGatewayConfig(context)],
    ['diff', () => diffRevisions(context, { from: String(before) })],
    ['revision', () => getRevision(context, String(before + 1))],
    ['dry run of a rollback', () => rollBack(context, ann, String(before), { dryRun: true })],
    ['dry run of an apply', () => applyGatewayConfig(context, ann, { routes: routes.slice(1) }, { dryRun: true, prune: true })],
  ];
  for (const [name, work] of works) {
    const progress = { over: false, answers: 0 };
    const others = (async () => {
      while (!progress.over) {
        await context.store.read((tx) => tx.revision());
        if (!progress.over) progress.answers += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const { turns } = await countTurns(work);
    progress.over = true;
    await others;
    assert.ok(turns >= 8 && progress.answers >= 4, `${name}: ${turns} turns, ${progress.answers} answers`);
  }
});
