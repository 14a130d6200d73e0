import type { UpstreamTest } from '../model/upstream-test.ts';
import type { AdminClient } from './admin-client.ts';
import { ApiFailure, exitCodes } from './cli-error.ts';
import { type DoctorFinding, fine, skipped, warning } from '../model/doctor-finding.ts';
import { testUpstreams, type UpstreamToTest } from './doctor-upstreams.ts';
import { listAll } from './resource-commands.ts';

/** A Date has no fractions of a second, and the answer takes a moment. Milliseconds. */
const clockTolerance = 5_000;

/** What can be told of a gateway from elsewhere, through its admin API. Rejects where that cannot be reached at all. */
export async function* diagnoseRemote(admin: AdminClient, ownVersion: string): AsyncGenerator<DoctorFinding> {
  const asked = Date.now();
  const answer = await admin.request('GET', '/version');
  const { version, node, revision } = (answer.body ?? {}) as { version?: string; node?: string; revision?: number };
  if (version === ownVersion)
    yield fine('gateway', `APIGate ${version} on Node.js ${node ?? 'unknown'}, serves revision ${revision ?? 'unknown'}`);
  else
    yield warning(
      'gateway',
      `it is APIGate ${version ?? 'of an unknown version'}, this command is ${ownVersion}`,
      'use the command of the same version',
    );
  yield clockFinding(Date.parse(answer.headers.get('date') ?? ''), asked, Date.now());
  yield* upstreamFindings(admin);
  yield skipped(
    'the machine',
    'settings, files, keys, database, disk, limits and certificates of the gateway cannot be seen from here',
    'run "apigate doctor" on the gateway\'s machine',
  );
}

/** The answer was made between two moments of our clock. */
function clockFinding(theirs: number, asked: number, answered: number): DoctorFinding {
  if (Number.isNaN(theirs)) return skipped('clock', 'the gateway does not tell its time');
  const ahead = theirs < asked ? theirs - asked : Math.max(0, theirs - answered);
  if (Math.abs(ahead) <= clockTolerance) return fine('clock', "the gateway's clock and this machine's agree");
  return warning(
    'clock',
    `the gateway's clock is ${Math.round(Math.abs(ahead) / 1000)} s ${ahead > 0 ? 'ahead of' : 'behind'} this machine's`,
    'set the clock that is wrong, best with NTP',
  );
}

async function* upstreamFindings(admin: AdminClient): AsyncGenerator<DoctorFinding> {
  const items = await listAll(admin, '/admin/upstreams', new URLSearchParams({ enabled: 'true' }));
  const upstreams = items.map((item): UpstreamToTest => ({
    id: String(item['id']),
    name: String(item['name']),
    timeout_ms: Number(item['timeout_ms']),
  }));
  if (upstreams.length === 0) yield fine('upstreams', 'no enabled ones');
  let isForbidden = false;
  const findings = testUpstreams(upstreams, async ({ id }, waitMs) => {
    try {
      const { body } = await admin.request('POST', `/admin/upstreams/${id}/test`, { wait_ms: waitMs }, { timeoutMs: 60_000 });
      return body as UpstreamTest;
    } catch (error) {
      isForbidden ||= error instanceof ApiFailure && error.exitCode === exitCodes.notAuthorised;
      throw error;
    }
  });
  for await (const finding of findings) {
    if (isForbidden) {
      yield skipped('upstreams', 'they were not tested: this token may not write', 'use a token of scope write');
      return;
    }
    yield finding;
  }
}
