import { broken, type DoctorFinding, fine, skipped, warning } from '../model/doctor-finding.ts';
import { stepInTerminal, upstreamProblems } from '../model/upstream-problems.ts';
import type { UpstreamTest } from '../model/upstream-test.ts';

/** An upstream as the doctor lists it. */
export interface UpstreamToTest {
  readonly id: string;
  readonly name: string;
  readonly timeout_ms: number;
}

/** Tests at the same time. */
const concurrency = 4;
/** No test of an upstream begins after this time, and none is waited for longer than a little beyond. Milliseconds. */
const totalTime = 30_000;
const graceTime = 5_000;
/** One answer is waited for this long, milliseconds. */
const usualWait = 5_000;

export interface TestsLimits {
  /** Milliseconds for all; half a minute when not given. */
  readonly time?: number;
  /** Longest wait for one answer, milliseconds; 5 s when not given, and never more than an upstream's timeout_ms. */
  readonly wait?: number;
}

/** Tests upstreams, some at once and for a bounded time, and tells of each in order of its end. */
export async function* testUpstreams(
  upstreams: readonly UpstreamToTest[],
  testOne: (upstream: UpstreamToTest, waitMs: number) => Promise<UpstreamTest>,
  { time = totalTime, wait = usualWait }: TestsLimits = {},
): AsyncGenerator<DoctorFinding> {
  const waiting = [...upstreams];
  const running = new Map<string, Promise<{ id: string; finding: DoctorFinding }>>();
  const endsAt = performance.now() + time;
  let late: NodeJS.Timeout | undefined;
  const timeUp = new Promise<undefined>((resolve) => {
    late = setTimeout(() => resolve(undefined), time + graceTime);
  });
  try {
    while (running.size > 0 || (waiting.length > 0 && performance.now() < endsAt)) {
      while (running.size < concurrency && waiting.length > 0 && performance.now() < endsAt) {
        const upstream = waiting.shift()!;
        running.set(
          upstream.id,
          findingOf(upstream, testOne, Math.min(upstream.timeout_ms, wait)).then((finding) => ({ id: upstream.id, finding })),
        );
      }
      const ended = await Promise.race([timeUp, ...running.values()]);
      if (ended === undefined) break;
      running.delete(ended.id);
      yield ended.finding;
    }
  } finally {
    clearTimeout(late);
  }
  const left = upstreams.filter(({ id, name }) => running.has(id) || waiting.some((each) => each.name === name)).map(({ name }) => name);
  if (left.length > 0) {
    const named = left.slice(0, 5).join(', ') + (left.length > 5 ? ` and ${left.length - 5} more` : '');
    yield skipped('upstreams', `time was up before these were tested: ${named}`, 'test them one by one: apigate upstreams test NAME');
  }
}

async function findingOf(
  upstream: UpstreamToTest,
  testOne: (upstream: UpstreamToTest, waitMs: number) => Promise<UpstreamTest>,
  waitMs: number,
): Promise<DoctorFinding> {
  const check = `upstream ${upstream.name}`;
  try {
    return findingOfTest(check, await testOne(upstream, waitMs), waitMs < upstream.timeout_ms);
  } catch (error) {
    return broken(check, `the test failed: ${error instanceof Error ? error.message : String(error)}`, 'see the log of the gateway');
  }
}

/** No answer is broken, an unwelcome one a warning. `isImpatient`: requests wait for longer than the test did, so slow is not broken. */
function findingOfTest(check: string, test: UpstreamTest, isImpatient: boolean): DoctorFinding {
  const { problem, answers, answer, total_ms: total, notes } = test;
  if (problem !== null) {
    const found = withoutStop(problem.cause);
    const mend = stepInTerminal(problem.next[0] ?? upstreamProblems[problem.kind].next[0]);
    const slow = problem.kind === 'answer_timeout' && isImpatient;
    // The command may lack what the gateway has in its environment.
    const elsewhere = problem.kind === 'credential_unavailable' && test.tested_by === 'command';
    return answers || slow || elsewhere ? warning(check, found, mend) : broken(check, found, mend);
  }
  const expiry = notes.find((note) => note.startsWith('The certificate expires'));
  if (expiry !== undefined) return warning(check, withoutStop(expiry), "renew the upstream's certificate");
  return fine(check, `answers ${answer?.status ?? ''} in ${Math.round(total ?? 0)} ms`);
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '');
}
