import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadCase } from '../cases.ts';
import type { Gateway } from '../gateways/gateway.ts';
import type { Upstream } from '../upstream.ts';
import { closedLoad, openLoad } from './load.ts';
import type { Plan } from './measure-load.ts';
import { microsecondsBetween } from './processor-time.ts';
import type { FigureResult } from './results.ts';
import { type RunningGateway, startGateway } from './stage.ts';

/** What a tail was told in a window. */
interface Told {
  requests: number;
  dropped: number;
}

/**
 * What it costs that somebody follows the requests of a gateway. Turn and turn about, with a tail attached and without one: at a
 * rate of its own the CPU µs of the gateway for each request, else the requests each second that it takes at most.
 */
export async function measureTail(
  gateways: readonly Gateway[],
  load: LoadCase,
  rate: number | null,
  upstream: Upstream,
  plan: Plan,
): Promise<FigureResult[]> {
  const results: FigureResult[] = [];
  for (const gateway of gateways) {
    if (gateway.tail === undefined) continue;
    const running = await startGateway(gateway, upstream, { cores: plan.gatewayCores, workers: 1, routes: 0, tls: false });
    const without: number[] = [];
    const attached: number[] = [];
    try {
      const headers = await gateway.tail(running.setup);
      // The first round only warms up.
      for (let round = 0; round <= plan.rounds; round++) {
        for (const tailed of round % 2 === 0 ? [false, true] : [true, false]) {
          const told: Told = { requests: 0, dropped: 0 };
          const tail = tailed ? await attach(running.setup.adminPort, headers, told) : undefined;
          const figure = await oneWindow(running, load, rate, upstream, plan, told);
          tail?.destroy();
          if (round > 0) (tailed ? attached : without).push(figure);
        }
      }
      results.push({ gateway: gateway.name, figures: without }, { gateway: `${gateway.name}, tail attached`, figures: attached });
    } finally {
      await running.program.stop();
    }
  }
  return results;
}

async function oneWindow(
  running: RunningGateway,
  load: LoadCase,
  rate: number | null,
  upstream: Upstream,
  plan: Plan,
  told: Told,
): Promise<number> {
  const target = { port: running.setup.port, cores: plan.loadCores };
  const generator = rate === null ? closedLoad(target, load, plan.seconds + 5) : undefined;
  try {
    if (generator !== undefined) await sleep(700);
    const before = { ...told, requests: await upstream.requests(), shown: told.requests, times: running.times(), at: performance.now() };
    const latency = rate === null ? await sleep(plan.seconds * 1_000, null) : await openLoad(target, load, rate, plan.seconds);
    const micros = (performance.now() - before.at) * 1_000;
    const after = running.times();
    const spent = microsecondsBetween(before.times, after);
    // A tail costs the main thread alone, which says more than the sum on a machine that others use.
    const main = `${running.program.pid}/${running.program.pid}`;
    const spentByMain = ((after.get(main) ?? 0) - (before.times.get(main) ?? 0)) / 1_000;
    // The second question is a request too.
    const requests = (await upstream.requests()) - before.requests - 1;
    const shown = told.requests - before.shown;
    const figures = `${(spent / requests).toFixed(1)} µs (main thread ${(spentByMain / requests).toFixed(1)}), ${((requests / micros) * 1e6).toFixed(0)} requests/s`;
    const times = latency === null ? '' : `, p50 ${latency.p50} µs, p99 ${latency.p99} µs`;
    plan.say(`tail ${running.gateway.name}: ${figures}${times}; of ${requests} told ${shown}, left out ${told.dropped - before.dropped}`);
    return rate === null ? (requests / micros) * 1e6 : spent / requests;
  } finally {
    await generator?.stop();
  }
}

/** Follows all requests, and counts what it is told of. Read in this process: what a terminal would cost is not the gateway's. */
function attach(port: number, headers: Readonly<Record<string, string>>, told: Told): Promise<http.ClientRequest> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/admin/requests/stream', headers, agent: false }, (response) => {
      if (response.statusCode !== 200) {
        reject(new Error(`the tail was answered with ${response.statusCode}`));
        return;
      }
      let rest = '';
      response.setEncoding('latin1').on('data', (text: string) => {
        const events = (rest + text).split('\n\n');
        rest = events.pop() ?? '';
        for (const event of events) {
          if (event.startsWith('event: request')) told.requests++;
          else if (event.startsWith('event: dropped')) told.dropped += Number(/"count":(\d+)/.exec(event)?.[1]);
        }
      });
      // Cut by ourselves at the end of the window.
      response.on('error', () => {});
      resolve(request);
    });
    request.on('error', reject);
  });
}
