import { after, afterEach, before, beforeEach } from 'node:test';
import { TestAuthority } from './certificates.ts';
import { Invariants } from './invariants.ts';
import { speakTlsTo } from './raw-client.ts';
import { answerOk, type Script, type ScriptedUpstream, type ScriptedUpstreamOptions, startScriptedUpstream } from './scripted-upstream.ts';
import { type Gateway, type GatewayOptions, startGateway } from './start-gateway.ts';
import { networkSocketsOf } from './tcp-sockets.ts';

export interface HarnessOptions extends Omit<GatewayOptions, 'upstream'> {
  /** Script of the upstream that takes everything no other route takes; false for none. */
  readonly script?: Script | false;
  /** For tests that run at the same time: sockets are counted at the end of the file only. */
  readonly concurrent?: boolean;
  /** Runs once after the gateway has started; upstreams it makes stay until the end of the file. */
  readonly prepare?: (harness: Harness) => Promise<void>;
}

export interface Harness {
  readonly gateway: Gateway;
  readonly port: number;
  /** The upstream behind the managed default route. Its script is set back before each test. */
  readonly upstream: ScriptedUpstream;
  readonly invariants: Invariants;
  /** Starts a further upstream and closes it when the test that asked is over. */
  scripted(script: Script, options?: ScriptedUpstreamOptions): Promise<ScriptedUpstream>;
  /** A further upstream with a public route of its own below `path`. */
  exposed(fields: Readonly<Record<string, unknown>>, script: Script, options?: ScriptedUpstreamOptions): Promise<Exposed>;
}

export interface Exposed {
  readonly path: string;
  readonly upstream: ScriptedUpstream;
  readonly upstreamId: string;
  readonly routeId: string;
}

/**
 * One gateway for a whole test file, watched by the invariants. Call it at the top of the file; what it
 * answers is filled before the first test.
 */
export function useGateway(options: HarnessOptions = {}): Harness {
  // Set by the files that run another file's tests over TLS.
  const overTls = process.env['APIGATE_TEST_TLS'] === '1';
  let authority: TestAuthority | undefined;
  let gateway: Gateway | undefined;
  let upstream: ScriptedUpstream | undefined;
  let invariants: Invariants | undefined;
  const temporary: ScriptedUpstream[] = [];
  const lasting: ScriptedUpstream[] = [];
  const usual = options.script === undefined || options.script === false ? answerOk : options.script;

  before(async () => {
    upstream = options.script === false ? undefined : await startScriptedUpstream(usual);
    authority = overTls ? new TestAuthority() : undefined;
    const certificate = authority?.issue(['IP:127.0.0.1']);
    gateway = await startGateway({
      ...options,
      ...(upstream === undefined ? {} : { upstream: upstream.url }),
      ...(certificate === undefined ? {} : { tls: certificate.files }),
    });
    if (authority !== undefined) speakTlsTo(gateway.tlsPort, { ca: authority.ca, ALPNProtocols: ['http/1.1'] });
    if (options.admin === true) await gateway.admin.must('GET', '/upstreams');
    // Every worker listens, and what asked for readiness is gone, before the sockets are counted.
    const listeners = options.workers ?? 1;
    for (let last = -1; last < listeners || last !== networkSocketsOf(gateway.pid); await new Promise((resolve) => setTimeout(resolve, 10)))
      last = networkSocketsOf(gateway.pid);
    invariants = new Invariants(gateway, overTls ? gateway.tlsPort : gateway.port);
    if (upstream !== undefined) invariants.watch(upstream);
    await options.prepare?.(harness);
    lasting.push(...temporary.splice(0));
  });

  beforeEach((context) => {
    invariants!.currentTest = context.name;
    if (upstream !== undefined) upstream.script = usual;
  });

  afterEach(async () => {
    if (options.concurrent !== true) {
      await invariants!.serves();
      await Promise.all(temporary.splice(0).map((each) => each.close()));
      for (const each of [upstream, ...lasting]) await each?.dropConnections();
      await invariants!.socketsSettled();
    }
    invariants!.afterTest();
  });

  after(async () => {
    let code: number | string | undefined;
    try {
      await Promise.all([...temporary, ...lasting].map((each) => each.close()));
      await upstream?.dropConnections();
      await invariants?.atEnd();
    } finally {
      code = await gateway?.stop();
      await upstream?.close();
      authority?.remove();
    }
    if (code !== undefined && code !== 0) throw new Error(`the gateway ended with ${code}\n${gateway!.output.slice(-4_000)}`);
  });

  const harness: Harness = {
    get gateway() {
      return gateway!;
    },
    get port() {
      return overTls ? gateway!.tlsPort : gateway!.port;
    },
    get upstream() {
      return upstream!;
    },
    get invariants() {
      return invariants!;
    },
    async scripted(script, upstreamOptions = {}) {
      const started = await startScriptedUpstream(script, upstreamOptions);
      temporary.push(started);
      invariants!.watch(started);
      return started;
    },
    async exposed(fields, script, upstreamOptions = {}) {
      const started = await harness.scripted(script, upstreamOptions);
      const made = await gateway!.admin.expose({ base_url: started.url, ...fields });
      const value = fields['auth_value'];
      if (typeof value === 'string' && !value.includes('${')) {
        invariants!.canaries.push(value);
        invariants!.expectCredential(started, fields['auth_type'] === 'header' ? String(fields['auth_header']) : 'Authorization');
      }
      return { ...made, upstream: started };
    },
  };
  return harness;
}
