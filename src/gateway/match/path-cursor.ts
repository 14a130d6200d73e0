import { hashEnd, hashStart, hashStep } from '../persistent-map.ts';

/**
 * One pass over a path that finds its slashes and the hash of all that stands before each, so that every prefix can be looked
 * up without making a string. Goes no further than the deepest pattern of the table. Reused for every request of a thread.
 */
export class PathCursor {
  path = '';
  slashes = 0;
  /** Whether the path was read to its end; if not, it is longer than any literal pattern. */
  complete = false;
  /** Of the whole path, when complete. */
  hash = 0;
  positions = new Int32Array(64);
  hashes = new Int32Array(64);

  /** `maxDepth`: the most slashes any pattern has. */
  read(path: string, maxDepth: number): void {
    if (maxDepth + 2 > this.positions.length) {
      this.positions = new Int32Array(maxDepth * 2);
      this.hashes = new Int32Array(maxDepth * 2);
    }
    this.path = path;
    let running = hashStart;
    let slashes = 0;
    for (let i = 0; i < path.length; i++) {
      const character = path.charCodeAt(i);
      if (character === 0x2f) {
        this.positions[slashes] = i;
        this.hashes[slashes] = hashEnd(running);
        slashes++;
        if (slashes > maxDepth) {
          this.slashes = slashes;
          this.complete = false;
          return;
        }
      }
      running = hashStep(running, character);
    }
    this.slashes = slashes;
    this.complete = true;
    this.hash = hashEnd(running);
  }

  /** -1 when the path has no such segment. */
  segmentStart(segment: number): number {
    return segment < this.slashes ? this.positions[segment]! + 1 : -1;
  }

  segmentEnd(segment: number): number {
    return segment + 1 < this.slashes ? this.positions[segment + 1]! : this.path.length;
  }
}
