import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { foreignProgram } from '../test/support/foreign-program.ts';
import { cases, type Case } from './cases.ts';
import { apigate } from './gateways/apigate.ts';
import { caddy } from './gateways/caddy.ts';
import type { Gateway } from './gateways/gateway.ts';
import { haproxy } from './gateways/haproxy.ts';
import { nginx } from './gateways/nginx.ts';
import { installNpmGateways, npmGateway } from './gateways/npm-gateway.ts';
import { machine } from './measure/machine.ts';
import { measureIdle } from './measure/measure-idle.ts';
import { measureLoad, type Plan } from './measure/measure-load.ts';
import { measureStart } from './measure/measure-start.ts';
import { measureTail } from './measure/measure-tail.ts';
import { measureWebSocket } from './measure/measure-websocket.ts';
import { coreCount } from './measure/processor-time.ts';
import { cleanUp, pinSelf } from './measure/programs.ts';
import type { CaseResult } from './measure/results.ts';
import { caseText, report } from './report.ts';
import { startUpstream, type Upstream } from './upstream.ts';

const usage = `npm run bench -- [options]

  --cases a,b      only these of: ${cases.map(({ name }) => name).join(' ')}
  --peers a,b      only these of: nginx haproxy caddy apigate http-proxy fastify-http-proxy fast-gateway
  --rounds N       windows for each gateway and case, 5
  --seconds N      length of a window, 5
  --quick          one round of two seconds: to see that all works, not to quote
  --quiet-share N  CPU time of others, as a share of one core, beyond which a window is dropped; 0.05
  --beside n=file  measure another APIGate too, under the name n: the src/main/apigate.ts of another checkout
  --write          write bench/RESULTS.md even though not everything was measured
  --add            put the cases measured now beside those of the last run, each as a whole
  --help`;

const options = {
  options: {
    cases: { type: 'string' },
    peers: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    'quiet-share': { type: 'string', default: '0.05' },
    beside: { type: 'string', multiple: true, default: [] as string[] },
    write: { type: 'boolean', default: false },
    add: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
} as const;
const flags = readFlags();

// nginx comes first: the rate at which latency is measured is half of what the first one takes.
const gateways: readonly Gateway[] = [
  nginx,
  haproxy,
  apigate(),
  caddy,
  npmGateway('fast-gateway', 'fast-gateway'),
  npmGateway('fastify-http-proxy', '@fastify/http-proxy'),
  npmGateway('http-proxy', 'http-proxy'),
];

process.once('exit', cleanUp);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}

try {
  if (flags.help) console.log(usage);
  else await main();
} catch (error) {
  console.error(error instanceof Error ? (flags.quick ? error.stack : error.message) : error);
  process.exitCode = 1;
}
// Whatever still runs after a failure is ended then.
process.exit();

function readFlags(): ReturnType<typeof parseArgs<typeof options>>['values'] {
  try {
    return parseArgs(options).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

async function main(): Promise<void> {
  const chosen = pick('case', flags.cases, cases);
  const asked = [...pick('peer', flags.peers, gateways), ...flags.beside.map(another)];
  const plan: Plan = {
    rounds: positive('rounds', flags.rounds ?? (flags.quick ? '1' : '5')),
    seconds: positive('seconds', flags.seconds ?? (flags.quick ? '2' : '5')),
    gatewayCores: '0',
    // The gateway has the first core for itself; load, upstream and this program have the others.
    loadCores: coreCount > 2 ? `1-${coreCount - 1}` : '1',
    quietShare: positive('quiet-share', flags['quiet-share']),
    tries: flags.quick ? 1 : 4,
    say: (text) => console.error(text),
  };
  checkTools();
  if (asked.some(({ name }) => /fast|http-proxy/.test(name))) installNpmGateways();
  const taking = asked.filter((gateway) => {
    const missing = gateway.missing();
    if (missing !== null) console.error(`left out, not installed here: ${missing}`);
    return missing === null;
  });
  if (taking.length === 0) throw new Error('none of the gateways is installed');
  pinSelf(plan.loadCores);
  const begun = new Date();
  const upstream = await startUpstream(plan.loadCores);
  const results: CaseResult[] = [];
  for (const each of chosen) {
    const result = await measured(each, taking, upstream, plan);
    results.push(result);
    console.log(caseText(result));
  }
  await upstream.stop();
  const about = {
    ...machine(taking),
    begun: begun.toISOString(),
    rounds: plan.rounds,
    seconds: plan.seconds,
    commit: commit(),
    severalRuns: flags.add,
  };
  const folder = join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const latest = join(folder, 'latest.json');
  const all = flags.add && existsSync(latest) ? withEarlier(results, latest) : results;
  writeFileSync(latest, `${JSON.stringify({ about, results: all }, null, 2)}\n`);
  const text = report(about, all);
  const whole = !flags.quick && chosen.length === cases.length && taking.length === gateways.length;
  if (whole || flags.write) writeFileSync(join(import.meta.dirname, 'RESULTS.md'), text);
  console.log(text.slice(text.indexOf('## Targets'), text.indexOf('## Cases')));
  console.log(`${whole || flags.write ? 'bench/RESULTS.md and ' : ''}bench/results/latest.json written`);
}

/** Ratios are taken within a case, so that whole cases of several runs can stand side by side. */
function withEarlier(results: readonly CaseResult[], file: string): CaseResult[] {
  const earlier = (JSON.parse(readFileSync(file, 'utf8')) as { results: CaseResult[] }).results;
  return cases.flatMap(({ name }) => [...results, ...earlier].find((each) => each.name === name) ?? []);
}

async function measured(each: Case, taking: readonly Gateway[], upstream: Upstream, plan: Plan): Promise<CaseResult> {
  const { name, title } = each;
  if (each.kind === 'load') return { name, title, loads: await measureLoad(each, taking, upstream, plan), figures: [], unit: '' };
  if (each.kind === 'websocket')
    return { name, title, loads: [], figures: await measureWebSocket(taking, upstream, plan), unit: 'CPU µs/message' };
  if (each.kind === 'tail') {
    const figures = await measureTail(taking, each.load, each.rate, upstream, plan);
    return { name, title, loads: [], figures, unit: each.rate === null ? 'requests/s' : 'CPU µs/request' };
  }
  if (each.kind === 'start') return { name, title, loads: [], figures: await measureStart(taking, upstream, plan), unit: 'ms' };
  return { name, title, loads: [], figures: await measureIdle(taking, upstream, plan), unit: 'KiB for each connection' };
}

function checkTools(): void {
  if (process.platform !== 'linux') throw new Error('the benchmark reads /proc and needs Linux');
  if (coreCount < 2) throw new Error('the benchmark needs two cores: one for the gateway, one for the load');
  const packages = { wrk: 'wrk', nginx: 'nginx-light', taskset: 'util-linux', openssl: 'openssl' };
  const missing = Object.entries(packages).filter(([program]) => foreignProgram(program) === undefined);
  if (missing.length === 0) return;
  throw new Error(
    `not installed here: ${missing.map(([program]) => program).join(', ')}. apt-get install ${missing.map(([, name]) => name).join(' ')}`,
  );
}

function another(text: string): Gateway {
  const [name = '', file = ''] = text.split('=');
  if (name === '' || !existsSync(file))
    throw new Error(`--beside takes a name and the file to run, as old=../old/src/main/apigate.ts, not ${text}`);
  return apigate(name, resolve(file));
}

function pick<T extends { readonly name: string }>(what: string, list: string | undefined, all: readonly T[]): readonly T[] {
  if (list === undefined) return all;
  const names = list.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => all.every((each) => each.name !== name));
  if (unknown !== undefined || names.length === 0)
    throw new Error(`there is no ${what} ${unknown ?? list}; there are: ${all.map(({ name }) => name).join(' ')}`);
  return all.filter(({ name }) => names.includes(name));
}

function positive(flag: string, text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`--${flag} takes a number above 0, not ${text}`);
  return number;
}

function commit(): string {
  return spawnSync('git', ['-C', import.meta.dirname, 'describe', '--always', '--dirty'], { encoding: 'utf8' }).stdout.trim();
}
