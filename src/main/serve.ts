// Over 300 lines: the start is read best in one piece, in its order.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listenForWorkers, listenOnTcp } from '../admin/admin-server.ts';
import { readUiFiles } from '../admin/ui-files.ts';
import type { CliOutput, ServeOptions } from '../cli/cli-ports.ts';
import { recordKeyUsage } from '../control/api-keys.ts';
import { pruneHistory } from '../control/audit-log.ts';
import type { ControlContext, OwnListener } from '../control/control-context.ts';
import { FinishedRequests } from '../control/finished-requests.ts';
import { followStore } from '../control/follow-store.ts';
import { HealthChecks } from '../control/health-checks.ts';
import { HealthWatch } from '../control/health-watch.ts';
import { LiveFeed } from '../control/live-feed.ts';
import { recordLocalDoor } from '../control/local-door.ts';
import { rotationOf } from '../control/secret-key.ts';
import { sessionIdleLimit } from '../control/sessions.ts';
import { recordServingAddresses, type ServingAddresses } from '../control/serving-addresses.ts';
import { createFirstAdminFromSettings, ensureSetupCode } from '../control/setup.ts';
import { syncManaged } from '../control/sync-managed.ts';
import { TrafficHistory } from '../control/traffic-history.ts';
import type { TrafficSource } from '../control/traffic-source.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import { type TlsFiles, viaTokenOf, type WorkerBirth, type WorkerListener } from '../gateway/worker-protocol.ts';
import type { Listener } from '../model/listener.ts';
import { type Settings } from '../settings/settings.ts';
import type { Store } from '../store/store.ts';
import { createLogger, droppedNotice, type Logger } from '../telemetry/logger.ts';
import { LogSink, standardOutput } from '../telemetry/log-sink.ts';
import { createSharedCounters, openSharedCounters, readSharedCounters, type SharedCounters } from '../telemetry/shared-counters.ts';
import { bannerOf } from './banner.ts';
import { certificateWarning } from './certificate-expiry.ts';
import { cidrOf, openControlPlane } from './control-plane.ts';
import { startDemoUpstream } from './demo-upstream.ts';
import { gatewayMetrics } from './gateway-metrics.ts';
import { ProbeThread } from './probe-thread.ts';
import { probePort } from './probe-port.ts';
import { shutdownRequested } from './shutdown-requested.ts';
import { readTlsFiles, type TlsPaths, watchTlsFiles } from './tls-files.ts';
import { transformEnvironment } from './transform-environment.ts';
import { urlOf } from './url-of.ts';
import { version } from './version.ts';
import { newTicketKeys, WorkerPool } from './worker-pool.ts';

/** How long the keys of TLS session tickets are in use, in milliseconds. Tickets themselves live for minutes. */
const ticketKeyLife = 4 * 3_600_000;

/** Runs the gateway until it is told to stop. Resolves with the process's exit code. */
export async function serve(settings: Settings, options: ServeOptions, stderr: CliOutput): Promise<number> {
  const { format } = settings.log;
  const counters = createSharedCounters({ workers: settings.server.workers });
  const own = openSharedCounters(counters, counters.workers);
  const sink = new LogSink(standardOutput(), {
    droppedNotice: (lines) => droppedNotice(format, lines, Date.now()),
    onDropped: (lines) => own.logLinesDropped(lines),
  });
  const logger = createLogger({
    level: settings.log.level,
    format,
    sink,
    color: process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
  });
  const cleanups: (() => unknown)[] = [];
  // A defect in the control plane must not take the traffic with it; after an exception nobody caught, nothing is certain.
  process.on('unhandledRejection', (error) =>
    logger.error({ err: error }, 'a defect in APIGate: an error in the control plane was not handled'),
  );
  process.on('uncaughtException', (thrown) => {
    logger.error({ err: thrown }, 'a defect in APIGate: the process ends');
    void sink.close().finally(() => process.exit(1));
  });
  try {
    const start = options.demo ? await demoSettings(settings, cleanups) : settings;
    await runGateway(start, options.demo, { sink, logger, counters, stderr, cleanups });
    return 0;
  } catch (error) {
    stderr.write(`apigate: ${reasonOf(error)}\n`);
    return 1;
  } finally {
    for (const cleanup of cleanups.toReversed()) await cleanup();
    await sink.close();
  }
}

interface Surroundings {
  readonly sink: LogSink;
  readonly logger: Logger;
  readonly counters: SharedCounters;
  readonly stderr: CliOutput;
  /** Undone in the opposite order at the end. */
  readonly cleanups: (() => unknown)[];
}

/** Starts both planes in order, and stops them when asked. */
async function runGateway(settings: Settings, demo: boolean, { sink, logger, counters, stderr, cleanups }: Surroundings): Promise<void> {
  // Before anything is up: as soon as workers are ready, somebody may ask to stop.
  const stop = shutdownRequested(logger);
  // Ports first: a second gateway must not touch the database of the first.
  const listeners = await claimListeners(settings);
  const adminListener = await claimAdminListener(settings);
  const addresses = addressesOf(listeners, adminListener);
  const socketDirectory = mkdtempSync(join(tmpdir(), 'apigate-'));
  // At any exit, also where cleanups are not waited for: a second signal, a defect.
  process.once('exit', () => rmSync(socketDirectory, { recursive: true, force: true }));
  const socketPath = join(socketDirectory, 'admin.sock');
  const workerToken = randomBytes(32).toString('hex');
  const localToken = randomBytes(32).toString('hex');
  const requests = new FinishedRequests();

  let keyUsage: (keys: readonly (readonly [`key_${string}`, number])[]) => void = () => {};
  const birth = birthOf(settings, listeners, adminListener, counters, { socketPath, workerToken });
  const pool = new WorkerPool({
    birth,
    onLines: (finished) => {
      if (finished.use !== 'log') requests.take(finished);
      // Given back at once: waiting for the garbage collector, such memory would make it run all the time.
      const free = (): void => void finished.lines.buffer.transfer(0);
      if (finished.use === 'record') free();
      else sink.write(finished.lines, free);
    },
    onLog: (level, message, fields) => logger[level](fields, message),
    onKeysUsed: (keys) => keyUsage(keys),
    onServed: (change) => {
      checks.follow(change);
      feed.served(change.revision);
    },
  });
  cleanups.push(() => pool.terminate());
  const checks = new HealthChecks({ probe: (config, request) => plane.control.probeUpstream(config, request), logger });
  cleanups.push(() => checks.stop());
  const source = trafficSource(pool, counters, checks);
  const feed = new LiveFeed({ source });
  const history = new TrafficHistory({ source });
  history.start();
  cleanups.push(() => history.stop());
  const health = new HealthWatch({ read: () => source.upstreams(), logger, onEvent: (event) => feed.healthChanged(event) });
  cleanups.push(() => health.stop());

  const tests = new ProbeThread();
  cleanups.push(() => tests.close());
  const plane = await openControlPlane({
    settings,
    create: true,
    publisher: pool,
    probe: (message) => tests.probe(message),
    viaToken: viaTokenOf(birth),
    ownListeners: async () => addresses.listeners,
    listeners: shownListeners(listeners, adminListener),
    logger,
    metrics: gatewayMetrics(source, pool, counters),
    traffic: { requests, health, history, feed, recordsDropped: () => readSharedCounters(counters).recordsDropped },
    ui: () => readUiFiles(join(import.meta.dirname, '../../ui/dist')),
  });
  const { store, control, access, app } = plane;
  cleanups.push(() => store.close());
  if (!(await store.claimServing())) throw new Error(`another gateway serves the database ${settings.database.path} already`);
  keyUsage = (keys) =>
    void recordKeyUsage(control, new Map(keys)).catch((error: unknown) =>
      logger.warn({ err: error }, 'the last use of keys could not be stored'),
    );

  await recordServingAddresses(store, addresses);
  // Workers that do not lead to the control plane have no use for its socket, but commands on this machine do.
  const local = await listenForWorkers({ app, log: logger, socketPath, token: workerToken, localToken });
  cleanups.push(() => local.close());
  await recordLocalDoor(control, { socketPath, token: localToken });
  if (adminListener !== null) {
    const admin = await listenOnTcp({ app, log: logger, ...adminListener });
    cleanups.push(() => admin.close());
  }
  if (settings.admin.firstEmail !== null && settings.secrets.firstAdminPassword !== null) {
    await createFirstAdminFromSettings(access, settings.admin.firstEmail, settings.secrets.firstAdminPassword);
  }
  const setupCode = await ensureSetupCode(access);
  // From the first publish on, workers listen: whatever a client may ask for must be there by now.
  await syncManaged(control, settings.defaultUpstream);
  const follower = await followStore(control);
  cleanups.push(() => follower.stop());
  await reportInterruptedRotation(store, logger);
  cleanups.push(keepHistoryShort(control, logger));
  const served = listeners.find((listener) => listener.tls !== null)?.tls;
  if (settings.tls !== null && served) {
    warnOfCertificate(settings.tls, served, logger);
    cleanups.push(followCertificate(settings.tls, served, pool, logger));
    const renewal = setInterval(() => pool.renewTicketKeys(), ticketKeyLife);
    cleanups.push(() => clearInterval(renewal));
  }

  for (const { host, port, tls } of listeners) logger.info({ address: host, port }, `listening for ${tls === null ? 'HTTP' : 'HTTPS'}`);
  logger.info({ version, workers: settings.server.workers, database: settings.database.path }, 'the gateway is ready');
  stderr.write(bannerOf({ settings, listeners, adminListener, setupCode, demo }));

  await stop;
  pool.broadcast({ type: 'leaving' });
  // Whoever follows them would keep the drain waiting.
  requests.end();
  feed.end();
  await new Promise((resolve) => setTimeout(resolve, settings.shutdown.delayMs));
  await pool.drain(settings.shutdown.drainTimeoutMs);
  logger.info({}, 'the gateway has stopped');
}

function trafficSource(pool: WorkerPool, counters: SharedCounters, checks: HealthChecks): TrafficSource {
  return {
    upstreams: () => pool.upstreamTraffic((id) => checks.of(id)),
    detail: (id, detail) => pool.upstreamDetail(id, detail),
    totals: () => {
      const totals = readSharedCounters(counters);
      return { ...totals, requestsInFlight: Math.max(0, totals.requestsInFlight - pool.ownInFlight) };
    },
  };
}

/** It is nothing that hinders serving, but the old key has to stay until it is finished. */
async function reportInterruptedRotation(store: Store, logger: Logger): Promise<void> {
  const rotation = await store.read(rotationOf);
  if (rotation === undefined) return;
  logger.warn({ ...rotation }, 'a rotation of the secret key is under way or was interrupted; "apigate secrets rotate" finishes it');
}

/** Now and four times a day. */
function keepHistoryShort(control: ControlContext, logger: Logger): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  const pruneOnce = async (): Promise<void> => {
    try {
      const removed = await pruneHistory(control.store, Date.now(), control.publishing.servedRevision, sessionIdleLimit + 5 * 60_000);
      if (removed.audit > 0) logger.info(removed, 'entries older than 400 days were taken out of the audit log');
    } catch (error) {
      logger.warn({ err: error }, 'old entries could not be taken out of the audit log; it is tried again later');
    }
  };
  const prune = (): void => void (last = pruneOnce());
  prune();
  const timer = setInterval(prune, 6 * 60 * 60 * 1_000);
  return async () => {
    clearInterval(timer);
    await last;
  };
}

async function claimListeners(settings: Settings): Promise<WorkerListener[]> {
  const { host, port } = settings.server;
  const listeners: WorkerListener[] = [];
  if (port !== 0) listeners.push({ host, port: await probePort(host, port), tls: null });
  if (settings.tls !== null)
    listeners.push({
      host,
      port: await probePort(host, settings.tls.port),
      tls: { ...readTlsFiles(settings.tls), ticketKeys: newTicketKeys() },
    });
  return listeners;
}

async function claimAdminListener({ admin }: Settings): Promise<OwnListener | null> {
  return admin.listen === null ? null : { host: admin.listen.host, port: await probePort(admin.listen.host, admin.listen.port) };
}

function addressesOf(listeners: readonly WorkerListener[], adminListener: OwnListener | null): ServingAddresses {
  const first = listeners[0]!;
  const all = adminListener === null ? listeners : [...listeners, adminListener];
  return { trafficUrl: urlOf(first.host, first.port, first.tls !== null), listeners: all.map(({ host, port }) => ({ host, port })) };
}

/** Without a listener of its own, the admin API is at every other one. */
function shownListeners(listeners: readonly WorkerListener[], adminListener: OwnListener | null): Listener[] {
  const own = adminListener === null ? [] : [{ scheme: 'http' as const, ...adminListener, planes: ['admin' as const] }];
  const served: Listener['planes'] = adminListener === null ? ['traffic', 'admin'] : ['traffic'];
  return [
    ...listeners.map(({ host, port, tls }): Listener => ({ scheme: tls === null ? 'http' : 'https', host, port, planes: served })),
    ...own,
  ];
}

function birthOf(
  settings: Settings,
  listeners: readonly WorkerListener[],
  adminListener: OwnListener | null,
  counters: WorkerBirth['counters'],
  admin: { readonly socketPath: string; readonly workerToken: string },
): Omit<WorkerBirth, 'index'> {
  const { server, limits, log } = settings;
  // Without reusePort (other systems than Linux and BSD) only one thread can listen.
  const reusePort = process.platform === 'linux' || process.platform === 'freebsd';
  return {
    workers: reusePort ? server.workers : 1,
    listeners,
    reusePort,
    counters,
    instance: randomBytes(4).toString('hex'),
    admin: adminListener === null ? admin : null,
    adminListener,
    trustedProxies: server.trustedProxies.map(cidrOf),
    dnsServers: settings.dnsServers ?? [],
    maxConnections: limits.maxConnections,
    maxBody: limits.maxBody,
    maxHead: limits.maxHead,
    maxFields: limits.maxHeaders,
    maxTarget: limits.maxTarget,
    websocketIdleMs: limits.websocketIdleMs,
    transformBodyLimit: settings.transform.bodyLimit,
    transformEnvironment: Object.fromEntries(transformEnvironment(settings)),
    logFormat: log.format,
    logRequests: log.level === 'trace' || log.level === 'debug' || log.level === 'info',
    logFailures: log.level !== 'error' && log.level !== 'silent',
  };
}

function followCertificate(paths: TlsPaths, served: TlsFiles, pool: WorkerPool, logger: Logger): () => void {
  return watchTlsFiles(paths, served, (files) => {
    if (files instanceof Error) {
      logger.error({ reason: files.message }, 'the new certificate cannot be used; the old one stays');
      return;
    }
    pool.useCertificate(files);
    logger.info({ cert: paths.cert }, 'the certificate was replaced');
    warnOfCertificate(paths, files, logger);
  });
}

function warnOfCertificate(paths: TlsPaths, { cert }: TlsFiles, logger: Logger): void {
  const warning = certificateWarning(cert, Date.now());
  if (warning !== null) logger.warn({ cert: paths.cert }, warning);
}

async function demoSettings(settings: Settings, cleanups: (() => unknown)[]): Promise<Settings> {
  if (settings.defaultUpstream !== null) throw new Error('--demo brings its own upstream: leave --upstream (APIGATE_UPSTREAM_URL) out');
  const directory = mkdtempSync(join(tmpdir(), 'apigate-demo-'));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  const upstream = await startDemoUpstream();
  cleanups.push(() => upstream.close());
  return {
    ...settings,
    database: { kind: 'sqlite', path: join(directory, 'apigate.db') },
    defaultUpstream: { url: upstream.url, public: true },
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof GatewayError && error.errors.length > 0)
    return `${error.message} ${error.errors.map(({ field, message }) => `${field} ${message}`).join('; ')}`;
  return error instanceof Error ? error.message : String(error);
}
