import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../test/support/free-port.ts';
import type { Gateway } from '../gateways/gateway.ts';
import type { Upstream } from '../upstream.ts';
import type { Plan } from './measure-load.ts';
import { microsecondsBetween } from './processor-time.ts';
import { start } from './programs.ts';
import type { FigureResult } from './results.ts';
import { type RunningGateway, startGateway } from './stage.ts';

/** CPU µs of the gateway's processes for each message that it relays, one way. Round for round each gateway has its turn. */
export async function measureWebSocket(gateways: readonly Gateway[], upstream: Upstream, plan: Plan): Promise<FigureResult[]> {
  const websocketPort = await freePort();
  const echo = start(process.execPath, [program('websocket-echo.ts'), String(websocketPort)], { cores: plan.loadCores });
  const running: RunningGateway[] = [];
  try {
    await sleep(500);
    for (const gateway of gateways) {
      if (!gateway.supports({ routes: 0, workers: 1, policy: 'websocket' })) continue;
      const wishes = { cores: plan.gatewayCores, workers: 1, routes: 0, tls: false, policy: 'websocket', websocketPort } as const;
      running.push(await startGateway(gateway, upstream, wishes));
    }
    const figures = new Map<RunningGateway, number[]>(running.map((each) => [each, []]));
    // The first round only warms up.
    for (let round = 0; round <= plan.rounds; round++) {
      for (const each of running) {
        const figure = await oneWindow(each, plan);
        if (round > 0) figures.get(each)!.push(figure);
      }
    }
    return running.map((each) => ({ gateway: each.gateway.name, figures: figures.get(each)! }));
  } finally {
    await Promise.all(running.map((each) => each.program.stop()));
    await echo.stop();
  }
}

async function oneWindow(running: RunningGateway, plan: Plan): Promise<number> {
  const args = ['-c', plan.loadCores, process.execPath, program('websocket-load.ts'), String(running.setup.port), String(plan.seconds)];
  const load = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let before = running.times();
  let spent = Number.NaN;
  let messages = Number.NaN;
  createInterface({ input: load.stdout }).on('line', (line) => {
    if (line === 'begin') {
      before = running.times();
    } else {
      spent = microsecondsBetween(before, running.times());
      messages = Number(line);
    }
  });
  const [code] = (await once(load, 'close')) as [number];
  if (code !== 0) throw new Error(`the WebSocket load through ${running.gateway.name} failed`);
  const figure = spent / messages;
  plan.say(`websocket ${running.gateway.name}: ${figure.toFixed(1)} µs, ${(messages / plan.seconds).toFixed(0)} messages/s`);
  return figure;
}

function program(name: string): string {
  return join(import.meta.dirname, name);
}
