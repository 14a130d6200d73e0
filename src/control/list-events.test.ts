import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { UpstreamId } from '../model/ids.ts';
import type { TimelineEvent } from '../model/timeline.ts';
import type { UpstreamTotals } from '../telemetry/upstream-counters.ts';
import { ann, type ControlFixture, fieldErrorsOf, openControl } from './control-fixture.ts';
import { HealthWatch } from './health-watch.ts';
import { type EventQuery, listEvents } from './list-events.ts';
import { createUpstream, updateUpstream } from './upstreams.ts';

let control: ControlFixture;
let ids: UpstreamId[];
let streaks: number[];
let watch: HealthWatch;

const totals = { lastOkMs: 1, lastFailureCode: 'upstream_reset' } as Partial<UpstreamTotals> as UpstreamTotals;

function watchAnew(): HealthWatch {
  const read = () =>
    ids.map((id, at) => ({
      id,
      name: `u${at}`,
      enabled: true,
      totals: { ...totals, streak: streaks[at]! },
      check: null,
      active: 0,
      idle: 0,
    }));
  const ignore = (): void => {};
  const logger = { info: ignore, warn: ignore, error: ignore };
  const made = new HealthWatch({ read, logger, clock: () => control.clock.now });
  made.stop();
  return made;
}

beforeEach(async () => {
  control = await openControl();
  [ids, streaks] = [[], [0, 0]];
  for (const name of ['u0', 'u1']) {
    ids.push((await createUpstream(control.context, ann, { name, base_url: `http://${name}.test` })).value.id);
    control.clock.now += 1_000;
  }
  watch = watchAnew();
  watch.look();
});

afterEach(() => control.close());

const textOf = (event: TimelineEvent): string => (event.kind === 'health' ? `${event.upstream} ${event.to}` : `revision ${event.revision}`);

async function listed(query: EventQuery = {}): Promise<string[]> {
  return (await listEvents(control.context, watch, query)).data.map(textOf);
}

async function happen(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    control.clock.now += 1_000;
    streaks = streaks.map((streak) => 3 - streak);
    watch.look();
    control.clock.now += 1_000;
    await updateUpstream(control.context, ann, 'u0', { description: `round ${round}` });
  }
}

test('flips and revisions stand on one line of time, filtered by kind and by upstream', async () => {
  await happen();
  const all = await listed();
  assert.deepEqual(all.slice(0, 4), ['revision 5', 'u1 failing', 'u0 failing', 'revision 4']);
  assert.equal(all.length, 2 + 2 + 3 * 3);
  assert.deepEqual(await listed({ kind: 'revision' }), ['revision 5', 'revision 4', 'revision 3', 'revision 2', 'revision 1']);
  assert.deepEqual(
    (await listed({ kind: 'health' })).filter((text) => text.startsWith('u1')),
    ['u1 failing', 'u1 healthy', 'u1 failing', 'u1 healthy'],
  );
  assert.deepEqual(await listed({ upstreamId: ids[1]! }), ['u1 failing', 'u1 healthy', 'u1 failing', 'u1 healthy', 'revision 2']);
});

test('pages neither repeat nor leave out anything, whatever comes meanwhile; a clock set back changes nothing of that', async () => {
  await happen();
  control.clock.now -= 3_600_000;
  await happen();
  for (const limit of [1, 2, 5, 500]) {
    const expected = await listed({ limit: 500 });
    const told: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await listEvents(control.context, watch, { limit, ...(cursor === undefined ? {} : { cursor }) });
      told.push(...page.data.map(textOf));
      cursor = page.next_cursor ?? undefined;
      if (told.length !== limit) continue;
      streaks = streaks.map((streak) => 3 - streak);
      watch.look();
    } while (cursor !== undefined);
    assert.deepEqual(told.toSorted(), expected.toSorted(), `limit ${limit}`);
  }
});

test('a cursor of another start goes on with revisions; one that is none is refused', async () => {
  await happen();
  const { next_cursor: cursor } = await listEvents(control.context, watch, { limit: 2 });
  watch = watchAnew();
  watch.look();
  assert.deepEqual(await listed({ cursor: cursor! }), ['revision 4', 'revision 3', 'revision 2', 'revision 1']);
  for (const nonsense of ['', 'x', '1.2.3', `${'0'.repeat(8)}.-1.2`, `${'0'.repeat(8)}.1.2e9`])
    assert.deepEqual(Object.keys(await fieldErrorsOf(listEvents(control.context, watch, { cursor: nonsense }))), ['cursor']);
});
