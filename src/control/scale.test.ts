import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { routeRow, upstreamRow } from '../store/row-fixtures.ts';
import { ann, type ControlFixture, openControl } from './control-fixture.ts';
import { loadGatewayConfigChange } from './load-change.ts';
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
