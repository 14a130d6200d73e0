import type { Policy } from './gateways/gateway.ts';
import { answerLengths } from './upstream.ts';

/** A load: what is asked, over how many connections. */
export interface LoadCase {
  readonly name: string;
  readonly title: string;
  readonly kind: 'load';
  /** Several: asked in turn. */
  readonly paths: readonly string[];
  /** null where it differs from one gateway to another. */
  readonly answerLength: number | null;
  /** Bytes of a POST; 0 is a GET. */
  readonly bodyLength: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly tls: boolean;
  /** As in GatewaySetup. */
  readonly routes: number;
  readonly workers: number;
  readonly policy: Policy;
  /** Whether an open load is measured too. */
  readonly latency: boolean;
  /** Gateway and load share all cores: to compare numbers of workers. Only for gateways that can have more than one. */
  readonly unpinned: boolean;
}

/** A load, with somebody following its requests and with nobody. */
export interface TailCase {
  readonly name: string;
  readonly title: string;
  readonly kind: 'tail';
  readonly load: LoadCase;
  /** Requests each second; null: as many as the gateway takes. */
  readonly rate: number | null;
}

/** A measurement that is not a load. */
export interface OtherCase {
  readonly name: string;
  readonly title: string;
  readonly kind: 'idle-connections' | 'start' | 'websocket';
}

export type Case = LoadCase | TailCase | OtherCase;

const load = (name: string, title: string, path: string, more: Partial<LoadCase> = {}): LoadCase => ({
  name,
  title,
  kind: 'load',
  paths: [path],
  answerLength: answerLengths[path] ?? 128,
  bodyLength: 0,
  headers: {},
  connections: 64,
  tls: false,
  routes: 0,
  workers: 1,
  policy: 'none',
  latency: true,
  unpinned: false,
  ...more,
});

const routed = (routes: number): Partial<LoadCase> => ({
  paths: Array.from({ length: routes }, (_, n) => `/r/${(n * 7_919) % routes}/x`),
  routes,
});

export const cases: readonly Case[] = [
  load('small', 'GET, 128 bytes, 64 connections', '/small'),
  load('small-1000', 'GET, 128 bytes, 1,000 connections', '/small', { connections: 1_000 }),
  load('10k', 'GET, 10 KiB', '/10k'),
  load('1m', 'GET, 1 MiB', '/1m'),
  load('post-1k', 'POST, 1 KiB', '/sink', { bodyLength: 1_024 }),
  load('post-100k', 'POST, 100 KiB', '/sink', { bodyLength: 102_400 }),
  load('head-1.6k', 'GET, 128 bytes, request head of 1.6 KiB', '/small', { headers: browserHead() }),
  load('tls', 'GET, 128 bytes, TLS in front', '/small', { tls: true }),
  load('routes-10', 'GET, 128 bytes, 10 routes asked in turn', '/r/', routed(10)),
  load('routes-10000', 'GET, 128 bytes, 10,000 routes asked in turn', '/r/', routed(10_000)),
  load('workers-1', 'GET, 128 bytes, one worker, all cores shared with the load', '/small', {
    unpinned: true,
  }),
  load('workers-2', 'GET, 128 bytes, two workers, all cores shared with the load', '/small', {
    unpinned: true,
    workers: 2,
  }),
  load('headers', 'GET, 128 bytes; a header set in the request and one in the response', '/small', { policy: 'headers', latency: false }),
  load('json', 'GET, 10 KiB of JSON', '/people', { latency: false }),
  load('json-mask', 'GET, 10 KiB of JSON; 110 e-mail addresses masked', '/people', {
    policy: 'mask',
    latency: false,
    answerLength: null,
  }),
  load('everything', 'GET, 128 bytes; 1,000 routes, API key, rate limit, two header changes against nginx with none of it', '/r/', {
    ...routed(1_000),
    policy: 'everything',
    latency: false,
  }),
  {
    name: 'tail',
    title: 'GET, 128 bytes, 5,000 requests/s, with a tail of all requests attached and without',
    kind: 'tail',
    load: load('tail', '', '/small'),
    rate: 5_000,
  },
  {
    name: 'tail-full',
    title: 'GET, 128 bytes, as many as it takes, with a tail of all requests attached and without',
    kind: 'tail',
    load: load('tail-full', '', '/small'),
    rate: null,
  },
  { name: 'websocket', title: 'WebSocket messages of 1 KiB, there and back, 64 connections', kind: 'websocket' },
  { name: 'idle', title: '10,000 idle keep-alive connections', kind: 'idle-connections' },
  { name: 'start', title: 'From start to the first proxied answer, warm', kind: 'start' },
];

/** What a browser sends with a few cookies: about 1,600 bytes with the start line and Host. */
function browserHead(): Record<string, string> {
  return {
    'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
    Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8',
    'Accept-Encoding': 'gzip, deflate, br, zstd',
    'Accept-Language': 'en-GB,en;q=0.9,de;q=0.8,fr;q=0.7',
    'Cache-Control': 'no-cache',
    Pragma: 'no-cache',
    Referer: 'https://shop.example.com/catalogue/garden/chairs?page=3&sort=price&colour=green',
    'Sec-CH-UA': '"Chromium";v="141", "Not?A_Brand";v="8", "Google Chrome";v="141"',
    'Sec-CH-UA-Mobile': '?0',
    'Sec-CH-UA-Platform': '"Linux"',
    'Sec-Fetch-Dest': 'document',
    'Sec-Fetch-Mode': 'navigate',
    'Sec-Fetch-Site': 'same-origin',
    'Upgrade-Insecure-Requests': '1',
    Authorization: `Bearer ${'eyJhbGciOiJFUzI1NiJ9.'.padEnd(300, 'A1b2C3d4')}`,
    Cookie: `session=${'0123456789abcdef'.repeat(4)}; theme=dark; consent=${'Yx9z'.repeat(84)}; basket=${'q7Lm'.repeat(24)}`,
  };
}
