import { readFileSync } from 'node:fs';

/** Follows a process's resident memory until `stop`, which answers the highest value seen, in bytes. Linux only. */
export function watchMemory(pid: number): { stop(): number } {
  let highest = residentMemory(pid);
  const timer = setInterval(() => {
    highest = Math.max(highest, residentMemory(pid));
  }, 50);
  return {
    stop() {
      clearInterval(timer);
      return Math.max(highest, residentMemory(pid));
    },
  };
}

/** Resident memory of a process in bytes. */
export function residentMemory(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`no resident memory in /proc/${pid}/status`);
  return Number(kilobytes) * 1024;
}
