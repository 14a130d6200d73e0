import net from 'node:net';

/** Gets the bytes of one socket. The range is valid during the call only: the memory is shared by all sockets. */
export interface SocketOwner {
  onBytes(bytes: Buffer, start: number, end: number): void;
  /** The peer has sent FIN. */
  onEnd(): void;
  /** The socket is gone; `error` is null when it was closed in order. Called once. */
  onClose(error: Error | null): void;
}

const ownerOf = Symbol('owner');
const errorOf = Symbol('error');

interface OwnedSocket extends net.Socket {
  [ownerOf]?: SocketOwner | undefined;
  [errorOf]?: Error | undefined;
}

/** One read buffer for all sockets of a thread: a callback uses up what it is given before the next read. */
export const sharedReadBuffer: Buffer = Buffer.allocUnsafeSlow(65_536);

function onRead(this: OwnedSocket, bytesRead: number): boolean {
  this[ownerOf]?.onBytes(sharedReadBuffer, 0, bytesRead);
  return true;
}

/** Option for net.connect and tls.connect: reads go into the shared buffer instead of into streams. */
export const sharedOnRead: net.OnReadOpts = { buffer: sharedReadBuffer, callback: onRead };

function onData(this: OwnedSocket, bytes: Buffer): void {
  this[ownerOf]?.onBytes(bytes, 0, bytes.length);
}
function onEnd(this: OwnedSocket): void {
  this[ownerOf]?.onEnd();
}
function onError(this: OwnedSocket, error: Error): void {
  this[errorOf] = error;
}
function onClose(this: OwnedSocket): void {
  const owner = this[ownerOf];
  this[ownerOf] = undefined;
  owner?.onClose(this[errorOf] ?? null);
}

/** Makes `owner` the one who hears of the socket. `readsShared` tells that it was made with sharedOnRead. */
export function ownSocket(socket: net.Socket, owner: SocketOwner, readsShared: boolean): void {
  const owned = socket as OwnedSocket;
  const first = owned[ownerOf] === undefined;
  owned[ownerOf] = owner;
  if (!first) return;
  if (!readsShared) socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('error', onError);
  socket.on('close', onClose);
}

/** Passes a socket from one owner to the next. */
export function passSocket(socket: net.Socket, owner: SocketOwner): void {
  (socket as OwnedSocket)[ownerOf] = owner;
}

/** Nobody hears of the socket any more; errors on it are swallowed. */
export function disownSocket(socket: net.Socket): void {
  (socket as OwnedSocket)[ownerOf] = undefined;
}

interface AcceptedSocket extends net.Socket {
  _handle: object | null;
}

/**
 * Moves an accepted connection onto a socket that reads into the shared buffer, as `net.createServer` has no
 * `onread` option (measured: 9 µs of CPU per request). This is the one use of a private property of Node's; where it
 * is not as expected, the accepted socket itself is used, with 'data' events.
 *
 * Returns the socket to use. The server must accept with `pauseOnConnect: true`. `mayAdopt` false takes the other way.
 */
export function adoptAccepted(accepted: net.Socket, owner: SocketOwner, mayAdopt = true): net.Socket {
  const handle = mayAdopt ? (accepted as AcceptedSocket)._handle : undefined;
  if (handle === null || typeof handle !== 'object') {
    ownSocket(accepted, owner, false);
    accepted.resume();
    return accepted;
  }
  (accepted as AcceptedSocket)._handle = null;
  const options = { handle, allowHalfOpen: true, onread: sharedOnRead } as net.SocketConstructorOpts;
  const socket = new net.Socket(options);
  ownSocket(socket, owner, true);
  return socket;
}
