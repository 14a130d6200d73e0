import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface TcpSocket {
  readonly local: string;
  readonly remote: string;
  readonly state: string;
}

/** TCP connections (not listeners) that a process holds, from /proc. Slow where thousands of connections have just ended. */
export function tcpSocketsOf(pid: number): TcpSocket[] {
  const inodes = socketInodesOf(pid);
  return [...table(`/proc/${pid}/net/tcp`), ...table(`/proc/${pid}/net/tcp6`)].filter(
    ({ inode, state }) => state !== '0A' && inodes.has(inode),
  );
}

/** How many sockets other than Unix ones a process holds, listeners included. Quick, however many connections have ended. */
export function networkSocketsOf(pid: number): number {
  const unix = new Set(
    readFileSync(`/proc/${pid}/net/unix`, 'utf8')
      .split('\n')
      .map((line) => line.split(/\s+/)[6]),
  );
  return [...socketInodesOf(pid)].filter((inode) => !unix.has(inode)).length;
}

/** Open file descriptors of a process. */
export function openFilesOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Resident memory of a process in bytes. */
export function residentMemoryOf(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1]) * 1024;
}

function socketInodesOf(pid: number): Set<string> {
  const inodes = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const link = readlinkSync(`/proc/${pid}/fd/${fd}`);
      if (link.startsWith('socket:[')) inodes.add(link.slice(8, -1));
    } catch {
      // Closed between the listing and the look.
    }
  }
  return inodes;
}

function table(path: string): (TcpSocket & { readonly inode: string })[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => {
      const columns = line.trim().split(/\s+/);
      return { local: columns[1]!, remote: columns[2]!, state: columns[3]!, inode: columns[9]! };
    });
}

/** The port of an address as /proc writes it. */
export function portOf(address: string): number {
  return Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16);
}
