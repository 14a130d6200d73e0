import net from 'node:net';
import { networkInterfaces } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { HeaderFields } from '../http/header-fields.ts';
import { HttpListener } from '../http/http-listener.ts';
import { OutputBuffer } from '../http/output-buffer.ts';
import { RequestHead } from '../http/request-head.ts';
import { maxResponseFields, ResponseHead } from '../http/response-head.ts';
import { ServerConnection, type ServerShared } from '../http/server-connection.ts';
import { TimerWheel } from '../http/timer-wheel.ts';
import { openSharedCounters } from '../telemetry/shared-counters.ts';
import { UpstreamCounters } from '../telemetry/upstream-counters.ts';
import { RateLimiter } from './admit/rate-limiter.ts';
import { Exchange } from './exchange.ts';
import { PoolLimits, upstreamCounterPlace } from './forward/pool-limits.ts';
import { AddressResolver } from './forward/resolve-address.ts';
import { loadDefaultTrust, secureContextFor } from './forward/tls-trust.ts';
import { type PoolServices, UpstreamPool } from './forward/upstream-pool.ts';
import type { Gateway } from './gateway.ts';
import { ClientIdentity, TrustedProxies } from './listen/client-identity.ts';
import { ExchangeRecorder } from './record/exchange-recorder.ts';
import { allowField } from './reply/write-own-response.ts';
import { afterTarget, type CompiledUpstream, headEnd } from './snapshot/compile-upstream.ts';
import { PoolRegistry } from './snapshot/pool-registry.ts';
import { applyChange } from './snapshot/snapshot.ts';
import type { ChangeMessage, FromWorker, ToWorker, WorkerBirth } from './worker-protocol.ts';

/**
 * A data-plane thread: listens, serves from its own compiled snapshot, and follows the changes that main sends.
 * It never sees the store, the settings or the admin API.
 */
class GatewayWorker {
  private readonly birth: WorkerBirth;
  private readonly gateway: Gateway;
  private readonly listener: HttpListener;
  private readonly pools: PoolRegistry;
  private readonly limits: PoolLimits;
  private readonly limiter: RateLimiter;
  private readonly wheel = new TimerWheel();
  private readonly proxies: TrustedProxies;
  private readonly counters;

  constructor(birth: WorkerBirth) {
    this.birth = birth;
    this.counters = openSharedCounters(birth.counters, birth.index);
    this.limits = new PoolLimits(birth.workers, birth.index);
    this.limiter = new RateLimiter();
    this.proxies = new TrustedProxies(birth.trustedProxies);
    const services: PoolServices = {
      wheel: this.wheel,
      resolver: new AddressResolver({ servers: birth.dnsServers }),
      ownListenerAt: (address, port) => ownListenerAt(birth, address, port),
      client: { head: new ResponseHead(), trailers: new HeaderFields(maxResponseFields), output: new OutputBuffer(), wheel: this.wheel },
      onConnect: () => this.counters.upstreamConnected(),
    };
    this.pools = new PoolRegistry(services, this.limits, secureContextFor, loadDefaultTrust);
    const viaToken = `apigate-${birth.instance}`;
    this.gateway = {
      live: null,
      draining: false,
      wheel: this.wheel,
      requestOutput: services.client.output,
      counters: this.counters,
      recorder: new ExchangeRecorder({
        counters: this.counters,
        upstreams: new UpstreamCounters(this.limits.directory.segments, upstreamCounterPlace(birth.workers), birth.index),
        format: birth.logFormat,
        logRequests: birth.logRequests,
        logFailures: birth.logFailures,
        send: (finished) => post({ type: 'lines', ...finished }, [finished.lines.buffer]),
      }),
      limiter: this.limiter,
      keysUsed: new Map(),
      identity: { viaFields: [viaField('1.0', viaToken), viaField('1.1', viaToken)], workerToken: birth.admin?.workerToken ?? '' },
      viaToken,
      allowField,
      admin: birth.admin === null ? null : adminUpstream(services, this.limits, birth.admin.socketPath),
      reportFault: (where, error) => reportFault(where, error),
    };
    const shared: ServerShared = {
      head: new RequestHead({ maxTarget: birth.maxTarget, maxHead: birth.maxHead, maxFields: birth.maxFields }),
      trailers: new HeaderFields(birth.maxFields),
      output: new OutputBuffer(),
      wheel: this.wheel,
      limits: { headTimeout: 10_000, bodyIdleTimeout: 60_000, keepAliveTimeout: 75_000, writeIdleTimeout: 60_000, maxBody: birth.maxBody },
      registry: undefined as never,
    };
    this.listener = new HttpListener({
      maxConnections: Math.max(1, Math.ceil(birth.maxConnections / birth.workers)),
      accept: (socket, isTls) =>
        new ServerConnection(
          shared,
          socket,
          isTls,
          (client) =>
            new Exchange(
              this.gateway,
              client,
              new ClientIdentity(client.remoteAddress, isTls ? 'https' : 'http', client.localPort, this.proxies),
            ),
        ),
      onCount: (change) => (change > 0 ? this.counters.connectionOpened() : this.counters.connectionClosed()),
      onClosed: (handler) => (handler as Exchange).leaveWheel(),
    });
    Object.assign(shared, { registry: this.listener });
  }

  async handle(message: ToWorker): Promise<void> {
    switch (message.type) {
      case 'change':
        await this.apply(message);
        break;
      case 'certificate':
        this.listener.replaceCertificate(message.tls);
        break;
      case 'leaving':
        this.gateway.draining = true;
        break;
      case 'drain':
        this.gateway.draining = true;
        await this.listener.drain(message.deadlineMs, (handler) => (handler as Exchange).cut());
        this.gateway.recorder.flush();
        this.tellKeysUsed();
        post({ type: 'drained' });
        break;
    }
  }

  private async apply(message: ChangeMessage): Promise<void> {
    this.limits.directory.learn(message.poolSlots);
    this.limiter.directory.learn(message.rateSlots);
    const first = this.gateway.live === null;
    this.gateway.live = applyChange(this.gateway.live, message.change, this.pools);
    post({ type: 'applied', sequence: message.sequence });
    if (first) await this.listen();
  }

  private tellKeysUsed(): void {
    const { keysUsed } = this.gateway;
    if (keysUsed.size === 0) return;
    post({ type: 'keys-used', keys: [...keysUsed] });
    keysUsed.clear();
  }

  // Only now, with a gateway config to serve from: a client that gets through is served.
  private async listen(): Promise<void> {
    this.wheel.start();
    setInterval(() => this.tellKeysUsed(), keyUsageInterval).unref();
    for (const listener of this.birth.listeners) {
      const address = { host: listener.host, port: listener.port, reusePort: this.birth.reusePort };
      if (listener.tls === null) await this.listener.listen(address);
      else await this.listener.listenSecure(address, listener.tls);
    }
    post({ type: 'ready' });
  }
}

/** How often the control plane is told which keys were used, in milliseconds. */
const keyUsageInterval = 5_000;

function adminUpstream(services: PoolServices, limits: PoolLimits, socketPath: string): CompiledUpstream {
  const timeoutMs = 60_000;
  const settings = { timeoutMs, maxIdle: 32, idleTimeoutMs: 5_000, maxActive: 0 };
  return {
    id: '',
    name: 'admin',
    pool: new UpstreamPool(services, { kind: 'unix', path: socketPath }, limits, adminSlot, settings),
    timeoutMs,
    refusal: null,
    refusalReason: '',
    pathPrefix: '',
    preservesHost: true,
    afterTarget: afterTarget(''),
    headEnd: headEnd(''),
    credentialName: '',
    credentialKind: 0,
    isAdmin: true,
  };
}

function viaField(version: string, token: string): Uint8Array {
  return Buffer.from(`Via: ${version} ${token}\r\n`, 'latin1');
}

/** Main gives the control plane the first slot before any upstream's. */
const adminSlot = 0;

// Asked at each new connection only; interfaces come and go.
function ownListenerAt(birth: WorkerBirth, address: string, port: number): 'proxy' | 'admin' | undefined {
  const proxy = birth.listeners.some((listener) => listener.port === port && reaches(listener.host, address));
  if (proxy) return 'proxy';
  const { adminListener } = birth;
  return adminListener !== null && adminListener.port === port && reaches(adminListener.host, address) ? 'admin' : undefined;
}

function reaches(listenHost: string, address: string): boolean {
  if (listenHost === address) return true;
  const wildcard = listenHost === '0.0.0.0' || listenHost === '::' || listenHost === '';
  if (!wildcard && net.isIP(listenHost) !== 0) return false;
  if (isLoopback(address)) return wildcard || listenHost === 'localhost';
  return wildcard && Object.values(networkInterfaces()).some((addresses) => addresses?.some((each) => each.address === address));
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.');
}

function post(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

function reportFault(where: string, error: unknown): void {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  post({ type: 'log', level: 'error', message: `a defect in APIGate while ${where}; the request got a 500`, fields: { stack } });
}

if (parentPort !== null) {
  const worker = new GatewayWorker(workerData as WorkerBirth);
  parentPort.on('message', (message: ToWorker) => {
    worker.handle(message).catch((error: unknown) => {
      // Main replaces a worker that cannot follow.
      throw error;
    });
  });
}
