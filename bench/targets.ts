import { median, summarise, type CaseResult, type Summary } from './measure/results.ts';

/** What the project promises of its speed, and how it is seen in the results; NaN where it was not measured. */
export interface Target {
  readonly text: string;
  readonly limit: { readonly most: number; readonly least?: never } | { readonly least: number; readonly most?: never };
  readonly measure: (results: readonly CaseResult[]) => number;
}

type Figure = (summary: Summary) => number;
const cpu: Figure = ({ cpuMicros }) => cpuMicros;
const p99: Figure = (summary) => summary.p99;

export const targets: readonly Target[] = [
  { text: 'small GET: CPU against nginx', limit: { most: 0.95 }, measure: againstNginx('small', cpu) },
  { text: '10 KiB: CPU against nginx', limit: { most: 1 }, measure: againstNginx('10k', cpu) },
  { text: 'POST 1 KiB: CPU against nginx', limit: { most: 0.95 }, measure: againstNginx('post-1k', cpu) },
  { text: 'head of 1.6 KiB: CPU against nginx', limit: { most: 1 }, measure: againstNginx('head-1.6k', cpu) },
  { text: '1 MiB: CPU against nginx', limit: { most: 1.2 }, measure: againstNginx('1m', cpu) },
  { text: 'TLS: CPU against nginx', limit: { most: 1.3 }, measure: againstNginx('tls', cpu) },
  { text: 'small GET: p99 against nginx', limit: { most: 1.2 }, measure: againstNginx('small', p99) },
  { text: '1,000 connections: p99 against nginx', limit: { most: 1.2 }, measure: againstNginx('small-1000', p99) },
  { text: '10 KiB: p99 against nginx', limit: { most: 1.2 }, measure: againstNginx('10k', p99) },
  { text: 'POST 1 KiB: p99 against nginx', limit: { most: 1.2 }, measure: againstNginx('post-1k', p99) },
  {
    text: 'small GET: CPU of Caddy against ours',
    limit: { least: 5 },
    measure: (results) => figure(results, 'small', 'caddy', cpu) / figure(results, 'small', 'apigate', cpu),
  },
  ...['http-proxy', 'fastify-http-proxy', 'fast-gateway'].map((peer): Target => ({
    text: `small GET: CPU of ${peer} against ours`,
    limit: { least: 7 },
    measure: (results) => figure(results, 'small', peer, cpu) / figure(results, 'small', 'apigate', cpu),
  })),
  {
    text: '10,000 routes: CPU against 10 routes',
    limit: { most: 1.05 },
    measure: (results) => figure(results, 'routes-10000', 'apigate', cpu) / figure(results, 'routes-10', 'apigate', cpu),
  },
  {
    text: 'two workers: CPU against one',
    limit: { most: 1.1 },
    measure: (results) => figure(results, 'workers-2', 'apigate', cpu) / figure(results, 'workers-1', 'apigate', cpu),
  },
  {
    text: 'two header changes: µs of CPU',
    limit: { most: 5 },
    measure: (results) => figure(results, 'headers', 'apigate', cpu) - figure(results, 'small', 'apigate', cpu),
  },
  {
    text: '10 KiB JSON masked: µs of CPU',
    limit: { most: 150 },
    measure: (results) => figure(results, 'json-mask', 'apigate', cpu) - figure(results, 'json', 'apigate', cpu),
  },
  { text: 'everything on: CPU against nginx with none of it', limit: { most: 1.4 }, measure: againstNginx('everything', cpu) },
  {
    text: 'WebSocket message: CPU against nginx',
    limit: { most: 1.1 },
    measure: (results) => otherFigure(results, 'websocket') / otherFigure(results, 'websocket', 'nginx'),
  },
  {
    text: 'tail of 5,000 requests/s attached: CPU against without',
    limit: { most: 1.05 },
    measure: (results) => otherFigure(results, 'tail', 'apigate, tail attached') / otherFigure(results, 'tail'),
  },
  { text: 'idle connection: KiB of memory', limit: { most: 10 }, measure: (results) => otherFigure(results, 'idle') },
  { text: 'start to ready: milliseconds', limit: { most: 1_000 }, measure: (results) => otherFigure(results, 'start') },
];

function againstNginx(name: string, of: Figure): (results: readonly CaseResult[]) => number {
  return (results) => figure(results, name, 'apigate', of) / figure(results, name, 'nginx', of);
}

function figure(results: readonly CaseResult[], name: string, gateway: string, of: Figure): number {
  const found = results.find((result) => result.name === name)?.loads.find((load) => load.gateway === gateway);
  return found === undefined ? Number.NaN : of(summarise(found));
}

function otherFigure(results: readonly CaseResult[], name: string, of = 'apigate'): number {
  return median(results.find((result) => result.name === name)?.figures.find(({ gateway }) => gateway === of)?.figures ?? []);
}
