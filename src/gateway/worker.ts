import type tls from 'node:tls';
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
import { ownListenerAt } from './own-listener-at.ts';
import { upstreamPartOf } from './record/exchange-line.ts';
import { ExchangeRecorder } from './record/exchange-recorder.ts';
import { allowField } from './reply/write-own-response.ts';
import { afterTarget, type CompiledUpstream, credentialBytes } from './snapshot/compile-upstream.ts';
import { PoolRegistry } from './snapshot/pool-registry.ts';
import { applyChange } from './snapshot/snapshot.ts';
import type { TransformSettings } from './transform/compile-transform.ts';
import { type ChangeMessage, type FromWorker, type TlsIdentity, type ToWorker, viaTokenOf, type WorkerBirth } from './worker-protocol.ts';

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
  private readonly transforms: TransformSettings;

  constructor(birth: WorkerBirth) {
    this.birth = birth;
    this.counters = openSharedCounters(birth.counters, birth.index);
    this.limits = new PoolLimits(birth.workers, birth.index);
    this.limiter = new RateLimiter();
    this.transforms = { bodyLimit: birth.transformBodyLimit, environment: new Map(Object.entries(birth.transformEnvironment)) };
    this.proxies = new TrustedProxies(birth.trustedProxies);
    const services: PoolServices = {
      wheel: this.wheel,
      resolver: new AddressResolver({ servers: birth.dnsServers }),
      ownListenerAt: (address, port) => ownListenerAt(birth, address, port),
      client: { head: new ResponseHead(), trailers: new HeaderFields(maxResponseFields), output: new OutputBuffer(), wheel: this.wheel },
      onConnect: () => this.counters.upstreamConnected(),
    };
    this.pools = new PoolRegistry(services, this.limits, secureContextFor, loadDefaultTrust);
    const viaToken = viaTokenOf(birth);
    this.gateway = {
      live: null,
      draining: false,
      wheel: this.wheel,
      websocketIdleMs: birth.websocketIdleMs,
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
        this.listener.replaceCertificate(secureOptions(message.tls));
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
    this.gateway.live = applyChange(this.gateway.live, message.change, this.pools, this.transforms);
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
    setInterval(() => this.counters.beat(), heartbeatInterval).unref();
    for (const listener of this.birth.listeners) {
      const address = { host: listener.host, port: listener.port, reusePort: this.birth.reusePort };
      if (listener.tls === null) await this.listener.listen(address);
      else await this.listener.listenSecure(address, secureOptions(listener.tls));
    }
    post({ type: 'ready' });
  }
}

/** How often the control plane is told which keys were used, in milliseconds. */
const keyUsageInterval = 5_000;
/** How often the worker shows that its event loop turns, in milliseconds: see main/worker-watch.ts. */
const heartbeatInterval = 250;

function secureOptions({ cert, key, ticketKeys }: TlsIdentity): tls.SecureContextOptions {
  return { cert, key, ticketKeys: Buffer.from(ticketKeys) };
}

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
    authority: '',
    afterTarget: afterTarget(''),
    ...credentialBytes(''),
    credentialName: '',
    credentialKind: 0,
    logPart: upstreamPartOf(''),
    isAdmin: true,
  };
}

function viaField(version: string, token: string): Uint8Array {
  return Buffer.from(`Via: ${version} ${token}\r\n`, 'latin1');
}

/** Main gives the control plane the first slot before any upstream's. */
const adminSlot = 0;

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
