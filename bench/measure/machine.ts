import { cpus, release, totalmem } from 'node:os';
import { spawnSync } from 'node:child_process';
import { foreignProgram } from '../../test/support/foreign-program.ts';
import type { Gateway } from '../gateways/gateway.ts';

/** What a reader must know of the machine to compare. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly versions: Readonly<Record<string, string>>;
}

export function machine(gateways: readonly Gateway[]): Machine {
  const [first] = cpus();
  return {
    processor: first?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    versions: {
      ...Object.fromEntries(gateways.map((gateway) => [gateway.name, gateway.version()])),
      wrk: /wrk (?:debian\/)?(\S+)/.exec(spawnSync(foreignProgram('wrk')!, ['-v'], { encoding: 'utf8' }).stdout)?.[1] ?? '',
    },
  };
}
