import { AdminSession } from '../support/admin-session.ts';
import { hasOpenssl, TestAuthority } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import type { ScriptedUpstream } from '../support/scripted-upstream.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';
import { faultEnvironment } from '../support/thread-faults.ts';
import { probeEnvironment } from '../support/thread-probe.ts';
import { type DynamicConfig, routeState } from './dynamic-config.ts';
import type { RouteState } from './judge-answer.ts';
import { PossibleStates } from './possible-states.ts';
import { RecordLedger } from './record-ledger.ts';
import { SoakFigures } from './soak-figures.ts';
import type { Findings } from './soak-findings.ts';
import { type Sabotage, secretMark, startSoakUpstream } from './soak-upstream.ts';

/** Requests a minute that the limited key may make. */
export const keyLimit = 120;
/** `timeout_ms` of the upstream that may hang: others have the usual 30 s. */
export const hangTimeout = 4_000;
export const workerCount = 2;

/** The gateway, its upstreams, and all that is known of what they should do. */
export class SoakWorld {
  readonly findings: Findings;
  readonly figures = new SoakFigures();
  readonly ledger: RecordLedger;
  readonly servers = new Map<string, ScriptedUpstream>();
  readonly routes = new Map<string, PossibleStates<RouteState>>();
  /** `dying` from before a worker is killed until its successor serves. */
  readonly workers = new PossibleStates<'whole' | 'dying'>('whole');
  /** Whether the whole process is stopped: then nothing of its time counts. */
  readonly running = new PossibleStates<'running' | 'stopped'>('running');
  /** `late` while the soak itself, upstreams and clients in one, is kept from running: then it misses times, not the gateway. */
  readonly machine = new PossibleStates<'timely' | 'late'>('timely');
  readonly dynamicNames: readonly string[] = Array.from({ length: 8 }, (_, index) => `d${index}`);
  dynamic: DynamicConfig = { upstreams: new Map(), routes: new Map() };
  gateway!: Gateway;
  admin!: AdminSession;
  readonly keys = { open: '', limited: '' };
  /** Strings that may be seen nowhere, besides credentials. */
  readonly secrets: string[] = [];
  /** No new traffic is begun. */
  resting = false;
  sabotage: Sabotage | undefined;
  /** Held by who must not be disturbed by the other: changes, and the killing of workers. */
  #lock: Promise<unknown> = Promise.resolve();
  #authority: TestAuthority | undefined;
  #generation = 0;
  #stderrSeen = 0;

  constructor(findings: Findings) {
    this.findings = findings;
    this.ledger = new RecordLedger(findings);
  }

  async start(): Promise<void> {
    const options = (name: string) => ({ name, findings: this.findings, sabotage: () => this.#sabotaged() });
    for (const name of ['plain', 'faulty', 'restarting', 'one', 'two']) this.servers.set(name, await startSoakUpstream(options(name)));
    if (hasOpenssl()) {
      this.#authority = new TestAuthority();
      const { cert, key } = this.#authority.issue(['IP:127.0.0.1']);
      this.servers.set('secure', await startSoakUpstream({ ...options('secure'), tls: { cert, key } }));
    }
    this.gateway = await startGateway({
      admin: true,
      workers: workerCount,
      env: {
        NODE_OPTIONS: `${faultEnvironment['NODE_OPTIONS']} ${probeEnvironment['NODE_OPTIONS']} --max-old-space-size=256 --max-semi-space-size=2`,
      },
    });
    const { admin } = this.gateway;
    const token = String((await admin.must('POST', '/tokens', { name: 'soak', scope: 'admin' }))['token']);
    this.secrets.push(token);
    this.admin = AdminSession.withToken(this.gateway, token);
    await this.#fixedRoutes();
    for (const name of ['open', 'limited'] as const) {
      const key = await this.admin.must('POST', '/keys', { name, ...(name === 'limited' ? { rate_limit_per_minute: keyLimit } : {}) });
      this.keys[name] = String(key['key']);
      this.secrets.push(this.keys[name]);
    }
    for (const name of this.dynamicNames) this.routes.set(name, new PossibleStates(routeState(this.dynamic, name)));
  }

  /** Routes that stay as they are. */
  async #fixedRoutes(): Promise<void> {
    const url = (name: string): string => this.servers.get(name)!.url;
    const bearer = (name: string) => ({ auth_type: 'bearer', auth_value: this.secretOf(name, 0) });
    const upstreams: Record<string, unknown>[] = [
      { name: 'plain', base_url: url('plain'), ...bearer('plain') },
      {
        name: 'faulty',
        base_url: url('faulty'),
        auth_type: 'header',
        auth_header: 'X-Key',
        auth_value: this.secretOf('faulty', 0),
        timeout_ms: hangTimeout,
      },
      { name: 'restarting', base_url: url('restarting'), ...bearer('restarting') },
      { name: 'refusing', base_url: `http://127.0.0.1:${await freePort()}`, ...bearer('refusing') },
    ];
    if (this.servers.has('secure'))
      upstreams.push({
        name: 'secure',
        base_url: url('secure'),
        auth_type: 'basic',
        auth_value: `user:${this.secretOf('secure', 0)}`,
        tls_ca: this.#authority!.ca,
      });
    for (const upstream of upstreams) {
      const { name } = upstream as { name: string };
      await this.admin.must('POST', '/upstreams', upstream);
      const route = { name, path_pattern: `/${name}`, upstream_id: name, auth_required: false };
      await this.admin.must('POST', '/routes', route);
      this.routes.set(name, new PossibleStates(name === 'refusing' ? 'refusing' : `on ${name} ${name}-g0`));
    }
    const further = [
      { name: 'keyed', path_pattern: '/keyed', upstream_id: 'plain' },
      { name: 'live', path_pattern: '/live', upstream_id: 'plain', protocol: 'websocket', auth_required: false },
      {
        name: 'changed',
        path_pattern: '/changed',
        upstream_id: 'plain',
        auth_required: false,
        path_rewrite: '/rewritten/$1',
        request_transform: {
          headers: { set: { 'X-Added': 'for ${header.X-Test}' }, remove: ['X-Removed'] },
          query: { remove: ['gone'], add: { added: 'yes' } },
          body: { json: { inject: { by: '${header.X-Test}' }, remove: ['secret'] } },
        },
        response_transform: {
          headers: { set: { 'X-Set': '${header.X-Test}' } },
          body: { json: { remove: ['secret'], rename: { got: 'echo' } } },
        },
      },
    ];
    for (const route of further) {
      await this.admin.must('POST', '/routes', route);
      this.routes.set(route.name, new PossibleStates(`on plain plain-g0`));
    }
  }

  secretOf(name: string, generation: number): string {
    return `${secretMark}${name}-g${generation}`;
  }

  nextGeneration(): number {
    return (this.#generation += 1);
  }

  /** Runs alone among those that ask for it. */
  async alone<T>(body: () => Promise<T>): Promise<T> {
    const turn = this.#lock.then(body);
    this.#lock = turn.catch(() => undefined);
    return await turn;
  }

  /** What the gateway wrote since the last look: records for the ledger, and nothing that may not be there. */
  readOutput(mayEnd = false): void {
    const { lines, otherOutput, stderr } = this.gateway;
    for (const line of lines.splice(0)) {
      this.ledger.line(line);
      const text = JSON.stringify(line);
      if (line['level'] === 'fatal' || String(line['msg']).startsWith('a defect in APIGate')) this.findings.add('I1 a defect', text);
      if (line['code'] === 'internal_error') this.findings.add('I1 an internal error', text);
      this.lookForSecrets(text, 'the log');
      if (line['worker'] !== undefined) console.log(`the gateway says: ${text.slice(0, 300)}`);
      if (typeof line['outcome'] !== 'string') this.figures.count('log lines besides requests', String(line['msg']).slice(0, 60));
    }
    for (const line of otherOutput.splice(0)) this.findings.add('a log line that is not JSON', line);
    const fresh = stderr.slice(this.#stderrSeen);
    this.#stderrSeen = stderr.length;
    // The fault that is put into a worker to kill it is told with its stack by nobody but the log.
    if (/uncaughtException|unhandledRejection|UnhandledPromise|^\s+at /m.test(fresh)) this.findings.add('I1 on standard error', fresh);
    this.lookForSecrets(fresh, 'standard error');
    if (this.gateway.exit !== undefined && !mayEnd)
      this.findings.add('I1 the gateway ended', `${this.gateway.exit}: ${stderr.slice(-3_000)}`);
    this.ledger.look();
    for (const [name, server] of this.servers)
      for (const violation of server.violations.splice(0)) this.findings.add('bad grammar to an upstream', `${name}: ${violation}`);
  }

  /** I3 */
  lookForSecrets(text: string, where: string): void {
    if (text.includes(secretMark) || this.secrets.some((secret) => text.includes(secret)))
      this.findings.add('I3 a secret was shown', `${where}: ${text.slice(0, 1_000)}`);
  }

  /** Lets go of what is over in upstreams' memory. */
  forget(): void {
    for (const server of this.servers.values()) server.forget();
  }

  async restartServer(name: string, downMs: number): Promise<void> {
    const old = this.servers.get(name)!;
    const port = old.port;
    const states = this.routes.get(name)!;
    const [up] = [...states.now];
    states.begin(`down ${name}`);
    await old.close();
    await new Promise((resolve) => setTimeout(resolve, downMs));
    for (const violation of old.violations) this.findings.add('bad grammar to an upstream', `${name}: ${violation}`);
    this.servers.set(name, await startSoakUpstream({ name, findings: this.findings, sabotage: () => this.#sabotaged(), port }));
    // What went wrong before this moment is still on its way.
    await new Promise((resolve) => setTimeout(resolve, 500));
    states.settle(up!);
  }

  async stop(): Promise<number | string> {
    const code = await this.gateway.stop(20_000);
    await Promise.all([...this.servers.values()].map((server) => server.close()));
    this.#authority?.remove();
    return code;
  }

  #answers = 0;

  #sabotaged(): Sabotage | undefined {
    this.#answers += 1;
    return this.sabotage !== undefined && this.#answers % 10 === 0 ? this.sabotage : undefined;
  }
}
