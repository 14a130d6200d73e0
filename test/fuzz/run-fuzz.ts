// `npm run fuzz -- --minutes 10`: random requests and responses against a real gateway process, for as long as asked.
//
//   --minutes N   for how long (1)          --cases N   at most so many cases
//   --seed N      the same cases again      --replay W  one case, as a failure prints it
//
// Prints what it found, shrunk, with the word that replays it; exits with 1 when there was anything.

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { requestSeeds, responseSeeds } from '../support/message-mutations.ts';
import { startGateway } from '../support/start-gateway.ts';
import { openFilesOf, residentMemoryOf, tcpSocketsOf } from '../support/tcp-sockets.ts';
import { probeEnvironment, threadMemory } from '../support/thread-probe.ts';
import { eventually } from '../support/eventually.ts';
import { type Corpus, decodeCase, encodeCase, type FuzzCase, generateCase } from './fuzz-case.ts';
import { FuzzRig } from './fuzz-rig.ts';
import { Random } from './random.ts';
import { RecordingUpstream } from './recording-upstream.ts';
import { shrinkCase } from './shrink-case.ts';
import type { Failure } from './try-cases.ts';

const batchSize = 24;
/** Bytes that the gateway may hold on to beyond what it did when it was warm. */
const growthLimit = 8 * 1_048_576;
/** This many kinds of failure are enough to look at. */
const enough = 12;

const { values: given } = parseArgs({
  options: { minutes: { type: 'string' }, cases: { type: 'string' }, seed: { type: 'string' }, replay: { type: 'string' } },
});
const seed = given.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : wholeNumber('seed', given.seed);
const minutes = given.minutes === undefined ? (given.cases === undefined ? 1 : Infinity) : number('minutes', given.minutes);
const most = given.cases === undefined ? Infinity : wholeNumber('cases', given.cases);

const upstream = await RecordingUpstream.start();
const gateway = await startGateway({ upstream: upstream.upstream.url, env: probeEnvironment });
const rig = new FuzzRig(gateway, upstream);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void finish(1));
const found = new Map<string, string>();
const statistics = new Map<string, number>();

if (given.replay !== undefined) {
  report(decodeCase(given.replay), await rig.alone(decodeCase(given.replay)));
  await finish(found.size === 0 ? 0 : 1);
}

console.log(`seed ${seed}; ${most === Infinity ? `${minutes} minutes` : `${most} cases`}; gateway ${gateway.pid} on port ${gateway.port}`);
const random = new Random(seed);
const corpus = readCorpus();
const begin = performance.now();
const files = openFilesOf(gateway.pid);
let memory = 0;
let tried = 0;
let told = begin;
while (tried < most && performance.now() - begin < minutes * 60_000 && found.size < enough && rig.alive) {
  const batch = random.times(Math.min(batchSize, most - tried), () => generateCase(random, corpus));
  const failed = await rig.together(batch, statistics);
  tried += batch.length;
  if (failed.length > 0) await investigate(batch, failed);
  // Warm by now: what comes on top of this is growth.
  if (memory === 0 && (tried >= 4_000 || performance.now() - begin > 20_000)) memory = await heldMemory();
  if (performance.now() - told > 15_000) {
    told = performance.now();
    console.log(
      `${tried} cases, ${Math.round(tried / ((told - begin) / 1000))}/s, ${mebibytes(residentMemoryOf(gateway.pid))}, ${found.size} findings`,
    );
  }
}
await lookAtRest();
console.log(`${tried} cases in ${Math.round((performance.now() - begin) / 1000)} s`);
console.log(
  [...statistics]
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, 25)
    .map(([what, count]) => `${what}: ${count}`)
    .join(', '),
);
console.log(found.size === 0 ? `Nothing found (seed ${seed}).` : `${found.size} findings (seed ${seed}).`);
await finish(found.size === 0 ? 0 : 1);

/** Finds out which case of a batch it was, and the shortest form of it. */
async function investigate(batch: readonly FuzzCase[], failed: readonly Failure[]): Promise<void> {
  let explained = false;
  for (const fuzz of batch) {
    const failures = await rig.alone(fuzz);
    for (const failure of failures) {
      explained = true;
      if (found.has(failure.sign)) continue;
      const small = await shrinkCase(fuzz, async (candidate) => (await rig.alone(candidate)).some((each) => each.sign === failure.sign));
      report(small, [(await rig.alone(small)).find((each) => each.sign === failure.sign) ?? failure]);
    }
  }
  if (explained) return;
  for (const failure of failed) {
    if (found.has(`together: ${failure.sign}`)) continue;
    found.set(`together: ${failure.sign}`, failure.detail);
    console.log(
      `\nFOUND (only with others at the same time) ${failure.sign}: ${failure.detail}\n  batch: ${batch.map(encodeCase).join(' ')}\n`,
    );
  }
}

function report(fuzz: FuzzCase, failures: readonly Failure[]): void {
  for (const { sign, detail } of failures) {
    found.set(sign, detail);
    console.log(
      `\nFOUND ${sign}: ${detail}\n  ${fuzz.kind} bytes: ${JSON.stringify(fuzz.bytes.latin1Slice())}\n  base64: ${fuzz.bytes.toString('base64')}\n  cuts: ${fuzz.cuts.join(',')}\n  replay: npm run fuzz -- --replay ${encodeCase(fuzz)}\n`,
    );
  }
}

/** The gateway is as it was: no connection, descriptor or memory is left over. */
async function lookAtRest(): Promise<void> {
  if (!rig.alive) {
    found.set('died', gateway.output.slice(-4_000));
    console.log(`\nFOUND the gateway ended with ${gateway.exit}\n${gateway.output.slice(-4_000)}`);
    return;
  }
  await rig.settle();
  try {
    await eventually(
      () => tcpSocketsOf(gateway.pid).length === 0 && openFilesOf(gateway.pid) <= files + 4,
      () => `${tcpSocketsOf(gateway.pid).length} connections, ${openFilesOf(gateway.pid)} files (${files} at the start)`,
      15_000,
    );
  } catch (error) {
    found.set('left behind', String(error));
    console.log(`\nFOUND left behind: ${String(error)}`);
  }
  const now = await heldMemory();
  console.log(
    `held after garbage collection: ${mebibytes(memory)} when warm, ${mebibytes(now)} at the end; resident: ${mebibytes(residentMemoryOf(gateway.pid))}`,
  );
  if (memory > 0 && now > memory + growthLimit) {
    found.set('memory', 'grew');
    console.log(`\nFOUND memory grew by more than ${mebibytes(growthLimit)}`);
  }
}

async function heldMemory(): Promise<number> {
  return (await threadMemory(gateway, 'main')).bytes + (await threadMemory(gateway, 1)).bytes;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

function readCorpus(): Corpus {
  const path = process.env['APIGATE_VECTORS'] ?? resolve(import.meta.dirname, '../../../shared/vectors/llhttp.json');
  const vectors = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as { vectors: { kind: string; base64: string }[] }).vectors
    : [];
  const of = (kind: string): string[] =>
    vectors.filter((vector) => vector.kind === kind).map((vector) => Buffer.from(vector.base64, 'base64').latin1Slice());
  return { request: [...requestSeeds, ...of('request')], response: [...responseSeeds, ...of('response')] };
}

async function finish(code: number): Promise<never> {
  await rig.close();
  await gateway.stop();
  process.exit(code);
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) usage(`--${flag} takes a whole number, not ${text}`);
  return value;
}

function number(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) usage(`--${flag} takes a number above 0, not ${text}`);
  return value;
}

function usage(message: string): never {
  console.error(message);
  process.exit(2);
}
