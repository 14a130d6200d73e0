import type net from 'node:net';
import { isIP } from 'node:net';
import { HeaderFields } from '../../http/header-fields.ts';
import { OutputBuffer } from '../../http/output-buffer.ts';
import { maxResponseFields, ResponseHead } from '../../http/response-head.ts';
import { TimerWheel } from '../../http/timer-wheel.ts';
import { type BaseUrl, parseBaseUrl } from '../../model/base-url.ts';
import type { UpstreamConfig } from '../../model/gateway-config.ts';
import type { ProbeResult, UpstreamTestRequest } from '../../model/upstream-test.ts';
import { type DialServices, type DialTarget, maxConnectTime } from '../forward/dial-upstream.ts';
import { AddressResolver } from '../forward/resolve-address.ts';
import { secureContextFor } from '../forward/tls-trust.ts';
import { type OwnListeners, ownListenerAt } from '../own-listener-at.ts';
import { type CompiledUpstream, compileUpstream } from '../snapshot/compile-upstream.ts';
import { type AnswerReport, askUpstream } from './ask-upstream.ts';
import { curlFor } from './curl-for.ts';
import { answerNotes, describeAnswer, explainAnswer } from './explain-answer.ts';
import { explainDial, hostAndPort, type Problem, problemOf } from './explain-dial.ts';
import { CredentialMask, mask } from './mask-credential.ts';
import { watchDial, type DialReport } from './watch-dial.ts';

export interface ProbeOptions {
  /** As the data plane has them: APIGATE_DNS_SERVERS; none means the system's. */
  readonly dnsServers: readonly string[];
  readonly ownListeners: () => OwnListeners['listeners'];
  /** Our member of Via, by which workers know a request that came back. */
  readonly viaToken: string;
  readonly version: string;
}

type Step = ProbeResult['steps'][number];

/** Certificates that end sooner than this are worth a word, in days. */
const soon = 21;

/**
 * Tests an upstream from this thread the way a request would go: the same resolver rules, address policy, trust and TLS options,
 * the same strict reading of the answer. The first use of the system's trust store takes its
 * thread some 80 ms, once: a gateway has a thread for tests. The
 * credential is in no part of the result. A forbidden target gets its category and nothing else: no times, no addresses.
 */
export async function probeUpstream(options: ProbeOptions, config: UpstreamConfig, request: UpstreamTestRequest): Promise<ProbeResult> {
  const parsed = parseBaseUrl(config.base_url);
  if (!parsed.ok) throw new Error(`base_url ${parsed.message}`);
  const wheel = new TimerWheel(10);
  wheel.start();
  try {
    return await new Probe(options, config, request, parsed.value, wheel).run();
  } finally {
    wheel.stop();
  }
}

class Probe {
  private readonly options: ProbeOptions;
  private readonly config: UpstreamConfig;
  private readonly request: UpstreamTestRequest;
  private readonly base: BaseUrl;
  private readonly serverName: string;
  private readonly upstream: CompiledUpstream;
  private readonly wheel: TimerWheel;
  private readonly services: DialServices;
  private readonly masking: CredentialMask;
  private readonly steps: Step[] = [];
  private readonly notes: string[] = [];

  constructor(options: ProbeOptions, config: UpstreamConfig, request: UpstreamTestRequest, base: BaseUrl, wheel: TimerWheel) {
    this.options = options;
    this.config = config;
    this.request = request;
    this.base = base;
    this.serverName = config.tls_server_name ?? base.host;
    // A disabled one is tested as if it were not. The pool is not looked at while compiling.
    this.upstream = compileUpstream({ ...config, enabled: true }, () => undefined as never);
    this.wheel = wheel;
    this.services = {
      wheel,
      // One of its own, which remembers nothing: a test shows how names resolve now.
      resolver: new AddressResolver({ servers: options.dnsServers }),
      ownListenerAt: (address, port) => ownListenerAt({ listeners: options.ownListeners(), adminListener: null }, address, port),
    };
    this.masking = new CredentialMask(config);
  }

  async run(): Promise<ProbeResult> {
    const { base, config, request } = this;
    if (base.protocol === 'https') prepareTrust(config.tls_ca);
    const startedAt = performance.now();
    const budget = Math.min(config.timeout_ms, request.waitMs, maxConnectTime);
    const dial = await watchDial(this.services, this.target(), budget);
    if (dial.failure?.code === 'loop_detected' || dial.failure?.code === 'upstream_address_forbidden') {
      return this.result({ problem: explainDial(dial, base, this.serverName, budget), steps: [], totalMs: null });
    }
    this.dialSteps(dial);
    const place = dial.decisive === null ? null : hostAndPort(dial.decisive.address, base.port);
    const certificate = dial.decisive?.certificate ?? null;
    const answer = dial.socket === null ? null : await this.ask(dial.socket);
    const problem = await this.problemOf(dial, answer, place ?? '', budget);
    this.stepsAfterDial(dial, answer, problem);
    if (dial.socket !== null) this.noteAround(dial, answer, problem);
    const totalMs = milliseconds(performance.now() - startedAt);
    return this.result({ problem, steps: this.steps, totalMs, address: place, certificate, answer });
  }

  private target(): Extract<DialTarget, { kind: 'tcp' }> {
    const { base, serverName, config } = this;
    const secureContext = base.protocol === 'https' ? () => secureContextFor(config.tls_ca) : undefined;
    return { kind: 'tcp', base, serverName, secureContext };
  }

  /** null when there is no credential to send: then nothing is sent at all, as for requests. */
  private async ask(socket: net.Socket): Promise<AnswerReport | null> {
    const { upstream, request, base, options, wheel } = this;
    if (upstream.refusal !== null) {
      socket.destroy();
      return null;
    }
    const own = [
      ['User-Agent', `APIGate/${options.version} (${request.purpose ?? 'test of an upstream'})`],
      ['Accept', '*/*'],
      ['Accept-Encoding', 'identity'],
    ].flatMap(([name, value]) => (name!.toLowerCase() === upstream.credentialName ? [] : [`${name}: ${value}\r\n`]));
    const host = upstream.preservesHost ? `Host: ${base.authority}\r\n` : '';
    const fields = `${host}${own.join('')}Via: 1.1 ${options.viaToken}\r\nConnection: close\r\n`;
    const text = `${request.method} ${this.path()}${latin1(upstream.afterTarget)}${fields}${latin1(upstream.headEnd)}`;
    const shared = { head: new ResponseHead(), trailers: new HeaderFields(maxResponseFields), output: new OutputBuffer(), wheel };
    return await askUpstream(shared, socket, base.protocol === 'https', {
      text,
      isHead: request.method === 'HEAD',
      waitMs: request.waitMs,
    });
  }

  private path(): string {
    const path = this.upstream.pathPrefix + this.request.path;
    return path.startsWith('/') ? path : `/${path}`;
  }

  private async problemOf(dial: DialReport, answer: AnswerReport | null, place: string, budget: number): Promise<Problem | null> {
    if (dial.failure !== null) return explainDial(dial, this.base, this.serverName, budget);
    if (answer === null)
      return problemOf('credential_unavailable', `The credential cannot be produced: ${this.upstream.refusalReason}. Nothing was sent.`);
    const { config, upstream, request } = this;
    const problem = explainAnswer(
      answer,
      { config, place, credentialName: credentialFieldName(upstream), waitMs: request.waitMs },
      this.masking,
    );
    // A health check asks once: nobody reads it as closely.
    const silent = request.purpose === undefined && (problem?.kind === 'empty_reply' || problem?.kind === 'connection_reset');
    if (silent && answer.head === null && this.base.protocol === 'http' && (await this.speaksTls(dial.decisive!.address)))
      return problemOf('tls_expected', `base_url says http, but ${place} speaks TLS.`);
    return problem;
  }

  /** Many servers just hang up on plain HTTP at their HTTPS port: a handshake, with nothing sent after it, tells. */
  private async speaksTls(address: string): Promise<boolean> {
    const base: BaseUrl = { ...this.base, protocol: 'https', host: address };
    const target = { kind: 'tcp', base, serverName: this.serverName, secureContext: () => secureContextFor(null) } as const;
    const { socket, decisive } = await watchDial(this.services, target, 1_500);
    socket?.destroy();
    return socket !== null || decisive?.certificate !== null;
  }

  private dialSteps({ startedAt, resolvedAt, resolveFailure, endedAt, decisive, failure }: DialReport): void {
    const { base } = this;
    if (isIP(base.host) !== 0) this.step('dns', 'skipped', null, `${base.host} is an address`);
    else if (decisive === null) this.step('dns', 'failed', (resolvedAt ?? endedAt) - startedAt, base.host);
    else this.step('dns', 'ok', (resolvedAt ?? endedAt) - startedAt, `${base.host} → ${decisive.address}`);
    if (resolveFailure !== null || decisive === null) return;
    const { address, startedAt: began, connectedAt, endedAt: ended, certificate } = decisive;
    this.step('tcp', connectedAt === null ? 'failed' : 'ok', (connectedAt ?? ended) - began, hostAndPort(address, base.port));
    if (connectedAt === null || base.protocol === 'http') return;
    const told =
      certificate === null
        ? this.serverName
        : `${certificate.protocol ?? 'TLS'}, issued by ${certificate.issuer}, until ${certificate.valid_to.slice(0, 10)}`;
    this.step('tls', failure === null ? 'ok' : 'failed', ended - connectedAt, told);
  }

  private stepsAfterDial(dial: DialReport, answer: AnswerReport | null, problem: Problem | null): void {
    const { upstream, config } = this;
    const connected = dial.socket !== null;
    if (!connected && !this.steps.some(({ step }) => step === 'tcp')) this.step('tcp', 'skipped', null, 'not reached');
    if (!this.steps.some(({ step }) => step === 'tls'))
      this.step('tls', 'skipped', null, this.base.protocol === 'http' ? 'plain HTTP' : 'not reached');
    if (!connected) this.step('credential', 'skipped', null, 'not reached');
    else if (upstream.refusal !== null) this.step('credential', 'failed', null, 'cannot be produced');
    else if (config.auth_type === 'none') this.step('credential', 'skipped', null, 'none is set');
    else this.step('credential', 'ok', null, credentialText(upstream, config));
    if (answer === null) {
      this.step('answer', 'skipped', null, 'not reached');
      this.step('first_byte', 'skipped', null, 'not reached');
      return;
    }
    const { head, headMs, firstByteMs, body, failure } = answer;
    const fine = head !== null && problem?.kind !== 'tls_expected';
    this.step(
      'answer',
      fine ? 'ok' : 'failed',
      headMs,
      head === null ? (problem?.title ?? 'none') : this.masking.hide(`${head.status} ${head.reason}`.trim()),
    );
    if (firstByteMs !== null) this.step('first_byte', 'ok', firstByteMs, `${body.length} bytes came`);
    else this.step('first_byte', failure !== null && head !== null ? 'failed' : 'skipped', null, head === null ? 'not reached' : 'no body');
  }

  private noteAround(dial: DialReport, answer: AnswerReport | null, problem: Problem | null): void {
    const { config, base, notes } = this;
    for (const { address, code } of dial.attempts) {
      if (code !== null)
        notes.push(`${hostAndPort(address, base.port)} failed (${code}); another address of the name took the connection.`);
    }
    const { certificate } = dial.decisive!;
    if (certificate !== null && certificate.days_left < soon)
      notes.push(`The certificate expires in ${certificate.days_left} days, on ${certificate.valid_to.slice(0, 10)}.`);
    if (config.preserve_host) notes.push("preserve_host is on: requests carry the client's Host, the test carried base_url's.");
    if (answer !== null && answer.head !== null && problem === null)
      notes.push(...answerNotes(answer.head, this.request.path, this.masking));
  }

  private step(step: Step['step'], result: Step['result'], ms: number | null, detail: string): void {
    this.steps.push({ step, result, ms: ms === null ? null : milliseconds(ms), detail });
  }

  private result(found: {
    readonly problem: Problem | null;
    readonly steps: Step[];
    readonly totalMs: number | null;
    readonly address?: string | null;
    readonly certificate?: ProbeResult['certificate'];
    readonly answer?: AnswerReport | null;
  }): ProbeResult {
    const { problem, steps, totalMs, address = null, certificate = null, answer = null } = found;
    const { config, request, base } = this;
    const url = `${base.protocol}://${base.authority}${this.path()}`;
    if (!config.enabled)
      this.notes.push('The upstream is disabled: requests to it answer 503 until it is enabled (apigate upstreams enable NAME).');
    return {
      answers: answer !== null && answer.head !== null && problem?.kind !== 'tls_expected',
      request: { method: request.method, url },
      address,
      steps,
      certificate,
      answer: answer === null ? null : describeAnswer(answer, this.masking),
      problem,
      notes: this.notes,
      total_ms: totalMs,
      curl: totalMs === null ? null : curlFor(config, request, url),
    };
  }
}

// Before the clock starts: the first use of the system's store takes its time. What is wrong with it, the dial will tell.
function prepareTrust(tlsCa: string | null): void {
  try {
    secureContextFor(tlsCa);
  } catch {
    // the dial fails with the reason
  }
}

function milliseconds(ms: number): number {
  return Math.round(Math.max(0, ms) * 10) / 10;
}

function credentialFieldName(upstream: CompiledUpstream): string {
  const end = latin1(upstream.headEnd);
  return end.slice(0, Math.max(0, end.indexOf(':')));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function credentialText(upstream: CompiledUpstream, { auth_type: type }: UpstreamConfig): string {
  const scheme = type === 'bearer' ? 'Bearer ' : type === 'basic' ? 'Basic ' : '';
  return `${credentialFieldName(upstream)}: ${scheme}${mask}`;
}
