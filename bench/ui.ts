import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { foreignProgram } from '../test/support/foreign-program.ts';
import { startNodeServer } from '../test/support/node-server.ts';
import type * as gateways from '../test/support/start-gateway.ts';
import { manyCount, manyUpstreams, measureStalls, type Stalls } from './measure-stalls.ts';

type Gateway = gateways.Gateway;

const usage = `npm run bench:ui -- [options]

How long a page of the admin UI takes to be there, opened by its address in a browser that knows nothing of it yet: no cache, no
compiled code, but signed in. Medians of all rounds; a busy machine makes the times longer, but hardly the CPU time, the requests
and the bytes. Then, in the list of a gateway with ${manyCount} upstreams, the longest task of the page's main thread, in CPU time,
while somebody types a search of eight letters, clears it, and scrolls from the first to the last: for so long the page stands still.

  --rounds N      times that each page is opened, 7
  --pages a,b     only these of: overview upstreams upstream routes route keys live history settings access many
  --beside DIR    another checkout, set up and built, measured in turns with this one
  --help`;

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    pages: { type: 'string' },
    beside: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

/** A page is there when this is: the data that it was opened for. */
const shown = {
  overview: ['/', '[aria-label="Requests now"]'],
  upstreams: ['/upstreams', '[aria-label="Enabled: service-0"]'],
  upstream: ['/upstreams/UPSTREAM', 'figure canvas'],
  routes: ['/routes', 'tbody a'],
  route: ['/routes/ROUTE', 'input[data-path="name"]'],
  keys: ['/keys', 'tbody a'],
  live: ['/live', 'tbody a'],
  history: ['/history', 'tbody a'],
  settings: ['/settings', 'tbody tr:nth-child(10)'],
  access: ['/access', 'tbody a'],
} as const;
type PageName = keyof typeof shown;

interface Measured {
  /** From the navigation to the first moment at which the data are shown and the page answers to input. Milliseconds. */
  readonly interactive: number;
  /** To the first text. */
  readonly firstPaint: number;
  /** Main thread of the page until then: JavaScript, and all together. Milliseconds of CPU time. */
  readonly script: number;
  readonly busy: number;
  readonly requests: number;
  readonly kilobytes: number;
}

interface Subject {
  readonly name: string;
  readonly gateway: Gateway;
  readonly cookie: string;
  readonly paths: Readonly<Record<'UPSTREAM' | 'ROUTE', string>>;
}

if (flags.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
/** The list of many upstreams, which is no page of its own. */
const many = 'many';
const wanted = flags.pages?.split(',') ?? [...Object.keys(shown), many];
const names = wanted.filter((name) => name !== many) as PageName[];
const unknown = names.find((name) => !(name in shown));
const rounds = Number(flags.rounds);
const program = foreignProgram('chromium') ?? foreignProgram('chromium-browser') ?? foreignProgram('google-chrome');
if (unknown !== undefined || !Number.isInteger(rounds) || rounds < 1 || program === undefined) {
  process.stderr.write(`${program === undefined ? 'not installed here: chromium' : usage}\n`);
  process.exit(2);
}

const upstream = await startNodeServer((_, response) => response.end('passed'));
const subjects = [await openSubject('this', resolve(import.meta.dirname, '..'))];
if (flags.beside !== undefined) subjects.push(await openSubject('beside', resolve(flags.beside)));
const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu'] });
try {
  if (names.length > 0) printHead('page', 'interactive', 'first paint', 'script CPU', 'busy CPU', 'requests', 'KB');
  for (const name of names) {
    const measured = new Map<Subject, Measured[]>(subjects.map((subject) => [subject, []]));
    // The first round is for the gateway, which reads the files when they are asked for first.
    for (let round = 0; round <= rounds; round += 1)
      for (const subject of subjects) {
        const one = await measure(browser, subject, name);
        if (round > 0) measured.get(subject)!.push(one);
      }
    for (const [subject, runs] of measured) process.stdout.write(`${rowOf(name, subject.name, runs)}\n`);
  }
  if (wanted.includes(many)) await printStalls(subjects);
} finally {
  await browser.close();
  for (const { gateway } of subjects) await gateway.stop();
  await upstream[Symbol.asyncDispose]();
}

/** After the pages, whose gateways are to be few things. */
async function printStalls(of: readonly Subject[]): Promise<void> {
  for (const { gateway } of of) await gateway.admin.must('POST', '/apply?prune=true', manyUpstreams());
  const measured = new Map<Subject, Stalls[]>(of.map((subject) => [subject, []]));
  for (let round = 0; round <= rounds; round += 1)
    for (const subject of of) {
      const one = await measureStalls(browser, subject.gateway.url, subject.cookie);
      if (round > 0) measured.get(subject)!.push(one);
    }
  printHead('longest task', 'typing', 'clearing', 'scrolling');
  for (const [{ name }, runs] of measured) {
    const ms = (key: keyof Stalls): string => `${Math.round(median(runs.map((run) => run[key])))} ms`.padStart(12);
    process.stdout.write(`${`${manyCount} rows`.padEnd(14)}${name.padEnd(10)}${ms('typing')}${ms('clearing')}${ms('scrolling')}\n`);
  }
}

function printHead(what: string, ...columns: readonly string[]): void {
  process.stdout.write(`${what.padEnd(14)}${'of'.padEnd(10)}${columns.map((column) => column.padStart(12)).join('')}\n`);
}

async function openSubject(name: string, checkout: string): Promise<Subject> {
  const support = (await import(join(checkout, 'test/support/start-gateway.ts'))) as typeof gateways;
  const { startGateway, adminEmail, adminPassword } = support;
  const gateway = await startGateway({ admin: true });
  let first: Awaited<ReturnType<Gateway['admin']['expose']>> | undefined;
  for (let number = 0; number < 30; number += 1) {
    const made = await gateway.admin.expose({ name: `service-${number}`, base_url: upstream.url });
    first ??= made;
    await gateway.admin.must('POST', '/keys', { name: `key ${number}` });
    await (await fetch(gateway.url + made.path)).text();
  }
  const answer = await fetch(`${gateway.url}/admin/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: adminEmail, password: adminPassword }),
  });
  const cookie = /session=([^;]+)/.exec(answer.headers.get('set-cookie') ?? '')?.[1];
  if (cookie === undefined) throw new Error(`sign-in answered ${answer.status}`);
  return { name, gateway, cookie, paths: { UPSTREAM: first!.upstreamId, ROUTE: first!.routeId } };
}

async function measure(browser: Browser, { gateway, cookie, paths }: Subject, name: PageName): Promise<Measured> {
  const [path, selector] = shown[name];
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    await context.addCookies([{ name: 'session', value: cookie, url: gateway.url, httpOnly: true, sameSite: 'Strict' }]);
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
    let requests = 0;
    let bytes = 0;
    await devtools.send('Network.enable');
    devtools.on('Network.requestWillBeSent', () => void (requests += 1));
    devtools.on('Network.loadingFinished', ({ encodedDataLength }) => void (bytes += encodedDataLength));
    await page.addInitScript({ content: tellWhenShown(selector) });
    const told = page.waitForEvent('console', { predicate: (message) => message.text().startsWith('interactive '), timeout: 60_000 });
    await page.goto(
      `${gateway.url}/ui${path}`.replace(/UPSTREAM|ROUTE/, (of) => paths[of as 'UPSTREAM' | 'ROUTE']),
      {
        waitUntil: 'commit',
      },
    );
    const [interactive = 0, firstPaint = 0] = (await told).text().split(' ').slice(1).map(Number);
    const { metrics } = await devtools.send('Performance.getMetrics');
    const seconds = (metric: string): number => metrics.find((each) => each.name === metric)?.value ?? 0;
    return {
      interactive,
      firstPaint,
      script: seconds('ScriptDuration') * 1_000,
      busy: seconds('TaskDuration') * 1_000,
      requests,
      kilobytes: bytes / 1_024,
    };
  } finally {
    await context.close();
  }
}

/** Text, as all that runs in a page: here is no document for a compiler to know. */
function tellWhenShown(selector: string): string {
  return `const look = () => {
    if (document.querySelector(${JSON.stringify(selector)}) === null) return requestAnimationFrame(look);
    // Where all comes with the first frame, the browser has not told of it yet.
    const paint = () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? performance.now();
    // Behind the frame that shows it, and behind all that was to be done before input is looked at.
    requestAnimationFrame(() => setTimeout(() => console.log('interactive', performance.now(), paint())));
  };
  requestAnimationFrame(look);`;
}

function rowOf(page: string, subject: string, runs: readonly Measured[]): string {
  const of = (key: keyof Measured): number => Math.round(median(runs.map((run) => run[key])));
  const ms = (key: keyof Measured): string => `${of(key)} ms`.padStart(12);
  const count = (key: keyof Measured): string => String(of(key)).padStart(12);
  return [
    page.padEnd(14),
    subject.padEnd(10),
    ms('interactive'),
    ms('firstPaint'),
    ms('script'),
    ms('busy'),
    count('requests'),
    count('kilobytes'),
  ].join('');
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
