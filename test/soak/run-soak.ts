// `npm run test:soak -- --minutes 30`: everything at once against a real gateway process, for as long as asked.
//
//   --minutes N    for how long (1)           --seed N       decides what is done; what meets what is up to the machine
//   --clients N    how many at once (200)     --sabotage X   upstreams do wrong now and then, to see that it is found:
//                                             nonce, upstream, body, credential, upload, end
//
// Traffic of many kinds, changes of the gateway config, sign-ins, upstreams and workers that fail; each answer is held
// against what may come of its request, and each must have its one record in the access log. Now and then all rest, and
// the gateway must be back at the level that it had when it was warm. Prints figures; exits with 1 when anything was wrong.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Random } from '../fuzz/random.ts';
import { openFilesOf, residentMemoryOf } from '../support/tcp-sockets.ts';
import { compareLevels, describeLevel, type Level, measureLevel, mebibytes } from './gateway-level.ts';
import { actors } from './soak-actors.ts';
import { Findings } from './soak-findings.ts';
import { operators } from './soak-operators.ts';
import { sabotages } from './soak-upstream.ts';
import { keyLimit, SoakWorld, workerCount } from './soak-world.ts';

/** Milliseconds. */
const longestPhase = 300_000;
const longestWarmUp = 60_000;
/** Milliseconds that the soak may be late before its own times mean nothing. */
const latest = 400;
const figuresOfLateness = { spells: 0, ms: 0 };

const { values: given } = parseArgs({
  options: { minutes: { type: 'string' }, seed: { type: 'string' }, clients: { type: 'string' }, sabotage: { type: 'string' } },
});
const minutes = positive('minutes', given.minutes ?? '1');
const seed = Math.floor(given.seed === undefined ? Math.random() * 2 ** 31 : positive('seed', given.seed));
const clients = Math.ceil(positive('clients', given.clients ?? '200'));
const sabotage = sabotages.find((each) => each === given.sabotage);
if (given.sabotage !== undefined && sabotage === undefined) usage(`--sabotage takes one of ${sabotages.join(', ')}`);

const findings = new Findings();
const world = new SoakWorld(findings);
const began = performance.now();
process.on('unhandledRejection', (error) => findings.add('the soak itself failed', (error as Error).stack ?? String(error)));
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    world.gateway?.process.kill('SIGKILL');
    process.exit(1);
  });

await world.start();
console.log(`seed ${seed}; ${minutes} minutes; ${clients} clients; gateway ${world.gateway.pid} on port ${world.gateway.port}`);
const end = performance.now() + minutes * 60_000;
const random = new Random(seed);
const watch = setInterval(() => {
  world.readOutput();
  world.forget();
}, 500);
const told = setInterval(tell, 15_000);
watchMachine();
/** How late the soak itself is: an upstream that stands still because of it is not the gateway's fault. */
const lag = monitorEventLoopDelay({ resolution: 10 });
lag.enable();
let base: Level | undefined;
for (let phase = 0; performance.now() < end && world.gateway.exit === undefined; phase += 1) {
  const left = end - performance.now();
  const length = phase === 0 ? Math.min(longestWarmUp, left / 4) : left < longestPhase * 1.5 ? left : longestPhase;
  if (phase > 0) world.sabotage = sabotage;
  await traffic(length);
  const level = await rest();
  console.log(`${seconds()} s, ${phase === 0 ? 'warm' : 'at rest'}: ${describeLevel(level)}`);
  if (base === undefined) base = level;
  else compareLevels(base, level, findings);
}
clearInterval(told);
await lookAtCounts();
clearInterval(watch);
const code = await world.stop();
world.readOutput(true);
if (code !== 0) findings.add('the gateway ended otherwise than it should', String(code));

for (const line of world.figures.lines()) console.log(line);
console.log(
  `the machine was overloaded ${figuresOfLateness.spells} times, ${Math.round(figuresOfLateness.ms / 1_000)} s in all; latencies of these times are left out`,
);
console.log(
  `records: ${world.ledger.records}, of which ${world.ledger.matched} were matched with answers; ` +
    `latency of quick answers: p50 ${ms(world.figures.quantile(0.5))}, p99 ${ms(world.figures.quantile(0.99))}, p99.9 ${ms(world.figures.quantile(0.999))}; ` +
    `worst: ${[...world.figures.worst].map(([kind, worst]) => `${kind} ${ms(worst)}`).join(', ')}`,
);
console.log(findings.count === 0 ? `Nothing found in ${seconds()} s (seed ${seed}).` : `${findings.count} findings (seed ${seed}):`);
for (const line of findings.summary()) console.log(`  ${line}`);
process.exit(findings.count === 0 ? 0 : 1);

/** Everybody at once, until the time is over and what was begun is done. */
async function traffic(length: number): Promise<void> {
  world.resting = false;
  const until = setTimeout(() => (world.resting = true), length);
  const running: Promise<void>[] = [];
  const keepOn = async (name: string, act: (own: Random) => Promise<void>): Promise<void> => {
    const own = new Random(random.below(2 ** 31));
    while (!world.resting && world.gateway.exit === undefined) {
      const before = performance.now();
      await act(own).catch((error: Error) => findings.add(`the soak itself failed (${name})`, error.stack ?? String(error)));
      // Who fails at once does not keep the machine busy with it.
      if (performance.now() - before < 5) await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  for (const { name, share, act } of actors)
    for (let count = Math.ceil((clients * share) / 100); count > 0; count -= 1) running.push(keepOn(name, (own) => act(world, own)));
  for (const operator of operators) running.push(keepOn(operator.name, (own) => operator.act(world, own)));
  await Promise.all(running);
  clearTimeout(until);
}

/** Nobody is there any more: what is left of it in the gateway. */
async function rest(): Promise<Level> {
  for (const server of world.servers.values()) await server.dropConnections();
  return await measureLevel(world.gateway, workerCount, base, findings);
}

/** I6 and the limit of the key, by the gateway's own count. */
async function lookAtCounts(): Promise<void> {
  // Every record is told by now.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  world.readOutput();
  world.ledger.look(performance.now(), true);
  const text = await (await fetch(`${world.gateway.url}/metrics`)).text();
  const value = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
  for (const name of ['apigate_log_lines_dropped_total', 'apigate_request_records_dropped_total'])
    if (value(name) !== 0) findings.add('I6 records were dropped', `${name} ${value(name)}`);
  // The request for this very page is under way.
  if (value('apigate_requests_in_flight') !== 1)
    findings.add('I6 requests are still counted as under way', String(value('apigate_requests_in_flight')));
  const passed = world.figures.limitedPassed;
  const most = keyLimit + (keyLimit * (performance.now() - began)) / 60_000 + 2;
  if (passed > most) findings.add('a key went beyond its limit', `${passed} requests where ${Math.floor(most)} are allowed`);
  world.figures.count('requests with the limited key', `${passed} of at most ${Math.floor(most)} passed`);
}

/** Marks the times at which the soak does not get to run, and some after each. */
function watchMachine(): void {
  let before = performance.now();
  let lateUntil = 0;
  setInterval(() => {
    const now = performance.now();
    if (now - before > latest) {
      lateUntil = now + 10_000;
      if (!world.machine.now.has('late')) figuresOfLateness.spells += 1;
      world.machine.begin('late');
    } else if (lateUntil > 0 && now > lateUntil) {
      lateUntil = 0;
      world.machine.settle('timely');
    }
    if (lateUntil > 0) figuresOfLateness.ms += now - before;
    before = now;
  }, 50).unref();
}

function tell(): void {
  const { pid } = world.gateway;
  console.log(
    `${seconds()} s: ${world.figures.total('requests')} requests, ${world.figures.total('changes')} changes, ${world.figures.total('faults')} faults; ` +
      `${openFilesOf(pid)} files, resident ${mebibytes(residentMemoryOf(pid))}; ` +
      `p99 ${ms(world.figures.quantile(0.99))}; soak itself ${mebibytes(process.memoryUsage.rss())}, late by ${ms(lag.max / 1e6)}; ${findings.count} findings`,
  );
  lag.reset();
}

function seconds(): number {
  return Math.round((performance.now() - began) / 1_000);
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) usage(`--${flag} takes a number above 0, not ${text}`);
  return value;
}

function usage(message: string): never {
  console.error(message);
  process.exit(2);
}
