import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { UpstreamTest } from '../model/upstream-test.ts';
import { CliFixture } from './cli-fixture.ts';
import { broken, type DoctorFinding, fine, warning } from '../model/doctor-finding.ts';
import { testUpstreams, type UpstreamToTest } from './doctor-upstreams.ts';

const answered: UpstreamTest = {
  answers: true,
  upstream: { id: 'up_1', name: 'a', base_url: 'http://a', enabled: true },
  request: { method: 'GET', url: 'http://a/' },
  address: null,
  steps: [],
  certificate: null,
  answer: { status: 204, reason: '', server: null, content_type: null, location: null, body_start: null },
  problem: null,
  notes: [],
  total_ms: 3,
  tested_by: 'command',
  curl: null,
};

const upstreams = (count: number): UpstreamToTest[] =>
  Array.from({ length: count }, (_, index) => ({ id: `up_${index}`, name: `u${index}`, timeout_ms: 30_000 }));

async function all(findings: AsyncIterable<DoctorFinding>): Promise<DoctorFinding[]> {
  const told: DoctorFinding[] = [];
  for await (const finding of findings) told.push(finding);
  return told;
}

async function* told(...findings: DoctorFinding[]): AsyncGenerator<DoctorFinding> {
  yield* findings;
}

describe('doctor', () => {
  it('prints each finding with what to do; only what is broken makes it fail', async () => {
    const doubtful = await new CliFixture().run(['doctor'], { diagnose: () => told(fine('a', 'well'), warning('b', 'odd', 'look')) });
    assert.equal(doubtful.code, 0);
    assert.match(doubtful.stdout, /^ok {7}a: well\nwarning {2}b: odd\n {9}→ look\n$/m);
    assert.match(doubtful.stderr, /Nothing is broken, 1 warning\./);
    const bad = await new CliFixture().run(['doctor'], { diagnose: () => told(broken('c', 'gone \u001b[2J', 'put it back')) });
    assert.equal(bad.code, 1);
    assert.match(bad.stdout, /^broken {3}c: gone \\u001b\[2J$/m);
    assert.match(bad.stderr, /1 thing is broken/);
    const json = await new CliFixture().run(['doctor', '-o', 'json'], { diagnose: () => told(broken('c', 'gone', 'put it back')) });
    assert.equal(json.code, 1);
    assert.deepEqual((JSON.parse(json.stdout) as DoctorFinding[]).at(-1), {
      check: 'c',
      result: 'broken',
      found: 'gone',
      mend: 'put it back',
    });
  });

  it('tells wrong settings one by one, and looks at the machine all the same', async () => {
    let looked: unknown;
    const { code, stdout } = await new CliFixture().run(['doctor', '--port', '70000'], {
      env: { APIGATE_FOO: '1' },
      diagnose: (settings) => {
        looked = settings;
        return told(fine('machine', 'well'));
      },
    });
    assert.equal(code, 1);
    assert.equal(looked, null);
    assert.match(stdout, /^broken {3}settings: APIGATE_FOO \(environment APIGATE_FOO\): no such setting$/m);
    assert.match(stdout, /^broken {3}settings: server_port \(flag --port\)/m);
    assert.match(stdout, /^ok {7}machine: well$/m);
  });

  it('with --server takes no settings', async () => {
    const { code, stderr } = await new CliFixture().run(['doctor', '--server', 'http://x', '--port', '1'], {
      env: { APIGATE_TOKEN: 'agt_1' },
    });
    assert.equal(code, 2);
    assert.match(stderr, /--server and --port exclude each other/);
  });
});

describe('tests of all upstreams', () => {
  it('run a few at a time, and each is told', async () => {
    let running = 0;
    let most = 0;
    const findings = await all(
      testUpstreams(upstreams(10), async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 2));
        running--;
        return answered;
      }),
    );
    assert.equal(most, 4);
    assert.equal(findings.length, 10);
    assert.ok(findings.every(({ result, found }) => result === 'ok' && found === 'answers 204 in 3 ms'));
  });

  it('end in time, and what was left out is said', async () => {
    const findings = await all(
      testUpstreams(
        upstreams(40),
        async () => {
          await new Promise((resolve) => setTimeout(resolve, 30));
          return answered;
        },
        { time: 50 },
      ),
    );
    const last = findings.at(-1)!;
    assert.equal(last.result, 'skipped');
    assert.match(last.found, /time was up before these were tested: u\d+, .* and \d+ more$/);
    assert.ok(findings.length < 41);
  });

  it('no answer is broken, an unwelcome one a warning, slow for the doctor alone a warning', async () => {
    const with_ =
      (fields: Partial<UpstreamTest>): (() => Promise<UpstreamTest>) =>
      async () => ({ ...answered, ...fields });
    const problem = (kind: NonNullable<UpstreamTest['problem']>['kind']) => ({
      kind,
      code: null,
      title: 't',
      cause: 'Because.',
      next: ['do'],
    });
    const resultOf = async (fields: Partial<UpstreamTest>, timeout = 30_000): Promise<string> =>
      (await all(testUpstreams([{ id: 'u', name: 'u', timeout_ms: timeout }], with_(fields))))[0]!.result;
    assert.equal(await resultOf({ answers: false, problem: problem('connection_refused') }), 'broken');
    assert.equal(await resultOf({ answers: true, problem: problem('error_answer') }), 'warning');
    assert.equal(await resultOf({ answers: false, problem: problem('answer_timeout') }), 'warning');
    assert.equal(await resultOf({ answers: false, problem: problem('answer_timeout') }, 2_000), 'broken');
    assert.equal(await resultOf({ notes: ['The certificate expires in 3 days, on 2027-01-01.'] }), 'warning');
    const [failed] = await all(testUpstreams(upstreams(1), () => Promise.reject(new Error('store gone'))));
    assert.deepEqual([failed?.result, failed?.found], ['broken', 'the test failed: store gone']);
  });
});
