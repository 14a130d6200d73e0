import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Gateway } from '../gateways/gateway.ts';
import type { Upstream } from '../upstream.ts';
import type { Plan } from './measure-load.ts';
import type { FigureResult } from './results.ts';
import { type RunningGateway, startGateway } from './stage.ts';

const connections = 10_000;

/**
 * KiB of resident memory for each of 10,000 connections that asked once and then rest, kept alive. Fresh processes, lightly
 * warmed.
 */
export async function measureIdle(gateways: readonly Gateway[], upstream: Upstream, plan: Plan): Promise<FigureResult[]> {
  const results = gateways.map((gateway) => ({ gateway: gateway.name, figures: [] as number[] }));
  for (let round = 0; round < plan.rounds; round++) {
    for (const [index, gateway] of gateways.entries()) {
      const running = await startGateway(gateway, upstream, { cores: plan.gatewayCores, workers: 1, routes: 0, tls: false });
      try {
        // What first requests make is not the connections'; garbage of many requests would hide what is.
        for (let n = 0; n < 1_000; n++) await running.get('/small');
        await sleep(1_000);
        const figure = await growth(running);
        plan.say(`idle ${gateway.name}: ${figure.toFixed(2)} KiB for each connection`);
        results[index]!.figures.push(figure);
      } finally {
        await running.program.stop();
      }
    }
  }
  return results;
}

async function growth(running: RunningGateway): Promise<number> {
  const before = running.residentKiB();
  const sockets: net.Socket[] = [];
  let lost = 0;
  try {
    while (sockets.length < connections) {
      const batch = await Promise.all(Array.from({ length: 100 }, () => askedOnce(running.setup.port)));
      for (const socket of batch) socket.on('close', () => (lost += 1));
      sockets.push(...batch);
    }
    await sleep(2_000);
    const after = running.residentKiB();
    if (lost > 0) throw new Error(`${running.gateway.name} closed ${lost} of ${connections} idle connections`);
    return (after - before) / connections;
  } finally {
    for (const socket of sockets) socket.removeAllListeners('close').destroy();
  }
}

async function askedOnce(port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('GET /small HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  if (!answer.subarray(0, 12).equals(Buffer.from('HTTP/1.1 200')))
    throw new Error(`an answer that is no 200: ${answer.subarray(0, 100).toString()}`);
  socket.on('error', () => undefined);
  return socket;
}
