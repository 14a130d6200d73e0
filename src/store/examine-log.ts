import { readFileSync } from 'node:fs';

/** What a write-ahead log is like, before SQLite opens it. */
export type LogState =
  /** Whole, or not there. */
  | { readonly kind: 'sound' }
  /** Ends in the middle of a change, as after a crash; that change was never acknowledged. */
  | { readonly kind: 'cut' }
  /** Changes in it that were complete cannot be read any more. */
  | { readonly kind: 'damaged'; readonly reason: string };

const headerBytes = 32;
const frameHeaderBytes = 24;
/** Of the file format; the last bit says in which byte order checksums are made. */
const magic = 0x377f0682;
const formatVersion = 3_007_000;

/**
 * Reads a write-ahead log as SQLite does (https://sqlite.org/fileformat2.html#walformat), and tells what SQLite keeps to
 * itself: it takes the log up to the first frame that does not fit and leaves out the rest in silence, whether that is a
 * change that was being written when the power went, or a hundred acknowledged ones behind a damaged sector.
 *
 * A change is on the disk before the next one begins. So behind a frame that does not fit, a crash leaves one commit at
 * most; two prove that frames which once were whole are not any more.
 */
export function examineLog(path: string): LogState {
  let log: Buffer;
  try {
    log = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'sound' };
    throw error;
  }
  if (log.length === 0) return { kind: 'sound' };
  if (log.length <= headerBytes) return { kind: 'cut' };
  const littleEndian = log.readUInt32BE(0) === magic;
  if (!littleEndian && log.readUInt32BE(0) !== magic + 1) return damaged('it does not begin as one');
  if (log.readUInt32BE(4) !== formatVersion) return damaged('its format is unknown');
  const checksum = new Checksum(littleEndian);
  checksum.add(log, 0, 24);
  if (!checksum.is(log, 24)) return damaged('the checksum of its header does not fit');
  return examineFrames(log, log.readUInt32BE(8), checksum);
}

function examineFrames(log: Buffer, pageSize: number, checksum: Checksum): LogState {
  const frameBytes = frameHeaderBytes + pageSize;
  const salt = log.subarray(16, 24);
  let uncommitted = false;
  for (let at = headerBytes; at < log.length; at += frameBytes) {
    if (at + frameBytes > log.length) {
      // Too few bytes to tell: the rest of an earlier log ends on a frame.
      return { kind: 'cut' };
    }
    const ours = log.subarray(at + 8, at + 16).equals(salt);
    if (ours) {
      checksum.add(log, at, 8);
      checksum.add(log, at + frameHeaderBytes, pageSize);
    }
    if (!ours || !checksum.is(log, at + 16)) {
      const commits = commitsFrom(log, at, frameBytes, salt);
      if (commits > 1) return damaged(`${commits} changes behind byte ${at} cannot be read`);
      return { kind: ours || uncommitted || commits > 0 ? 'cut' : 'sound' };
    }
    uncommitted = log.readUInt32BE(at + 4) === 0;
  }
  return { kind: uncommitted ? 'cut' : 'sound' };
}

/** How many frames from there on end a change of this log; its salt tells them from what an earlier log has left. */
function commitsFrom(log: Buffer, from: number, frameBytes: number, salt: Buffer): number {
  let commits = 0;
  for (let at = from; at + frameBytes <= log.length; at += frameBytes) {
    if (log.subarray(at + 8, at + 16).equals(salt) && log.readUInt32BE(at + 4) !== 0) commits += 1;
  }
  return commits;
}

/** The running checksum over header and frames. */
class Checksum {
  readonly #littleEndian: boolean;
  #first = 0;
  #second = 0;

  constructor(littleEndian: boolean) {
    this.#littleEndian = littleEndian;
  }

  add(log: Buffer, from: number, length: number): void {
    let first = this.#first;
    let second = this.#second;
    for (let at = from; at < from + length; at += 8) {
      const left = this.#littleEndian ? log.readUInt32LE(at) : log.readUInt32BE(at);
      const right = this.#littleEndian ? log.readUInt32LE(at + 4) : log.readUInt32BE(at + 4);
      first = (first + left + second) >>> 0;
      second = (second + right + first) >>> 0;
    }
    this.#first = first;
    this.#second = second;
  }

  is(log: Buffer, at: number): boolean {
    return log.readUInt32BE(at) === this.#first && log.readUInt32BE(at + 4) === this.#second;
  }
}

function damaged(reason: string): LogState {
  return { kind: 'damaged', reason };
}
