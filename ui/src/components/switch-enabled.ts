import { notifications } from '@mantine/notifications';
import { ApiProblem, problemOf } from '../api/api-problem.ts';
import { callApi } from '../api/call-api.ts';
import { invalidate } from '../api/query-client.ts';
import { offer } from './offer.tsx';
import { tellChange } from './tell-change.tsx';
import { tellWarnings } from './tell-warnings.ts';

/** A row of a list, as it is shown. */
export interface SwitchableRow {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly managed: boolean;
  readonly updated_at: string;
}

type Outcome =
  | { readonly kind: 'switched'; readonly revision: number | undefined }
  | { readonly kind: 'already' }
  | { readonly kind: 'outdated'; readonly now: SwitchableRow; readonly fields: readonly string[] }
  | { readonly kind: 'failed'; readonly why: string };

const atOnce = 4;
const paths = { upstreams: '/admin/upstreams/:id', routes: '/admin/routes/:id' } as const;

/**
 * Enables or disables what rows show, each only while it is still what the row shows, and tells in one message what came of it.
 * Of what others changed meanwhile it says what that was, and asks.
 */
export async function switchEnabled(resource: keyof typeof paths, rows: readonly SwitchableRow[], enabled: boolean): Promise<void> {
  const due = rows.filter((row) => row.enabled !== enabled && !row.managed);
  const outcomes = new Map<SwitchableRow, Outcome>();
  const left = [...due];
  const work = async (): Promise<void> => {
    for (let row = left.shift(); row !== undefined; row = left.shift()) outcomes.set(row, await switchOne(resource, row, enabled));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  await invalidate(resource, 'traffic');
  tell(resource, outcomes, enabled);
}

/** Lists give no ETags, so it is read first: whoever changes it after that is found out by If-Match. */
async function switchOne(resource: keyof typeof paths, shown: SwitchableRow, enabled: boolean): Promise<Outcome> {
  const param = { id: shown.id };
  try {
    for (;;) {
      const { value, etag } = await callApi('get', paths[resource], { param });
      const now: SwitchableRow = value;
      if (now.enabled === enabled) return { kind: 'already' };
      if (now.updated_at !== shown.updated_at) return { kind: 'outdated', now, fields: fieldsThatDiffer(shown, now) };
      try {
        const { revision, warnings } = await callApi('patch', paths[resource], { param, json: { enabled } }, { ifMatch: etag });
        tellWarnings(shown.name, warnings);
        return { kind: 'switched', revision };
      } catch (error) {
        if (!(error instanceof ApiProblem) || error.status !== 412) throw error;
      }
    }
  } catch (error) {
    return { kind: 'failed', why: problemOf(error).message };
  }
}

function tell(resource: keyof typeof paths, outcomes: ReadonlyMap<SwitchableRow, Outcome>, enabled: boolean): void {
  const all = [...outcomes].map(([row, outcome]) => ({ name: row.name, ...outcome }));
  const of = <Kind extends Outcome['kind']>(kind: Kind) =>
    all.filter((each): each is Extract<typeof each, { kind: Kind }> => each.kind === kind);
  const [switched, already, outdated, failed] = [of('switched'), of('already'), of('outdated'), of('failed')];
  const state = enabled ? 'enabled' : 'disabled';
  const are = (named: readonly { readonly name: string }[]): string =>
    named.length === 1 ? `${named[0]!.name} is` : `${named.length} ${resource} are`;

  if (switched.length > 0) {
    const revisions = switched.flatMap(({ revision }) => revision ?? []);
    const [since, revision] = [Math.min(...revisions), Math.max(...revisions)];
    // With others' changes between them they cannot be taken back as one.
    const isWhole = revision - since + 1 === revisions.length;
    tellChange({
      message: `${are(switched)} ${state}.${isWhole ? '' : ' Others changed something in between: the ways back are in History.'}`,
      revision: isWhole ? revision : undefined,
      since,
      undone: `${are(switched)} ${enabled ? 'disabled' : 'enabled'} again.`,
    });
  }
  if (already.length > 0) notifications.show({ message: `${are(already)} ${state} already: somebody else was faster.` });
  if (all.length === 0) notifications.show({ message: `Nothing to do: all of them are ${state}.` });
  if (failed.length > 0)
    notifications.show({
      color: 'red',
      title: `Not ${state}`,
      message: failed
        .slice(0, 5)
        .map(({ name, why }) => `${name}: ${why}`)
        .join(' · '),
      autoClose: 15_000,
    });
  if (outdated.length > 0) {
    const it = outdated.length === 1 ? 'it' : 'them';
    const names = outdated.slice(0, 5).map(({ name, fields }) => `${name} (${fields.join(', ')})`);
    offer({
      color: 'orange',
      title: `Not ${state}: changed meanwhile`,
      message: `Others have changed ${names.join(', ')}${outdated.length > 5 ? ` and ${outdated.length - 5} more` : ''}. You see ${it} now as ${it === 'it' ? 'it is' : 'they are'} stored.`,
      label: `${enabled ? 'Enable' : 'Disable'} ${it} all the same`,
      act: () =>
        switchEnabled(
          resource,
          outdated.map(({ now }) => now),
          enabled,
        ),
    });
  }
}

function fieldsThatDiffer(one: object, other: object): string[] {
  const before = one as Readonly<Record<string, unknown>>;
  const fields = Object.entries(other).filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(before[field]));
  // When a credential was set is all that is told of it.
  const names = fields.map(([field]) => (field === 'auth_value_updated_at' || field === 'auth_value_set' ? 'auth_value' : field));
  return [...new Set(names)].filter((name) => name !== 'updated_at');
}
