import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ApplyResult } from '../model/declared-config.ts';
import { CliFixture, type CallResult } from './cli-fixture.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'apigate-apply-'));
  await writeFile(join(directory, 'one.yaml'), 'routes: []');
});
after(() => rm(directory, { recursive: true, force: true }));

/** `apigate apply --dry-run`, where the API answers with that. */
async function dryRun(answer: Partial<ApplyResult>): Promise<CallResult> {
  const cli = new CliFixture();
  cli.api.answerNext(() =>
    Response.json({ dry_run: true, revision: 4, changes: [], unchanged: 0, warnings: [], created_keys: [], ...answer }),
  );
  return await cli.run(['apply', '-f', 'one.yaml', '--dry-run'], { cwd: directory });
}

describe('what recent requests would do differently', () => {
  const group = { from_route: 'r', from_upstream: 'a', to_route: 's', to_upstream: 'b', requests: 2, examples: [] };
  const traffic: NonNullable<ApplyResult['traffic']> = {
    requests: 1_000,
    since: '2026-11-26T17:00:00.000Z',
    unchanged: 700,
    changed: 299,
    not_judged: 1,
    groups: [
      {
        ...group,
        effect: 'not_found',
        to_route: null,
        to_upstream: null,
        examples: [{ id: 'x', method: 'GET', host: 'a.test', path: '/\u001b[2J' }],
      },
      { ...group, effect: 'method_not_allowed', requests: 1 },
      { ...group, effect: 'disabled' },
      { ...group, effect: 'upgrade_refused' },
      { ...group, effect: 'key_needed' },
      { ...group, effect: 'key_refused' },
      { ...group, effect: 'public' },
      { ...group, effect: 'moved' },
      { ...group, effect: 'moved', to_route: 'r', requests: 1 },
      { ...group, effect: 'altered' },
      { ...group, effect: 'served', from_route: null, from_upstream: null, requests: 1_234 },
    ],
    left_out: 5,
  };

  test('is said in words, with examples, and the worst first', async () => {
    const { stdout } = await dryRun({ traffic });
    assert.equal(
      stdout,
      `Of the last 1,000 requests (since 2026-11-26 17:00:00 UTC), 299 would do something else:
  2 become 404, which route r takes now
    GET a.test/\\u001b[2J
  1 becomes 405, which route r takes now
  2 become 503: upstream b is disabled
  2 become 400: route s takes no WebSockets
  2 newly need an API key, on route s
  2 become 401: the API key that was used does not open route s
  2 need no API key any more, on route s
  2 move from route r (upstream a) to s (upstream b)
  1 moves from upstream a to b, on route r
  2 change on the way, on route s: by its transformations, or by its upstream's fields
  1,234 are newly served, by route s (upstream b)
  5 more in other ways; see -o json
1 could not be judged: a route that could take it looks at headers or answers preflights, and headers are not recorded.
`,
    );
  });

  test('is said not to be known where that is so, and not at all by an older gateway', async () => {
    const nothing = { ...traffic, changed: 0, not_judged: 0, groups: [], left_out: 0 };
    const [one, none] = [
      await dryRun({ traffic: { ...nothing, requests: 1 } }),
      await dryRun({ traffic: { ...nothing, requests: 0, since: null } }),
    ];
    assert.match(one.stdout, /^Of the last request \(since .*\), none is known to do anything else\.\n$/);
    assert.match(none.stdout, /^No request has ended since the gateway started/);
    assert.match((await dryRun({ traffic_note: 'No gateway runs.' })).stderr, /No recent requests to compare with: No gateway runs\.\n$/);
    const { stdout, stderr, code } = await dryRun({});
    assert.deepEqual([code, stdout], [0, '']);
    assert.doesNotMatch(stderr, /recent/);
  });
});
