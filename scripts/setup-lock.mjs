// One set-up of a checkout at a time. Plain JavaScript of Node 18, as setup.mjs is.

import * as fs from 'node:fs';
import { hostname } from 'node:os';

const beatMs = 1_000;
/** A lock whose owner cannot be looked up (another host or container) and that was not renewed for so long is left over. */
const staleMs = 15_000;

/** A lock file that is renewed while it is held, and taken over when its owner is gone. */
export class SetupLock {
  #file;
  #childPids;
  #beat;

  /**
   * @param {string} file
   * @param {() => number[]} childPids processes that go on writing when only their parent is killed
   */
  constructor(file, childPids) {
    this.#file = file;
    this.#childPids = childPids;
  }

  /** Waits for its turn; `onWait` is called once when there is something to wait for. Rejects with what the file system says. */
  async take(onWait) {
    for (let waiting = false; ;) {
      if (this.#create()) {
        this.#beat = setInterval(() => this.renew(), beatMs).unref();
        return;
      }
      if (this.#breakLeftOver()) continue;
      if (!waiting) onWait();
      waiting = true;
      await new Promise((wake) => setTimeout(wake, 200));
    }
  }

  /** Writes down who holds it and that they still do. */
  renew() {
    if (this.#beat !== undefined) fs.writeFileSync(this.#file, this.#text());
  }

  release() {
    if (this.#beat === undefined) return;
    clearInterval(this.#beat);
    this.#beat = undefined;
    fs.rmSync(this.#file, { force: true });
  }

  #create() {
    try {
      fs.writeFileSync(this.#file, this.#text(), { flag: 'wx' });
      return true;
    } catch (error) {
      if (error.code === 'EEXIST') return false;
      throw error;
    }
  }

  #text() {
    return JSON.stringify({ host: hostname(), pids: [process.pid, ...this.#childPids()] });
  }

  #read() {
    try {
      return { text: fs.readFileSync(this.#file, 'utf8'), age: Date.now() - fs.statSync(this.#file).mtimeMs };
    } catch {
      return undefined;
    }
  }

  /** True when it is worth trying again at once. */
  #breakLeftOver() {
    const found = this.#read();
    if (found === undefined) return true;
    if (!isLeftOver(found)) return false;
    // Of several that see it, the one with the claim removes it, and only if it is still the lock they saw.
    const claim = `${this.#file}.claim`;
    try {
      fs.closeSync(fs.openSync(claim, 'wx'));
    } catch {
      const since = fs.statSync(claim, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
      if (Date.now() - since > staleMs) fs.rmSync(claim, { force: true });
      return false;
    }
    if (this.#read()?.text === found.text) fs.rmSync(this.#file, { force: true });
    fs.rmSync(claim, { force: true });
    return true;
  }
}

function isLeftOver({ text, age }) {
  try {
    const { host, pids } = JSON.parse(text);
    if (host !== hostname()) return age > staleMs;
    // Long not renewed though the numbers are alive: other processes have got them since.
    return !pids.some(isAlive) || age > 20 * staleMs;
  } catch {
    // Caught half-written, or left so by a full disk.
    return age > staleMs;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
