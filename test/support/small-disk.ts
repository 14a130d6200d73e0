import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of its own that is small enough to fill. */
export interface SmallDisk {
  readonly path: string;
  unmount(): void;
}

/** Why there can be none here, for a test's `skip`; false where there can. */
export const noSmallDisk: string | false = reasonAgainst();

/** Mounts a file system in memory. */
export function mountSmallDisk(bytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'apigate-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'apigate-test', path], { stdio: 'pipe' });
  return {
    path,
    unmount() {
      execFileSync('umount', ['--lazy', path], { stdio: 'pipe' });
      rmdirSync(path);
    },
  };
}

function reasonAgainst(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can mount a small disk';
  try {
    mountSmallDisk(65_536).unmount();
    return false;
  } catch (error) {
    return `no small disk can be mounted here: ${error instanceof Error ? (error.message.split('\n')[1] ?? error.message) : String(error)}`;
  }
}
