import net from 'node:net';
import tls from 'node:tls';
import type { ErrorCode } from '../../errors/catalogue.ts';
import { Deadline, type DeadlineOwner, type TimerWheel } from '../../http/timer-wheel.ts';
import { forbiddenAddress } from '../../model/address-policy.ts';
import type { BaseUrl } from '../../model/base-url.ts';
import type { AddressResolver, ResolveFailure } from './resolve-address.ts';
import { classifyTlsFailure, tlsFailureReason } from './tls-trust.ts';

/** Where an upstream's connections go. */
export type DialTarget =
  | {
      readonly kind: 'tcp';
      readonly base: BaseUrl;
      /** Name for SNI and the certificate check. */
      readonly serverName: string;
      /** Made once per upstream; undefined for plain HTTP. */
      readonly secureContext: (() => tls.SecureContext) | undefined;
    }
  | { readonly kind: 'unix'; readonly path: string };

export interface DialServices {
  readonly wheel: TimerWheel;
  readonly resolver: AddressResolver;
  /** 'proxy' or 'admin' when that address and port is one of our own listeners. */
  readonly ownListenerAt: (address: string, port: number) => 'proxy' | 'admin' | undefined;
}

/** Hears how a dial ended; exactly one of the two is called, unless it is cancelled. */
export interface DialOwner {
  /** The socket is connected, and with TLS verified; nobody listens to it yet. */
  onDialed(socket: net.Socket, isTls: boolean): void;
  onDialFailed(code: ErrorCode, reason: string): void;
}

/** Looks on at a dial without changing it: for the test of an upstream, which tells what happened when. */
export interface DialObserver {
  onResolved(failure: ResolveFailure | null): void;
  /** A connection attempt begins; the socket is not the observer's. */
  onAttempt(address: string, socket: net.Socket): void;
  /** The attempt failed; `error` is what the socket said, where it said something. */
  onAttemptFailed(code: ErrorCode, error: Error | null): void;
}

/** Connecting may take this long at most, whatever timeout_ms says. */
export const maxConnectTime = 5_000;
/** With more addresses to try, one gets at least this long. */
const minAddressTime = 250;

/**
 * One attempt at a new connection: name → addresses → TCP → TLS, all within the connect budget. Tries the next
 * address when one does not answer. With TLS the socket is handed over only when the certificate is verified, so
 * that no request byte can reach an unverified peer.
 */
export class UpstreamDial implements DeadlineOwner {
  private readonly services: DialServices;
  private readonly target: DialTarget;
  private readonly owner: DialOwner;
  private readonly observer: DialObserver | null;
  private readonly deadline: Deadline;
  private readonly endsAt: number;
  private addresses: readonly string[] = [];
  private next = 0;
  private socket: net.Socket | null = null;
  private tcpConnected = false;
  private failure: Error | null = null;
  private over = false;
  private lastCode: ErrorCode = 'upstream_connect_timeout';
  private lastReason = 'no address answered';

  constructor(services: DialServices, target: DialTarget, timeoutMs: number, owner: DialOwner, observer: DialObserver | null = null) {
    this.services = services;
    this.target = target;
    this.owner = owner;
    this.observer = observer;
    this.deadline = new Deadline(this);
    this.endsAt = services.wheel.refresh() + Math.min(maxConnectTime, timeoutMs);
  }

  start(): void {
    this.services.wheel.armAt(this.deadline, this.endsAt);
    if (this.target.kind === 'unix') {
      this.connect(net.connect({ path: this.target.path }), '');
      return;
    }
    this.services.resolver.resolve(this.target.base.host, (failure, addresses) => {
      if (this.over) return;
      this.observer?.onResolved(failure);
      if (failure === null) this.useAddresses(addresses);
      else this.fail(failure === 'dns_timeout' ? 'upstream_connect_timeout' : 'upstream_dns_failure', dnsReasons[failure]);
    });
  }

  cancel(): void {
    this.finish();
    this.letGo();
  }

  private useAddresses(addresses: readonly string[]): void {
    const allowed = addresses.filter((address) => forbiddenAddress(address) === undefined);
    if (allowed.length === 0) {
      this.fail(
        'upstream_address_forbidden',
        `the host leads only to forbidden addresses: ${forbiddenAddress(addresses[0] ?? '') ?? 'none'}`,
      );
      return;
    }
    this.addresses = allowed;
    this.tryNext();
  }

  private tryNext(): void {
    const target = this.target as Extract<DialTarget, { kind: 'tcp' }>;
    const address = this.addresses[this.next++];
    if (address === undefined) {
      this.fail(this.lastCode, this.lastReason);
      return;
    }
    const port = target.base.port;
    const own = this.services.ownListenerAt(address, port);
    if (own !== undefined) {
      this.fail(own === 'proxy' ? 'loop_detected' : 'upstream_address_forbidden', 'the host leads to the gateway itself');
      return;
    }
    const now = this.services.wheel.refresh();
    const left = this.addresses.length - this.next;
    const share = left === 0 ? this.endsAt : Math.min(this.endsAt, now + Math.max((this.endsAt - now) / (left + 1), minAddressTime));
    this.services.wheel.armAt(this.deadline, share);
    if (target.secureContext === undefined) {
      this.connect(net.connect({ host: address, port, noDelay: true }), address);
      return;
    }
    let secureContext: tls.SecureContext;
    try {
      secureContext = target.secureContext();
    } catch (error) {
      this.fail('upstream_tls_failed', `the trusted certificates cannot be used: ${(error as Error).message}`);
      return;
    }
    const options: tls.ConnectionOptions = {
      host: address,
      port,
      secureContext,
      // RFC 6066 section 3: SNI carries names only.
      servername: net.isIP(target.serverName) === 0 ? target.serverName : '',
      checkServerIdentity: (_host, certificate) => tls.checkServerIdentity(target.serverName, certificate),
      ALPNProtocols: ['http/1.1'],
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
    };
    this.connect(tls.connect(options).setNoDelay(true), address);
  }

  private connect(socket: net.Socket, address: string): void {
    this.socket = socket;
    this.tcpConnected = false;
    this.observer?.onAttempt(address, socket);
    const secure = this.target.kind === 'tcp' && this.target.secureContext !== undefined;
    this.failure = null;
    socket.on('error', this.onError);
    socket.on('close', this.onClose);
    socket.once('connect', () => {
      if (this.socket === socket) this.tcpConnected = true;
    });
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      if (this.over || this.socket !== socket) return;
      this.finish();
      socket.off('error', this.onError);
      socket.off('close', this.onClose);
      this.owner.onDialed(socket, secure);
    });
  }

  // ---- of the socket, while connecting

  private readonly onError = (error: Error): void => {
    this.failure = error;
  };

  private readonly onClose = (): void => {
    const error = this.failure;
    if (error === null) {
      this.addressFailed('upstream_reset', 'the upstream closed the connection while it was being set up');
      return;
    }
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (this.tcpConnected) this.addressFailed(classifyTlsFailure(error), tlsFailureReason(error), error);
    else
      this.addressFailed(
        connectFailures[code] ?? 'upstream_unreachable',
        connectReasons[code] ?? `connecting failed: ${code || error.message}`,
        error,
      );
  };

  onDeadline(): void {
    const phase = this.tcpConnected
      ? 'the TLS handshake was not finished in time'
      : this.socket === null
        ? 'the name was not resolved in time'
        : 'nobody answered the connection attempt in time';
    this.addressFailed('upstream_connect_timeout', phase);
  }

  private addressFailed(code: ErrorCode, reason: string, error: Error | null = null): void {
    if (this.over) return;
    if (this.socket !== null) this.observer?.onAttemptFailed(code, error);
    // Of several addresses the most telling failure counts: somebody who refuses says more than a network that leads nowhere.
    if (this.lastCode !== 'upstream_connection_refused') {
      this.lastCode = code;
      this.lastReason = reason;
    }
    this.letGo();
    if (this.target.kind === 'unix' || this.services.wheel.refresh() >= this.endsAt) this.fail(this.lastCode, this.lastReason);
    else this.tryNext();
  }

  private letGo(): void {
    const { socket } = this;
    if (socket === null) return;
    this.socket = null;
    // Errors still come, and are nobody's.
    socket.off('close', this.onClose);
    socket.destroy();
  }

  private fail(code: ErrorCode, reason: string): void {
    if (this.over) return;
    this.finish();
    this.owner.onDialFailed(code, reason);
  }

  private finish(): void {
    this.over = true;
    this.services.wheel.remove(this.deadline);
  }
}

const dnsReasons = {
  dns_not_found: 'the host name does not exist',
  dns_timeout: 'the name servers did not answer in time',
  dns_failure: 'the name servers could not answer',
} as const;

const connectFailures: Readonly<Record<string, ErrorCode>> = {
  ECONNREFUSED: 'upstream_connection_refused',
  ENOENT: 'upstream_connection_refused',
  ETIMEDOUT: 'upstream_connect_timeout',
  ECONNRESET: 'upstream_reset',
  EPIPE: 'upstream_reset',
  // The gateway can take no more: the client may come again.
  EMFILE: 'upstream_overloaded',
  ENFILE: 'upstream_overloaded',
};

const connectReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused: nothing listens on the upstream's port",
  EHOSTUNREACH: "no route to the upstream's host",
  ENETUNREACH: "no route to the upstream's network",
  EMFILE: 'the gateway has no file descriptors left: raise its limit (ulimit -n, LimitNOFILE=) or lower APIGATE_MAX_CONNECTIONS',
  ENFILE: 'the system has no file descriptors left: raise fs.file-max',
};
