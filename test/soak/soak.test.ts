import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { RawResponse } from '../support/raw-client.ts';
import { BrokenMessage } from '../support/raw-client.ts';
import { Random } from '../fuzz/random.ts';
import { chooseChange, type DynamicConfig, routeState } from './dynamic-config.ts';
import { compareLevels, type Level } from './gateway-level.ts';
import { type Expectation, judgeAnswer } from './judge-answer.ts';
import { PossibleStates } from './possible-states.ts';
import { RecordLedger } from './record-ledger.ts';
import { answerBody, digestOf } from './soak-bodies.ts';
import { Findings } from './soak-findings.ts';
import { sabotages } from './soak-upstream.ts';

const nonce = 'a-1';
const usual: Expectation = {
  nonce,
  method: 'GET',
  behaviour: 'length',
  route: new Set(['on plain plain-g0']),
  workers: new Set(['whole']),
  machine: new Set(['timely']),
};

function answer(status: number, fields: Record<string, string>, body: string): RawResponse {
  const values = (name: string): string[] => (fields[name.toLowerCase()] === undefined ? [] : [fields[name.toLowerCase()]!]);
  return {
    version: 'HTTP/1.1',
    status,
    reason: '',
    fields: Object.entries(fields),
    interim: [],
    body: Buffer.from(body, 'latin1'),
    trailers: [],
    framing: 'length',
    chunkSizes: [],
    values,
    value: (name) => values(name)[0],
    json: () => JSON.parse(body) as Record<string, unknown>,
  };
}

const own = { 'x-nonce': nonce, 'x-from': 'plain', 'x-credential': 'plain-g0' };
const right = answer(200, own, answerBody(nonce));
const problem = (status: number, code: string, more: Record<string, string> = {}): RawResponse =>
  answer(
    status,
    { 'proxy-status': 'apigate', 'cache-control': 'no-store', 'x-request-id': 'r1', ...more },
    JSON.stringify({ code, request_id: 'r1' }),
  );

describe('the soak sees what is wrong with an answer', () => {
  const wrong = (expected: Partial<Expectation>, got: RawResponse | Error, why: RegExp): void =>
    assert.match(judgeAnswer({ ...usual, ...expected }, got).wrong ?? 'nothing', why);
  const fine = (expected: Partial<Expectation>, got: RawResponse | Error): void =>
    assert.equal(judgeAnswer({ ...usual, ...expected }, got).wrong, undefined);

  test('what is its own passes', () => {
    fine({}, right);
    fine({ method: 'HEAD' }, answer(200, own, ''));
    fine({ behaviour: 'server-error' }, answer(503, own, answerBody(nonce)));
    fine({ sent: 'x' }, answer(200, { ...own, 'x-body': digestOf('x') }, answerBody(nonce)));
  });

  test('the answer of another request, upstream, credential or body does not', () => {
    wrong({}, answer(200, { ...own, 'x-nonce': 'a-2' }, answerBody(nonce)), /answer of a-2/);
    wrong({}, answer(200, own, answerBody('a-2')), /body that is not its own/);
    wrong({}, answer(200, own, answerBody(nonce).slice(0, -1)), /body that is not its own/);
    wrong({}, answer(200, { ...own, 'x-from': 'other' }, answerBody(nonce)), /answered as "on other plain-g0"/);
    wrong({}, answer(200, { ...own, 'x-credential': 'plain-g1' }, answerBody(nonce)), /answered as "on plain plain-g1"/);
    wrong({ sent: 'x' }, answer(200, { ...own, 'x-body': digestOf('y') }, answerBody(nonce)), /another body than was sent/);
    wrong({ fields: { 'x-set': '1' } }, right, /x-set is undefined/);
    wrong({ method: 'HEAD' }, right, /body that is not its own/);
  });

  test('a whole answer where the upstream failed, or where the request had to be refused, does not', () => {
    wrong({ behaviour: 'short' }, right, /a whole answer where the upstream did short/);
    wrong({ refused: true, refusals: ['missing_api_key'] }, right, /had to be refused/);
    wrong({ route: new Set(['gone']) }, right, /where the route was gone/);
  });

  test('errors of the gateway pass for a reason only', () => {
    fine({ route: new Set(['gone']) }, problem(404, 'route_not_found'));
    fine({ route: new Set(['off']) }, problem(503, 'upstream_disabled'));
    fine({ behaviour: 'hang' }, problem(504, 'upstream_timeout'));
    fine({ route: new Set(['on plain plain-g0', 'down plain']) }, problem(502, 'upstream_reset'));
    fine({ refusals: ['rate_limit_exceeded'] }, problem(429, 'rate_limit_exceeded'));
    for (const [status, code] of [
      [404, 'route_not_found'],
      [503, 'upstream_disabled'],
      [504, 'upstream_timeout'],
      [502, 'upstream_reset'],
      [429, 'rate_limit_exceeded'],
      [500, 'internal_error'],
    ] as const)
      wrong({}, problem(status, code), new RegExp(`${status} ${code} where`));
    wrong({ refused: true, refusals: ['key_revoked'], behaviour: 'hang' }, problem(504, 'upstream_timeout'), /504/);
  });

  test('a time that is missed passes only where the soak itself was kept from running', () => {
    wrong({}, problem(504, 'upstream_connect_timeout'), /504/);
    fine({ machine: new Set(['timely', 'late']) }, problem(504, 'upstream_connect_timeout'));
    wrong({ machine: new Set(['late']) }, problem(502, 'upstream_reset'), /502/);
  });

  test('errors that tell too much, may be cached, or name another request do not pass', () => {
    const route = new Set(['gone']);
    wrong({ route }, problem(404, 'route_not_found', { 'cache-control': 'max-age=1' }), /may be cached/);
    wrong({ route }, problem(404, 'route_not_found', { 'x-request-id': 'r2' }), /names another request/);
    wrong({ route }, problem(404, 'route_not_found', { 'x-hint': '127.0.0.1:80' }), /names an address/);
  });

  test('a connection breaks with its upstream or its worker only', () => {
    const broken = new BrokenMessage(answer(200, own, answerBody(nonce).slice(0, 5)), 'reset');
    wrong({}, broken, /though nothing was the matter/);
    fine({ behaviour: 'reset-mid' }, broken);
    fine({ route: new Set(['on plain plain-g0', 'down plain']) }, broken);
    fine({ workers: new Set(['whole', 'dying']) }, broken);
    wrong({ behaviour: 'reset-mid' }, new BrokenMessage(answer(200, own, 'other'), 'reset'), /part of a body/);
    wrong({}, new Error('ended'), /ended/);
    fine({ workers: new Set(['dying']) }, new Error('ended'));
  });
});

test('while something changes both states are possible; who looked meanwhile knows both, who looks later the new one only', () => {
  const states = new PossibleStates('a');
  const early = states.open();
  states.begin('b');
  const between = states.open();
  states.settle('b');
  const late = states.open();
  assert.deepEqual([[...early.states], [...between.states], [...late.states]], [['a', 'b'], ['a', 'b'], ['b']]);
  early.close();
  states.settle('c');
  assert.deepEqual(
    [[...early.states], [...late.states]],
    [
      ['a', 'b'],
      ['b', 'c'],
    ],
  );
});

describe('the soak sees what is wrong with access records', () => {
  const line = (id: string, path: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
    request_id: id,
    path,
    outcome: 'ok',
    status: 200,
    ...more,
  });
  const kinds = (use: (ledger: RecordLedger) => void): string[] => {
    const findings = new Findings(() => undefined);
    const ledger = new RecordLedger(findings);
    use(ledger);
    ledger.look(performance.now(), true);
    return findings.kinds;
  };

  test('one that fits passes, whether it comes before the answer or after', () => {
    assert.deepEqual(
      kinds((ledger) => {
        ledger.expect('a-1', 200, ['ok']);
        ledger.line(line('r1', '/x/~a-1'));
        ledger.line(line('r2', '/x/~a-2'));
        ledger.expect('a-2', 200, ['ok']);
        ledger.line(line('r3', '/x'));
        ledger.expect('r3', 200);
        ledger.line({ msg: 'no record' });
        assert.deepEqual([ledger.records, ledger.matched], [3, 3]);
      }),
      [],
    );
  });

  test('a missing one, a second one, and one that tells otherwise do not', () => {
    assert.deepEqual(
      kinds((ledger) => ledger.expect('a-1', 200)),
      ['I6 no record'],
    );
    assert.deepEqual(
      kinds((ledger) => {
        ledger.line(line('r1', '/x/~a-1'));
        ledger.line(line('r1', '/x/~a-1'));
      }),
      ['I6 two records'],
    );
    assert.deepEqual(
      kinds((ledger) => {
        ledger.expect('a-1', 200, ['ok']);
        ledger.line(line('r1', '/x/~a-1', { status: 502, outcome: 'upstream_reset' }));
      }),
      ['I6 a record that tells otherwise', 'I6 an outcome that does not fit'],
    );
    assert.deepEqual(
      kinds((ledger) => ledger.line(line('r1', '/x', { outcome: 'odd' }))),
      ['I6 unknown outcome'],
    );
  });

  test('one is waited for, but not for ever', () => {
    const findings = new Findings(() => undefined);
    const ledger = new RecordLedger(findings);
    ledger.expect('a-1', 200);
    ledger.look();
    assert.deepEqual(findings.kinds, []);
    ledger.look(performance.now() + 11_000);
    assert.deepEqual(findings.kinds, ['I6 no record']);
  });
});

test('the soak sees what is left behind', () => {
  const base: Level = { sockets: 2, files: 40, held: [50_000_000, 30_000_000], resident: 200_000_000, timers: 4, connections: 0 };
  const kinds = (now: Partial<Level>): string[] => {
    const findings = new Findings(() => undefined);
    compareLevels(base, { ...base, ...now }, findings);
    return findings.kinds;
  };
  assert.deepEqual(kinds({}), []);
  assert.deepEqual(kinds({ held: [50_000_000, 42_000_000] }), ['I4 memory grew']);
  assert.deepEqual(kinds({ resident: 260_000_000 }), ['I4 resident memory grew']);
  assert.deepEqual(kinds({ files: 45 }), ['I4 descriptors are left']);
  assert.deepEqual(kinds({ sockets: 3 }), ['I4 sockets are left']);
  assert.deepEqual(kinds({ timers: 9 }), ['I4 timers are left']);
  assert.deepEqual(kinds({ connections: 17 }), ['I4 connections are held']);
});

test('changes that a soak makes lead from one consistent config to the next, and are all made', () => {
  const random = new Random(5);
  const names = ['d0', 'd1', 'd2', 'd3'];
  const revisions = new Map<number, DynamicConfig>();
  let config: DynamicConfig = { upstreams: new Map(), routes: new Map() };
  let generation = 0;
  const seen = new Set<string>();
  for (let turn = 0; turn < 500; turn += 1) {
    const change = chooseChange(random, config, {
      names,
      servers: new Map([['one', 'http://127.0.0.1:1']]),
      secretOf: (name, number) => `${name}-${number}`,
      nextGeneration: () => (generation += 1),
      revisions,
    });
    seen.add(change.what);
    config = change.next;
    revisions.set(turn, config);
    for (const { upstream } of config.routes.values()) assert.ok(config.upstreams.has(upstream));
    for (const name of names) assert.match(routeState(config, name), /^(gone|off|on one d\d-g\d+)$/);
  }
  assert.equal(seen.size, 16, [...seen].join(', '));
});

/** A soak of some seconds in a process of its own: its exit code and what it printed. */
async function soak(...flags: readonly string[]): Promise<{ code: unknown; output: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'run-soak.ts'), '--clients', '60', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [unknown];
  return { code, output };
}

describe('the soak as a whole', { skip: process.env['APIGATE_TEST_LONG'] !== '1' && 'takes minutes: set APIGATE_TEST_LONG=1' }, () => {
  test('finds nothing in ten seconds of everything at once', async () => {
    const { code, output } = await soak('--minutes', '0.25');
    assert.equal(code, 0, output);
    assert.match(output, /Nothing found/);
  });

  for (const sabotage of sabotages) {
    test(`finds what upstreams do wrong on purpose: ${sabotage}`, async () => {
      const { code, output } = await soak('--minutes', '0.2', '--sabotage', sabotage);
      assert.equal(code, 1, output);
      assert.match(output, sabotage === 'upload' ? /FOUND I2 an upload that is not its own/ : /FOUND an answer that may not be/);
    });
  }
});
