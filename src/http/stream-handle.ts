import type net from 'node:net';

/**
 * The one use of Node's internals: the handle under a connected socket, and what its calls leave behind. Through the handle a
 * read goes into one buffer for all sockets, and a write that the kernel takes at once costs one call: no stream, no request
 * object, no tick (bench/micro/transport.ts). `handleOf` checks for everything used here; where anything is missing the
 * connections go through the socket's stream.
 */
export interface StreamHandle {
  /** Called with this handle as `this` when `readResult()` says something; undefined while nobody reads. */
  onread: (this: StreamHandle) => void;
  reading?: boolean;
  /** Of the socket; negative once it is closed. */
  readonly fd?: number;
  /** The transport that reads and writes through it. */
  transport?: unknown;
  useUserBuffer(buffer: Buffer): void;
  readStart(): number;
  readStop(): number;
  /** 0, or a negative error number of libuv. */
  writeBuffer(request: WriteRequest, bytes: Buffer): number;
}

/** One write that the kernel has not taken at once. A request that was not needed can be used for the next write. */
export interface WriteRequest {
  oncomplete: ((this: WriteRequest, status: number) => void) | undefined;
  /** Held until the write is done. */
  bytes?: Buffer | undefined;
  memory?: Buffer | null;
  transport?: unknown;
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

const binding = loadBinding();
const state = binding?.streamBaseState ?? new Int32Array(4);
const readSlot = binding?.kReadBytesOrError ?? 0;
const asyncSlot = binding?.kLastWriteWasAsync ?? 0;

/** libuv's number for the end of what the peer sends. */
export const endOfFile = -4095;

/** In an `onread` call: bytes that were read, 0 for none, or a negative error number. */
export function readResult(): number {
  return state[readSlot]!;
}

/** Behind a write without error: whether the kernel has not taken all of it, so that its request and memory are in use. */
export function writeIsPending(): boolean {
  return state[asyncSlot] !== 0;
}

export function newWriteRequest(): WriteRequest {
  return new binding!.WriteWrap();
}

/** The handle of a connected socket; null where it is not as expected. */
export function handleOf(socket: net.Socket): StreamHandle | null {
  const handle = (socket as unknown as { _handle?: Partial<StreamHandle> | null })._handle;
  if (binding === null || handle === null || typeof handle !== 'object') return null;
  const methods = [handle.useUserBuffer, handle.readStart, handle.readStop, handle.writeBuffer];
  return 'onread' in handle && methods.every((method) => typeof method === 'function') ? (handle as StreamHandle) : null;
}

function loadBinding(): StreamBinding | null {
  try {
    const found = (process as unknown as { binding(name: string): Partial<StreamBinding> }).binding('stream_wrap');
    const usable =
      typeof found.WriteWrap === 'function' &&
      found.streamBaseState instanceof Int32Array &&
      typeof found.kReadBytesOrError === 'number' &&
      typeof found.kLastWriteWasAsync === 'number';
    return usable ? (found as StreamBinding) : null;
  } catch {
    return null;
  }
}
