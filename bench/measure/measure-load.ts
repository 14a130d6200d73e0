import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadCase } from '../cases.ts';
import type { Gateway } from '../gateways/gateway.ts';
import type { Upstream } from '../upstream.ts';
import { checkedLoad, closedLoad, type LoadTarget, openLoad } from './load.ts';
import { coreCount, machineIdle, microsecondsBetween, processTree, threadTimes } from './processor-time.ts';
import { type LatencyWindow, median, type GatewayResult, type Window } from './results.ts';
import { type RunningGateway, startGateway } from './stage.ts';

export interface Plan {
  readonly rounds: number;
  readonly seconds: number;
  readonly gatewayCores: string;
  readonly loadCores: string;
  /** CPU time of others, as a share of one core, beyond which a window is dropped. */
  readonly quietShare: number;
  /** How often a dropped window is tried again. */
  readonly tries: number;
  readonly say: (text: string) => void;
}

/**
 * One case: all its gateways at once, at rest but for the one whose turn it is. Round for round each gets a closed load and
 * a window in it; then, at half of what the first one took, an open load for latency.
 */
export async function measureLoad(load: LoadCase, gateways: readonly Gateway[], upstream: Upstream, plan: Plan): Promise<GatewayResult[]> {
  const cores = load.unpinned ? `0-${coreCount - 1}` : plan.gatewayCores;
  const target = (running: RunningGateway): LoadTarget => ({ port: running.setup.port, cores: load.unpinned ? cores : plan.loadCores });
  const taking = gateways.filter((gateway) =>
    gateway.supports({ routes: load.routes, workers: load.unpinned ? 2 : load.workers, policy: load.policy }),
  );
  const running: RunningGateway[] = [];
  try {
    for (const gateway of taking)
      running.push(
        await startGateway(gateway, upstream, { cores, workers: load.workers, routes: load.routes, tls: load.tls, policy: load.policy }),
      );
    const asked = (each: RunningGateway): LoadCase => ({ ...load, headers: { ...load.headers, ...each.headers } });
    for (const each of running) await checkAnswer(each, load);
    const windows = new Map<RunningGateway, Window[]>(running.map((each) => [each, []]));
    // The first round starts with a warm-up that a just-in-time compiler needs, and shows that all answers are good.
    for (const each of running) await checkedLoad(target(each), asked(each), Math.max(2, plan.seconds / 2));
    for (let round = 0; round < plan.rounds; round++) {
      for (const each of running)
        windows.get(each)!.push(await quietest(plan, () => oneWindow(each, asked(each), target(each), upstream, plan)));
    }
    const latencies = new Map<RunningGateway, LatencyWindow[]>(running.map((each) => [each, []]));
    const rate = median((windows.get(running[0]!) ?? []).map((window) => window.rate)) / 2;
    for (let round = 0; round < plan.rounds && load.latency && !load.unpinned; round++) {
      for (const each of running)
        latencies.get(each)!.push(await quietest(plan, () => latencyWindow(each, asked(each), target(each), rate, upstream, plan)));
    }
    return running.map((each) => ({
      gateway: each.gateway.name,
      windows: windows.get(each)!,
      latencies: latencies.get(each)!,
      offeredRate: rate,
    }));
  } finally {
    await Promise.all(running.map((each) => each.program.stop()));
  }
}

async function checkAnswer(running: RunningGateway, load: LoadCase): Promise<void> {
  const answer = await running.get(load.paths.at(-1)!);
  if (answer.status === 200 && (load.answerLength === null || answer.body.length === load.answerLength)) return;
  throw new Error(
    `${running.gateway.name} answers ${load.paths.at(-1)} with ${answer.status} and ${answer.body.length} bytes, not ${load.answerLength ?? 'as many as they are'}`,
  );
}

/** Takes a window again while others use the machine, and answers the best one. */
async function quietest<T extends { readonly quiet: boolean; readonly othersShare: number }>(
  plan: Plan,
  take: () => Promise<T>,
): Promise<T> {
  let best = await take();
  for (let attempt = 1; attempt < plan.tries && !best.quiet; attempt++) {
    const window = await take();
    if (window.othersShare < best.othersShare) best = window;
  }
  return best;
}

async function oneWindow(running: RunningGateway, load: LoadCase, target: LoadTarget, upstream: Upstream, plan: Plan): Promise<Window> {
  const warmUp = load.connections > 500 ? 1.5 : 0.7;
  const generator = closedLoad(target, load, warmUp + plan.seconds + 5);
  try {
    await sleep(warmUp * 1_000);
    const spent = () =>
      new Map([...running.times(), ...upstream.times(), ...threadTimes([process.pid]), ...threadTimes(processTree(generator.pid))]);
    const requestsBefore = await upstream.requests();
    const gatewayBefore = running.times();
    const oursBefore = spent();
    const others = watchOthers();
    await sleep(plan.seconds * 1_000);
    const residentKiB = running.residentKiB();
    // The second question is a request too.
    const requests = (await upstream.requests()) - requestsBefore - 1;
    const cpuMicros = microsecondsBetween(gatewayBefore, running.times());
    const { othersShare, micros } = others(microsecondsBetween(oursBefore, spent()));
    if (generator.hasEnded || running.program.hasEnded)
      throw new Error(`${running.gateway.name} or wrk ended early: ${running.program.errors} ${generator.errors}`);
    if (requests === 0) throw new Error(`nothing came through ${running.gateway.name}`);
    const window = {
      cpuMicros: cpuMicros / requests,
      rate: (requests / micros) * 1e6,
      residentKiB,
      gatewayShare: cpuMicros / micros,
      othersShare,
      quiet: othersShare <= plan.quietShare,
    };
    const seen = `${window.cpuMicros.toFixed(1)} µs, ${window.rate.toFixed(0)} requests/s, ${percent(window.gatewayShare)} of its core`;
    plan.say(`${load.name} ${running.gateway.name}: ${seen}, others ${percent(othersShare)}${window.quiet ? '' : ': dropped'}`);
    return window;
  } finally {
    await generator.stop();
  }
}

async function latencyWindow(
  running: RunningGateway,
  load: LoadCase,
  target: LoadTarget,
  rate: number,
  upstream: Upstream,
  plan: Plan,
): Promise<LatencyWindow> {
  const spent = () => new Map([...running.times(), ...upstream.times(), ...threadTimes([process.pid])]);
  const oursBefore = spent();
  const others = watchOthers();
  const latency = await openLoad(target, load, rate, plan.seconds);
  const { othersShare } = others(microsecondsBetween(oursBefore, spent()) + latency.cpuMicros);
  const quiet = othersShare <= plan.quietShare;
  const seen = `p50 ${latency.p50} µs, p99 ${latency.p99} µs at ${latency.rate.toFixed(0)} of ${rate.toFixed(0)} requests/s`;
  plan.say(`${load.name} ${running.gateway.name}: ${seen}, others ${percent(othersShare)}${quiet ? '' : ': dropped'}`);
  return { ...latency, othersShare, quiet };
}

/** Afterwards, told what was ours, says how much of a core all others used from now on. */
function watchOthers(): (ours: number) => { othersShare: number; micros: number } {
  const at = performance.now();
  const idle = machineIdle();
  return (ours) => {
    const micros = (performance.now() - at) * 1_000;
    return { micros, othersShare: Math.max(0, (micros * coreCount - (machineIdle() - idle) - ours) / micros) };
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
