import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { eventually } from './eventually.ts';
import { nonceEchoHeader, observeResponses, type RawResponse } from './raw-client.ts';
import type { ScriptedUpstream } from './scripted-upstream.ts';
import { adminPassword, type Gateway } from './start-gateway.ts';
import { networkSocketsOf, openFilesOf, tcpSocketsOf } from './tcp-sockets.ts';

/** The classes an access record's outcome may have. */
export const outcomes = [
  'ok',
  'client_abort',
  'upstream_connect',
  'upstream_timeout',
  'upstream_reset',
  'upstream_protocol',
  'rejected',
  'overload',
];

const adminCodes = new Set([
  'unauthenticated',
  'forbidden',
  'not_found',
  'invalid_request',
  'malformed_json',
  'validation_failed',
  'unsupported_media_type',
]);

/** Records come in batches: a response without one for longer than this has none, in milliseconds. */
const recordTime = 5_000;

/**
 * What holds after every test, whatever it was about (scenarios.md, I1–I8). One object watches one gateway:
 * it sees each response that any raw client reads from it, and is asked after each test and at the end.
 */
export class Invariants {
  readonly #gateway: Gateway;
  readonly #stopObserving: () => void;
  readonly #broken: string[] = [];
  /** Request ids of the responses seen, with the test that got them, and when. */
  readonly #answered = new Map<string, { readonly test: string; readonly at: number }>();
  /** Those of them whose record has not been seen yet. */
  readonly #awaited = new Set<string>();
  readonly #recorded = new Set<string>();
  /** How much of the gateway's output has been looked at. */
  #linesSeen = 0;
  #stderrSeen = 0;
  readonly #upstreams = new Set<ScriptedUpstream>();
  /** Upstreams that have a credential: the field it goes in, and how many of their requests have been looked at. */
  readonly #credentialed = new Map<ScriptedUpstream, { readonly field: string; seen: number }>();
  readonly #startSockets: number;
  readonly #startFiles: number;
  /** Strings that may never be seen outside: credentials of upstreams. */
  readonly canaries = [adminPassword];
  /** Ports that answers and problem bodies may not name. */
  readonly secretPorts = new Set<number>();
  currentTest = '';

  /** `port`: where the clients under observation connect to. */
  constructor(gateway: Gateway, port: number) {
    this.#gateway = gateway;
    this.#startSockets = networkSocketsOf(gateway.pid);
    this.#startFiles = openFilesOf(gateway.pid);
    this.#stopObserving = observeResponses((response, answeredBy, nonce) => {
      if (answeredBy === port) this.#look(response, nonce);
    });
  }

  watch(upstream: ScriptedUpstream): void {
    this.#upstreams.add(upstream);
    this.secretPorts.add(upstream.port);
  }

  /** From now on no request may come to the upstream without exactly one such field (I8). */
  expectCredential(upstream: ScriptedUpstream, field: string): void {
    this.#credentialed.set(upstream, { field, seen: upstream.requests.length });
  }

  /** The upstream's credential is about to be taken away: its requests are looked at a last time. */
  credentialTakenAway(upstream: ScriptedUpstream): void {
    this.#broken.push(...this.#credentialsMissing());
    this.#credentialed.delete(upstream);
  }

  /** After each test: I1, I2, I3, I6 as far as records are there, I7, I8, and that the upstreams got nothing malformed. */
  afterTest(): void {
    const problems = this.#broken.splice(0);
    problems.push(...this.#lookAtOutput(), ...this.#credentialsMissing());
    const late = performance.now() - recordTime;
    for (const id of this.#awaited) {
      const { test, at } = this.#answered.get(id)!;
      if (at > late) break;
      this.#awaited.delete(id);
      problems.push(`I6: no access record of ${id}, answered in "${test}"`);
    }
    if (this.#gateway.exit !== undefined)
      problems.push(`I1: the gateway exited with ${this.#gateway.exit}\n${this.#gateway.output.slice(-4_000)}`);
    const output = this.#gateway.stderr;
    if (/uncaughtException|unhandledRejection|Uncaught|UnhandledPromise|    at .*\.ts:\d+/.test(output))
      problems.push(`I1: ${output.slice(-4_000)}`);
    for (const upstream of this.#upstreams) problems.push(...upstream.violations.splice(0).map((violation) => `upstream: ${violation}`));
    assert.deepEqual(problems, [], `invariants broken: ${problems.join('\n')}`);
  }

  /** What is new in the log and on stderr: no defect (I1), no secret (I3), no second record of a request (I6). */
  #lookAtOutput(): string[] {
    const problems: string[] = [];
    const { lines, stderr } = this.#gateway;
    let text = stderr.slice(this.#stderrSeen);
    this.#stderrSeen = stderr.length;
    for (const line of lines.slice(this.#linesSeen)) {
      const json = JSON.stringify(line);
      text += json;
      if (line['level'] === 'fatal' || String(line['msg']).startsWith('a defect in APIGate')) problems.push(`I1: ${json}`);
      const id = line['request_id'];
      if (typeof id !== 'string' || typeof line['outcome'] !== 'string') continue;
      if (!outcomes.includes(line['outcome'])) problems.push(`I6: unknown outcome in ${json}`);
      if (this.#recorded.has(id)) problems.push(`I6: a second record: ${json}, answered in "${this.#answered.get(id)?.test}"`);
      this.#recorded.add(id);
      this.#awaited.delete(id);
    }
    this.#linesSeen = lines.length;
    for (const canary of this.canaries) if (text.includes(canary)) problems.push(`I3: output shows a secret (${canary})`);
    return problems;
  }

  #credentialsMissing(): string[] {
    const problems: string[] = [];
    for (const [upstream, expected] of this.#credentialed) {
      for (const request of upstream.requests.slice(expected.seen)) {
        const values = request.values(expected.field);
        if (values.length !== 1 || values[0] === '')
          problems.push(`I8: ${request.method} ${request.target} came upstream with ${values.length} ${expected.field}`);
      }
      expected.seen = upstream.requests.length;
    }
    return problems;
  }

  /** I5: whatever the test did, the gateway answers. */
  async serves(): Promise<void> {
    await eventually(async () => (await this.#gateway.status('/healthz')) === 200, 'I5: an answer of the gateway', 10_000);
  }

  /** I4: the gateway's TCP connections are back where they began, once clients and upstreams have closed theirs. */
  async socketsSettled(timeoutMs = 10_000): Promise<void> {
    if (!existsSync(`/proc/${this.#gateway.pid}/fd`)) return;
    const message = () =>
      `I4: sockets back to ${this.#startSockets}; there are ${networkSocketsOf(this.#gateway.pid)}: ${JSON.stringify(tcpSocketsOf(this.#gateway.pid))}`;
    await eventually(() => networkSocketsOf(this.#gateway.pid) <= this.#startSockets, message, timeoutMs);
  }

  /** At the end of a file: I4 for all descriptors, I3 for all output, I6 for all responses. */
  async atEnd(): Promise<void> {
    this.#stopObserving();
    if (this.#gateway.exit === undefined && existsSync(`/proc/${this.#gateway.pid}/fd`)) {
      await this.socketsSettled();
      const slack = 12;
      const message = () => `I4: open files back to ${this.#startFiles} (+${slack}); there are ${openFilesOf(this.#gateway.pid)}`;
      await eventually(() => openFilesOf(this.#gateway.pid) <= this.#startFiles + slack, message, 10_000);
    }
    for (const canary of this.canaries) assert.ok(!this.#gateway.output.includes(canary), `I3: output shows a secret (${canary})`);
    assert.deepEqual(this.#gateway.otherOutput, [], 'stdout carries JSON lines only');
    await this.#oneRecordEach();
  }

  /** I6: each response has one record, and no request id has two. */
  async #oneRecordEach(): Promise<void> {
    const missing = (): string[] => {
      const seen = new Set(this.#gateway.records.map((record) => record.request_id));
      return [...this.#awaited].filter((id) => !seen.has(id));
    };
    const message = () => {
      const lost = missing();
      return `I6: an access record for each response; ${lost.length} of ${this.#answered.size} have none, by test: ${[...new Set(lost.map((id) => this.#answered.get(id)!.test))].join(' | ')}`;
    };
    await eventually(() => missing().length === 0, message, 5_000);
    this.afterTest();
  }

  #look(response: RawResponse, nonce: string | undefined): void {
    const report = (message: string): void => void this.#broken.push(`${message} [${response.status} in "${this.currentTest}"]`);
    const ids = response.values('x-request-id');
    if (ids.length !== 1) report(`not exactly one X-Request-Id but ${ids.length}`);
    else {
      this.#answered.set(ids[0]!, { test: this.currentTest, at: performance.now() });
      if (!this.#recorded.has(ids[0]!)) this.#awaited.add(ids[0]!);
    }
    const echo = response.values(nonceEchoHeader);
    if (echo.length > 0 && nonce !== undefined && echo[0] !== nonce) report(`I2: the answer of ${echo[0]} went to ${nonce}`);
    const text = JSON.stringify(response.fields) + response.body.toString('latin1', 0, 65_536);
    for (const canary of this.canaries) if (text.includes(canary)) report(`I3: the answer shows a secret (${canary})`);
    if (response.values('content-type')[0]?.startsWith('application/problem+json') === true && response.body.length > 0)
      this.#problem(response, ids[0], report);
  }

  /** I7: the shape of an error that the gateway made. */
  #problem(response: RawResponse, requestId: string | undefined, report: (message: string) => void): void {
    let problem: Record<string, unknown>;
    try {
      problem = response.json();
    } catch {
      report(`I7: not JSON: ${response.body.toString()}`);
      return;
    }
    for (const member of ['type', 'title', 'detail', 'code', 'request_id'])
      if (typeof problem[member] !== 'string') report(`I7: no ${member}`);
    if (problem['status'] !== response.status) report(`I7: status ${String(problem['status'])} in the body`);
    // A 508 is made at the second visit, and passed on as an upstream's answer by the first.
    if (problem['request_id'] !== requestId && response.status !== 508)
      report(`I7: request_id ${String(problem['request_id'])}, X-Request-Id ${requestId}`);
    if (response.values('cache-control').join() !== 'no-store') report(`I7: Cache-Control: ${response.values('cache-control').join()}`);
    // The admin API is an upstream to the data plane: its errors are not the proxy's.
    if (!adminCodes.has(String(problem['code'])) && response.values('proxy-status').length !== 1) report('I7: no Proxy-Status');
    if (response.values('date').length !== 1) report('no Date on a gateway-made answer');
    const text = `${JSON.stringify(response.fields)}${response.body.toString()}`;
    if (/127\.0\.0\.\d|localhost|\[::1\]|ECONN|\bat .*\.ts:\d/.test(text)) report(`I7: names an address or a stack: ${text}`);
    for (const port of this.secretPorts) if (new RegExp(`:${port}\\b`).test(text)) report(`I7: names the upstream's port: ${text}`);
  }
}
