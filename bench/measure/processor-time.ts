import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** The process and everything it started that still runs. */
export function processTree(pid: number): number[] {
  const found = [pid];
  for (const each of found) {
    for (const thread of threads(each)) {
      const children = text(`/proc/${each}/task/${thread}/children`).trim();
      if (children !== '') found.push(...children.split(' ').map(Number));
    }
  }
  return found;
}

/**
 * CPU time that each thread of these processes has used so far, in nanoseconds, user and system together, by process and
 * thread id: the scheduler's own count, which has no ticks to round to. Linux only.
 */
export type ThreadTimes = ReadonlyMap<string, number>;

export function threadTimes(pids: readonly number[]): ThreadTimes {
  const times = new Map<string, number>();
  for (const pid of pids) {
    for (const thread of threads(pid)) {
      const [running] = text(`/proc/${pid}/task/${thread}/schedstat`).split(' ');
      if (running !== undefined && running !== '') times.set(`${pid}/${thread}`, Number(running));
    }
  }
  return times;
}

/** Microseconds used between two readings; a thread that ended in between is left out, one that began counts from nothing. */
export function microsecondsBetween(before: ThreadTimes, after: ThreadTimes): number {
  let total = 0;
  for (const [thread, time] of after) total += time - (before.get(thread) ?? 0);
  return total / 1_000;
}

/** Idle microseconds of all cores since the machine started. The kernel keeps them exactly, unlike the busy ones. */
export function machineIdle(): number {
  const [, , , , idle, waiting] = (text('/proc/stat').split('\n')[0] ?? '').split(/\s+/);
  return (Number(idle) + Number(waiting)) * 10_000;
}

/** Resident memory of all these processes, in KiB. Pages that processes share are counted for each. */
export function residentKiB(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + Number(/VmRSS:\s+(\d+)/.exec(text(`/proc/${pid}/status`))?.[1] ?? 0), 0);
}

export const coreCount = cpus().length;

function threads(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

// A process may end while it is looked at.
function text(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
