import net from 'node:net';
import tls from 'node:tls';
import type { ConnectionRegistry, RequestHandler, ServerConnection } from './server-connection.ts';

/** Where to listen. Several threads share one port with `reusePort`. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  readonly reusePort: boolean;
}

export interface ListenerOptions {
  readonly maxConnections: number;
  /** Makes the connection object of an accepted socket. */
  readonly accept: (socket: net.Socket, isTls: boolean) => ServerConnection;
  /** The number of open client connections changed by this much. */
  readonly onCount: (change: number) => void;
  /** A connection is closed; its handler lets go of what would keep it in memory. */
  readonly onClosed: (handler: RequestHandler) => void;
}

/** Connections that were idle for this long at shutdown are closed; younger ones may have a request under way to us. */
const drainIdleAge = 1_000;
/** A WebSocket client has this long to take its close frame and close, in milliseconds. */
const goodbyeTime = 500;
/** A TLS client has this long for its handshake. */
const handshakeTimeout = 10_000;

/**
 * The listening sockets of one thread and the connections that came from them. Makes room by closing the connections that were
 * idle longest.
 */
export class HttpListener implements ConnectionRegistry {
  draining = false;
  count = 0;
  private readonly options: ListenerOptions;
  private readonly servers: net.Server[] = [];
  private readonly secureServers: tls.Server[] = [];
  private readonly connections = new Set<ServerConnection>();
  /** Connections that wait for the rest of a head, longest first. */
  private readonly heads = new Set<ServerConnection>();
  /** Sockets in their TLS handshake by peer, oldest first. They count towards the limit: an unfinished handshake costs a descriptor too. */
  private readonly handshakes = new Map<string, net.Socket>();
  private oldestIdle: ServerConnection | null = null;
  private newestIdle: ServerConnection | null = null;
  private whenEmpty: (() => void) | null = null;
  private sweep: NodeJS.Timeout | null = null;

  constructor(options: ListenerOptions) {
    this.options = options;
  }

  /** Listens for plain HTTP. Resolves with the port. */
  listen(address: ListenAddress): Promise<number> {
    const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
      // A client can be gone before it is looked at.
      if (socket.remoteAddress === undefined) {
        socket.destroy();
        return;
      }
      this.options.accept(socket, false);
    });
    this.servers.push(server);
    return listening(server, address);
  }

  /** Listens for HTTPS. `options` hold key and certificate. */
  listenSecure(address: ListenAddress, options: tls.SecureContextOptions): Promise<number> {
    // Not half-open: nobody hears of a FIN in the middle of a handshake, so that the socket would stay until the timeout.
    const server = tls.createServer(
      {
        ...options,
        minVersion: 'TLSv1.2',
        ALPNProtocols: ['http/1.1'],
        handshakeTimeout,
        allowHalfOpen: false,
        noDelay: true,
        pauseOnConnect: false,
      },
      (socket) => {
        this.handshakes.delete(peerOf(socket));
        if (socket.remoteAddress === undefined) {
          socket.destroy();
          return;
        }
        this.options.accept(socket, true);
      },
    );
    server.prependListener('connection', (socket: net.Socket) => this.beginHandshake(socket));
    // A failed handshake concerns nobody but that client.
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    this.servers.push(server);
    this.secureServers.push(server);
    return listening(server, address);
  }

  private beginHandshake(socket: net.Socket): void {
    const peer = peerOf(socket);
    this.handshakes.set(peer, socket);
    socket.once('close', () => {
      if (this.handshakes.get(peer) === socket) this.handshakes.delete(peer);
    });
    if (this.count + this.handshakes.size > this.options.maxConnections) this.makeRoom();
  }

  // Who asks for nothing goes first, then who has held a place longest without having asked yet. False when all are being served.
  private makeRoom(): boolean {
    if (this.oldestIdle !== null) {
      this.oldestIdle.closeIfIdle();
      return true;
    }
    for (const oldest of this.heads) {
      oldest.abort(false);
      return true;
    }
    for (const oldest of this.handshakes.values()) {
      oldest.destroy();
      return true;
    }
    return false;
  }

  /** Uses another certificate for handshakes from now on. Throws when key and certificate are not usable; the old ones stay. */
  replaceCertificate(options: tls.SecureContextOptions): void {
    tls.createSecureContext({ ...options, minVersion: 'TLSv1.2' });
    for (const server of this.secureServers) server.setSecureContext({ ...options, minVersion: 'TLSv1.2' });
  }

  /**
   * Stops accepting and lets what is in flight finish. Resolves when no connection is left or `deadlineMs` has passed;
   * `onDeadline` is called with each handler still busy then, before its connection is cut.
   */
  async drain(deadlineMs: number, onDeadline: (handler: RequestHandler) => void): Promise<void> {
    this.draining = true;
    for (const server of this.servers) server.close();
    if (this.count === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.whenEmpty = resolve;
    });
    const closeIdle = (): void => {
      const before = performance.now() - drainIdleAge;
      for (let each = this.oldestIdle; each !== null;) {
        const next: ServerConnection | null = each.idleNext;
        if (each.idleSince <= before) each.closeIfIdle();
        each = next;
      }
    };
    closeIdle();
    this.sweep = setInterval(closeIdle, 100);
    const timer = setTimeout(() => this.cutAll(onDeadline), deadlineMs);
    if (this.count > 0) await empty;
    clearTimeout(timer);
    clearInterval(this.sweep);
  }

  private cutAll(onDeadline: (handler: RequestHandler) => void): void {
    for (const connection of this.connections) {
      const lingered = connection.isLingering;
      if (!connection.isIdle) onDeadline(connection.handler);
      // Its handler said goodbye in the words of its protocol: closing now could take that back.
      if (!lingered && connection.isLingering) continue;
      connection.abort(false);
    }
    if (this.count === 0) return;
    setTimeout(() => {
      for (const connection of this.connections) connection.abort(false);
      this.whenEmpty?.();
    }, goodbyeTime);
  }

  // ---- ConnectionRegistry

  opened(connection: ServerConnection): void {
    this.connections.add(connection);
    this.count++;
    this.options.onCount(1);
    if (this.count + this.handshakes.size > this.options.maxConnections) {
      // Nobody to spare: the newcomer goes, once it exists in full.
      if (!this.makeRoom()) queueMicrotask(() => connection.abort(true));
    }
  }

  idle(connection: ServerConnection): void {
    connection.isIdle = true;
    connection.idlePrevious = this.newestIdle;
    connection.idleNext = null;
    if (this.newestIdle !== null) this.newestIdle.idleNext = connection;
    else this.oldestIdle = connection;
    this.newestIdle = connection;
  }

  busy(connection: ServerConnection): void {
    if (!connection.isIdle) return;
    connection.isIdle = false;
    const { idlePrevious: previous, idleNext: next } = connection;
    if (previous !== null) previous.idleNext = next;
    else this.oldestIdle = next;
    if (next !== null) next.idlePrevious = previous;
    else this.newestIdle = previous;
    connection.idlePrevious = null;
    connection.idleNext = null;
  }

  headBegun(connection: ServerConnection): void {
    this.heads.add(connection);
  }

  headOver(connection: ServerConnection): void {
    this.heads.delete(connection);
  }

  closed(connection: ServerConnection): void {
    if (!this.connections.delete(connection)) return;
    this.busy(connection);
    this.heads.delete(connection);
    this.count--;
    this.options.onCount(-1);
    this.options.onClosed(connection.handler);
    if (this.count === 0 && this.draining) this.whenEmpty?.();
  }
}

function peerOf(socket: net.Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

function listening(server: net.Server, address: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address.host, port: address.port, reusePort: address.reusePort, backlog: 1024, exclusive: true }, () => {
      server.off('error', reject);
      // EMFILE and the like at accept: the listener stays and goes on when descriptors are free again.
      server.on('error', () => {});
      resolve((server.address() as net.AddressInfo).port);
    });
  });
}
