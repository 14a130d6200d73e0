import { writeSync } from 'node:fs';
import type net from 'node:net';
import { getSystemErrorName } from 'node:util';
import { endOfFile, handleOf, newWriteRequest, readResult, type StreamHandle, writeIsPending, type WriteRequest } from './stream-handle.ts';

/** Hears of one connected socket. */
export interface TransportOwner {
  /** The range is valid during the call only: the memory is shared by all sockets. */
  onBytes(bytes: Buffer, start: number, end: number): void;
  /** The peer has sent FIN. */
  onEnd(): void;
  /** All that was written is taken, after a write that was not taken at once. */
  onDrained(): void;
  /** A write failed: the peer takes nothing any more. What it has sent before can still be read. */
  onWriteFailed(error: Error): void;
  /** The socket is gone; `error` is null when it was closed in order. Called once. */
  onClose(error: Error | null): void;
}

/**
 * One read buffer for all sockets of a thread: a callback uses up what it is given before the next read. Large enough that big
 * bodies take few calls, small enough that what is read fits into an output buffer with its framing.
 */
export const sharedReadBuffer: Buffer = Buffer.allocUnsafeSlow(262_144);

/** What may wait in a TLS connection before it counts as slow: TLS takes every write a moment later. */
const tlsQueueLimit = 65_536;

/** A request that no write has needed yet. */
let spareRequest: WriteRequest | null = null;

/** Takes memory back that a write has held: see OutputBuffer. */
export type MemoryKeeper = (memory: Buffer) => void;

/**
 * A connected socket as the connections use it: reads into the shared buffer, writes without a stream in between, closes in
 * order. Plain sockets and TLS alike.
 */
export class Transport {
  readonly socket: net.Socket;
  readonly isTls: boolean;
  private readonly handle: StreamHandle | null;
  private owner: TransportOwner | null;
  private readonly keeper: MemoryKeeper | null;
  private error: Error | null = null;
  /** Writes that the kernel (or TLS) has not taken yet. */
  private pending = 0;
  private pendingBytes = 0;
  /** TLS takes one write at a time: what came meanwhile, in memory of its own. */
  private queue: Buffer[] | null = null;
  private afterWrites: (() => void) | null = null;
  private broken = false;
  /** What TLS decrypted before the handle was ours; goes before what comes after it. */
  private early: Buffer | null = null;

  /** `mayUseHandle` false takes the slow way, as where Node's internals are not as expected. */
  constructor(socket: net.Socket, isTls: boolean, owner: TransportOwner, keeper: MemoryKeeper | null = null, mayUseHandle = true) {
    this.socket = socket;
    this.isTls = isTls;
    this.owner = owner;
    this.keeper = keeper;
    this.handle = mayUseHandle ? handleOf(socket) : null;
    socket.on('error', (error) => {
      this.error = error;
    });
    socket.on('close', () => {
      const last = this.owner;
      this.owner = null;
      this.afterWrites = null;
      if (this.handle !== null) this.handle.transport = undefined;
      last?.onClose(this.error);
    });
    if (this.handle === null) {
      socket.on('data', (bytes: Buffer) => this.owner?.onBytes(bytes, 0, bytes.length));
      socket.on('end', () => this.owner?.onEnd());
      return;
    }
    this.handle.transport = this;
    this.handle.useUserBuffer(sharedReadBuffer);
    this.handle.onread = onHandleRead;
    this.takeEarly();
  }

  /** Makes another the one who hears of the socket; null: nobody, and errors are swallowed. */
  setOwner(owner: TransportOwner | null): void {
    this.owner = owner;
  }

  /** Whether the peer is slower than what is written: pause the source until onDrained. */
  get isSlow(): boolean {
    if (this.handle === null) return this.socket.writableLength > 0;
    return this.isTls ? this.pendingBytes > tlsQueueLimit : this.pending > 0;
  }

  /** Whether anything that was written has not left yet. */
  get hasPending(): boolean {
    return this.pending > 0;
  }

  /**
   * Writes bytes. True when their memory is free again; false when the write holds it (or `memory`, of which `bytes` is a view)
   * until it is done: then the keeper gets it back.
   */
  write(bytes: Buffer, memory: Buffer | null): boolean {
    if (this.broken) return true;
    if (this.handle === null) return this.writeToStream(bytes, memory);
    if (this.isTls && this.pending > 0) {
      (this.queue ??= []).push(Buffer.from(bytes));
      this.pendingBytes += bytes.length;
      return true;
    }
    return this.writeToHandle(this.handle, bytes, memory);
  }

  private writeToHandle(handle: StreamHandle, bytes: Buffer, memory: Buffer | null): boolean {
    const request = spareRequest ?? newWriteRequest();
    spareRequest = null;
    const error = handle.writeBuffer(request, bytes);
    if (error !== 0) {
      this.failed(error);
      return true;
    }
    if (!writeIsPending()) {
      spareRequest = request;
      return true;
    }
    this.pending++;
    request.oncomplete = onWritten;
    request.transport = this;
    if (this.isTls) {
      // TLS has made records of the bytes, or a copy: their memory is free.
      this.pendingBytes += bytes.length;
      request.bytes = bytes;
      return true;
    }
    request.bytes = bytes;
    request.memory = memory;
    return false;
  }

  /** Whether the kernel may be offered bytes from where they lie: behind what waits, and in the clear, it may not. */
  get writesInPlace(): boolean {
    return this.handle !== null && !this.isTls && this.pending === 0 && !this.broken;
  }

  /** Offers bytes[start, end) to the kernel. Answers how many it took; none where it says no, which the next write tells. */
  writeInPlace(bytes: Uint8Array, start: number, end: number): number {
    // Asked for each time: the number of a socket that was closed may be another's by now.
    const descriptor = this.handle?.fd ?? -1;
    if (descriptor < 0) return 0;
    try {
      return writeSync(descriptor, bytes, start, end - start);
    } catch {
      return 0;
    }
  }

  private writeToStream(bytes: Buffer, memory: Buffer | null): boolean {
    if (this.socket.destroyed) return true;
    this.pending++;
    let held = true;
    this.socket.write(bytes, () => {
      this.pending--;
      if (held && memory !== null) this.keeper?.(memory);
      this.writesDone();
    });
    held = this.socket.writableLength > 0;
    return !held;
  }

  /** From onWritten: one write is done. */
  written(request: WriteRequest, status: number): void {
    this.pending--;
    const { memory } = request;
    if (this.isTls) this.pendingBytes -= request.bytes?.length ?? 0;
    else if (memory !== null && memory !== undefined) this.keeper?.(memory);
    if (status < 0) {
      this.failed(status);
      return;
    }
    if (this.queue !== null && this.queue.length > 0 && this.handle !== null) {
      const next = this.queue.length === 1 ? this.queue[0]! : Buffer.concat(this.queue);
      this.queue = null;
      this.pendingBytes -= next.length;
      this.writeToHandle(this.handle, next, null);
    }
    this.writesDone();
  }

  private writesDone(): void {
    if (this.pending > 0) return;
    const after = this.afterWrites;
    this.afterWrites = null;
    after?.();
    this.owner?.onDrained();
  }

  private failed(error: number): void {
    if (this.broken) return;
    this.broken = true;
    this.queue = null;
    this.afterWrites = null;
    // Told after the call that wrote has returned: nobody expects its own connection to end within a write.
    queueMicrotask(() => this.owner?.onWriteFailed(errorOf(error, 'write')));
  }

  pause(): void {
    const { handle } = this;
    if (handle === null) {
      this.socket.pause();
    } else if (handle.reading === true) {
      handle.reading = false;
      handle.readStop();
    }
  }

  resume(): void {
    const { handle } = this;
    if (handle === null) {
      this.socket.resume();
    } else if (handle.reading !== true && !this.socket.destroyed) {
      handle.reading = true;
      handle.readStart();
    }
  }

  /** Sends FIN behind what was written, and tells when the kernel has it all. */
  end(onFinished: () => void): void {
    this.afterWriting(() => this.socket.end(onFinished));
  }

  /** Closes behind what was written. */
  close(): void {
    this.afterWriting(() => this.socket.destroySoon());
  }

  private afterWriting(act: () => void): void {
    if (this.pending === 0 || this.broken) act();
    else this.afterWrites = act;
  }

  /** Closes now; what was written and not taken is lost. */
  destroy(error?: Error): void {
    this.socket.destroy(error);
  }

  /** Closes with RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** From the handle: bytes, the end or an error. */
  read(result: number): void {
    if (this.early !== null) this.giveEarly();
    if (result > 0) this.owner?.onBytes(sharedReadBuffer, 0, result);
    else if (result === endOfFile) this.owner?.onEnd();
    else if (result < 0) this.socket.destroy(errorOf(result, 'read'));
  }

  private takeEarly(): void {
    if (this.socket.readableLength === 0) return;
    this.early = this.socket.read() as Buffer | null;
    // The owner is not ready yet.
    if (this.early !== null) setImmediate(() => this.giveEarly());
  }

  private giveEarly(): void {
    const { early } = this;
    this.early = null;
    if (early !== null) this.owner?.onBytes(early, 0, early.length);
  }
}

function onHandleRead(this: StreamHandle): void {
  (this.transport as Transport | undefined)?.read(readResult());
}

function onWritten(this: WriteRequest, status: number): void {
  const transport = this.transport as Transport;
  this.transport = undefined;
  transport.written(this, status);
  this.bytes = undefined;
  this.memory = null;
}

function errorOf(error: number, call: string): NodeJS.ErrnoException {
  const code = getSystemErrorName(error);
  return Object.assign(new Error(`${call} ${code}`), { code, errno: error, syscall: call });
}
