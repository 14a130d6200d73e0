import { eventually } from '../support/eventually.ts';
import type { Gateway } from '../support/start-gateway.ts';
import { networkSocketsOf, openFilesOf, residentMemoryOf } from '../support/tcp-sockets.ts';
import { threadMemory } from '../support/thread-probe.ts';
import type { Findings } from './soak-findings.ts';

/** What the gateway holds while nobody uses it. */
export interface Level {
  readonly sockets: number;
  readonly files: number;
  /** Held after a garbage collection, in bytes: main first, then the workers. */
  readonly held: readonly number[];
  readonly resident: number;
  readonly timers: number;
  readonly connections: number;
}

const mebibyte = 1_048_576;
/** I4: what may be held beyond the level at the start. */
const allowed = { held: 10 * mebibyte, files: 4, timers: 4 };
/** What the allocator keeps of what was freed varies from rest to rest. */
const residentSlack = 48 * mebibyte;

/** Waits for at most 10 s until no connection is left, and measures. */
export async function measureLevel(gateway: Gateway, workers: number, base: Level | undefined, findings: Findings): Promise<Level> {
  const sockets = (): number => networkSocketsOf(gateway.pid);
  const most = base?.sockets ?? workers;
  await eventually(
    () => sockets() <= most,
    () => `${sockets()} sockets`,
  ).catch(() => findings.add('I4 sockets are left', `${sockets()} and not ${most}`));
  if (base !== undefined)
    await eventually(
      () => openFilesOf(gateway.pid) <= base.files + allowed.files,
      () => `${openFilesOf(gateway.pid)} files`,
    ).catch(() => findings.add('I4 descriptors are left', `${openFilesOf(gateway.pid)} and not ${base.files}`));
  const threads = [await threadMemory(gateway, 'main')];
  for (let worker = 1; worker <= workers; worker += 1) threads.push(await threadMemory(gateway, worker));
  const sum = (of: 'timers' | 'connections'): number => threads.reduce((total, thread) => total + thread[of], 0);
  return {
    sockets: sockets(),
    files: openFilesOf(gateway.pid),
    held: threads.map(({ bytes }) => bytes),
    resident: residentMemoryOf(gateway.pid),
    timers: sum('timers'),
    connections: sum('connections'),
  };
}

/** I4: what is more than it was when the gateway was warm. */
export function compareLevels(base: Level, now: Level, findings: Findings): void {
  const held = (level: Level): number => level.held.reduce((sum, bytes) => sum + bytes, 0);
  const grown = held(now) - held(base);
  if (grown > Math.max(allowed.held, held(base) * 0.05))
    findings.add('I4 memory grew', `${mebibytes(held(base))} before, ${mebibytes(held(now))} now`);
  if (now.resident - base.resident > residentSlack)
    findings.add('I4 resident memory grew', `${mebibytes(base.resident)} before, ${mebibytes(now.resident)} now`);
  if (now.files > base.files + allowed.files) findings.add('I4 descriptors are left', `${now.files} and not ${base.files}`);
  if (now.sockets > base.sockets) findings.add('I4 sockets are left', `${now.sockets} and not ${base.sockets}`);
  if (now.timers > base.timers + allowed.timers) findings.add('I4 timers are left', `${now.timers} and not ${base.timers}`);
  // A pool of connection objects may keep a few for reuse.
  if (now.connections > base.connections + 16) findings.add('I4 connections are held', `${now.connections} and not ${base.connections}`);
}

export function describeLevel(level: Level): string {
  return `${level.sockets} sockets, ${level.files} files, ${level.timers} timers, ${level.connections} connection objects, held ${level.held
    .map(mebibytes)
    .join(' + ')}, resident ${mebibytes(level.resident)}`;
}

export function mebibytes(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1)} MiB`;
}
