import { GatewayError } from '../errors/gateway-error.ts';
import type { UpstreamId } from '../model/ids.ts';
import type { EventKind, TimelineEvent } from '../model/timeline.ts';
import type { ControlContext, Page } from './control-context.ts';
import type { HealthWatch } from './health-watch.ts';
import { listHistory } from './history.ts';

export interface EventQuery {
  /** 1 to 500; 100 when not given. */
  readonly limit?: number;
  readonly cursor?: string;
  readonly kind?: EventKind;
  /** Only what happened to this upstream. */
  readonly upstreamId?: UpstreamId;
}

/**
 * Changes of upstreams' health since the gateway started and the revisions that are kept, on one line of time, newest first. The
 * cursor holds where each of the two was left, so that what comes meanwhile neither repeats nor hides anything.
 * @throws GatewayError `validation_failed`, `storage_unavailable`
 */
export async function listEvents(
  context: Pick<ControlContext, 'store'>,
  health: HealthWatch,
  query: EventQuery,
): Promise<Page<TimelineEvent>> {
  const { limit = 100, kind, upstreamId } = query;
  const from = query.cursor === undefined ? undefined : placeOfCursor(query.cursor, health.instance);
  const flips = kind === 'revision' ? [] : health.events(upstreamId);
  const revisions =
    kind === 'health'
      ? { data: [], total: 0 }
      : await listHistory(context, {
          limit: limit + 1,
          ...(upstreamId === undefined ? {} : { resource: upstreamId }),
          ...(from === undefined ? {} : { cursor: String(from.revision) }),
        });
  const changed = revisions.data.map(({ at, ...revision }): TimelineEvent => ({ kind: 'revision', time: at, ...revision }));
  const left = from === undefined ? flips : flips.filter(({ id }) => id < from.health);
  // Each of the two stays in its own order, whatever the clock did.
  const data: TimelineEvent[] = [];
  // What comes after the first page was asked for belongs to none that follows it.
  const place = from ?? { health: (left[0]?.id ?? 0) + 1, revision: (revisions.data[0]?.revision ?? 0) + 1 };
  for (let health = 0, revision = 0; data.length < limit && health + revision < left.length + changed.length;) {
    const [flip, change] = [left[health], changed[revision]];
    const isFlip = change === undefined || (flip !== undefined && timeOf(flip) >= timeOf(change));
    const event = isFlip ? left[health++]! : changed[revision++]!;
    if (event.kind === 'health') place.health = event.id;
    else place.revision = event.revision;
    data.push(event);
  }
  const more = data.length < left.length + changed.length;
  const total = flips.length + revisions.total;
  return { data, total, next_cursor: more ? [health.instance, place.health, place.revision].join('.') : null };
}

interface Place {
  health: number;
  revision: number;
}

function placeOfCursor(cursor: string, instance: string): Place {
  const [, from, health, revision] = /^([0-9a-f]{8})\.(\d{1,15})\.([1-9]\d{0,14})$/.exec(cursor) ?? [];
  if (from === undefined)
    throw new GatewayError('validation_failed', { errors: [{ field: 'cursor', message: 'leads nowhere; begin again without it' }] });
  // After a restart what was next of health is gone, and what is there is newer.
  return { health: from === instance ? Number(health) : 0, revision: Number(revision) };
}

// One whose time is not known any more is older than all that is.
function timeOf({ time }: TimelineEvent): number {
  return time === null ? 0 : Date.parse(time);
}
