import type net from 'node:net';
import tls from 'node:tls';
import type { ErrorCode } from '../../errors/catalogue.ts';
import { type DialObserver, type DialOwner, type DialServices, type DialTarget, UpstreamDial } from '../forward/dial-upstream.ts';
import type { ResolveFailure } from '../forward/resolve-address.ts';
import { type CertificateFacts, readCertificate } from './read-certificate.ts';

/** One address that was tried. Times are monotonic milliseconds. */
export interface DialAttempt {
  readonly address: string;
  readonly startedAt: number;
  connectedAt: number | null;
  endedAt: number;
  /** Of the peer, also where it is not trusted. */
  certificate: CertificateFacts | null;
  /** null for the one that succeeded. */
  code: ErrorCode | null;
  error: Error | null;
}

/** How a dial went. */
export interface DialReport {
  /** The connection, verified where it is TLS; whoever gets it must take it over at once. */
  readonly socket: net.Socket | null;
  readonly failure: { readonly code: ErrorCode; readonly reason: string } | null;
  readonly resolveFailure: ResolveFailure | null;
  readonly startedAt: number;
  /** When the addresses were known; null when they never were. */
  readonly resolvedAt: number | null;
  readonly endedAt: number;
  readonly attempts: readonly DialAttempt[];
  /** The attempt that decided; null when there was none. */
  readonly decisive: DialAttempt | null;
}

/** Connects exactly as requests do, with the data plane's own dial, and reports what happened when. Never rejects. */
export function watchDial(services: DialServices, target: DialTarget, timeoutMs: number): Promise<DialReport> {
  return new Promise((resolve) => new WatchedDial(services, target, timeoutMs, resolve).start());
}

class WatchedDial implements DialOwner, DialObserver {
  private readonly dial: UpstreamDial;
  private readonly done: (report: DialReport) => void;
  private readonly startedAt = performance.now();
  private readonly attempts: DialAttempt[] = [];
  private resolvedAt: number | null = null;
  private resolveFailure: ResolveFailure | null = null;

  constructor(services: DialServices, target: DialTarget, timeoutMs: number, done: (report: DialReport) => void) {
    this.dial = new UpstreamDial(services, target, timeoutMs, this, this);
    this.done = done;
  }

  start(): void {
    this.dial.start();
  }

  onResolved(failure: ResolveFailure | null): void {
    this.resolvedAt = performance.now();
    this.resolveFailure = failure;
  }

  onAttempt(address: string, socket: net.Socket): void {
    const attempt: DialAttempt = {
      address,
      startedAt: performance.now(),
      connectedAt: null,
      endedAt: performance.now(),
      certificate: null,
      code: null,
      error: null,
    };
    this.attempts.push(attempt);
    socket.once('connect', () => {
      attempt.connectedAt = performance.now();
    });
    // 'secure' comes before the verdict on the certificate. Afterwards a connection that is not trusted is gone and shows nothing.
    if (socket instanceof tls.TLSSocket)
      socket.prependOnceListener('secure', () => {
        attempt.certificate = readCertificate(socket, Date.now());
      });
  }

  onAttemptFailed(code: ErrorCode, error: Error | null): void {
    const attempt = this.attempts.at(-1)!;
    attempt.endedAt = performance.now();
    attempt.code = code;
    attempt.error = error;
  }

  onDialed(socket: net.Socket): void {
    this.attempts.at(-1)!.endedAt = performance.now();
    this.done(this.report(socket, null));
  }

  onDialFailed(code: ErrorCode, reason: string): void {
    this.done(this.report(null, { code, reason }));
  }

  private report(socket: net.Socket | null, failure: DialReport['failure']): DialReport {
    const { startedAt, resolvedAt, resolveFailure, attempts } = this;
    const decisive = attempts.findLast(({ code }) => code === (failure?.code ?? null)) ?? attempts.at(-1) ?? null;
    return { socket, failure, resolveFailure, startedAt, resolvedAt, endedAt: performance.now(), attempts, decisive };
  }
}
