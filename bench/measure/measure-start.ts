import { setTimeout as sleep } from 'node:timers/promises';
import type { Gateway } from '../gateways/gateway.ts';
import { get, type Upstream } from '../upstream.ts';
import type { Plan } from './measure-load.ts';
import { coreCount } from './processor-time.ts';
import type { FigureResult } from './results.ts';
import { startGateway } from './stage.ts';

/**
 * Milliseconds from the start of the process, on all cores, until a request comes back through it; what it keeps on disk was
 * there before.
 */
export async function measureStart(gateways: readonly Gateway[], upstream: Upstream, plan: Plan): Promise<FigureResult[]> {
  const results: FigureResult[] = [];
  for (const gateway of gateways) {
    const figures: number[] = [];
    const first = await startGateway(gateway, upstream, { cores: `0-${coreCount - 1}`, workers: 1, routes: 0, tls: false });
    await first.program.stop();
    for (let round = 0; round < plan.rounds + 2; round++) {
      const begun = performance.now();
      const program = await gateway.start(first.setup);
      try {
        // Answers from the first program on: nginx and the like hold their routes in their files, APIGate in its database.
        while (
          !(await get(first.setup.port, '/small').then(
            ({ status }) => status === 200,
            () => false,
          ))
        ) {
          if (program.hasEnded || performance.now() - begun > 30_000) throw new Error(`${gateway.name} does not start: ${program.errors}`);
          await sleep(2);
        }
        figures.push(performance.now() - begun);
      } finally {
        await program.stop();
      }
    }
    plan.say(`start ${gateway.name}: ${figures.map((figure) => figure.toFixed(0)).join(', ')} ms`);
    results.push({ gateway: gateway.name, figures });
  }
  return results;
}
