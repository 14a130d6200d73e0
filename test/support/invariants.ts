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

/**
 * What holds after every test, whatever it was about (scenarios.md, I1–I7). One object watches one gateway:
 * it sees each response that any raw client reads from it, and is asked after each test and at the end.
 */
export class Invariants {
  readonly #gateway: Gateway;
  readonly #stopObserving: () => void;
  readonly #broken: string[] = [];
  /** Request ids of the responses seen, with the test that got them. */
  readonly #answered = new Map<string, string>();
  readonly #upstreams = new Set<ScriptedUpstream>();
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

  /** After each test: I1, I2, I3, I7, and that the upstreams got nothing malformed. */
  afterTest(): void {
    const problems = this.#broken.splice(0);
    if (this.#gateway.exit !== undefined)
      problems.push(`I1: the gateway exited with ${this.#gateway.exit}\n${this.#gateway.output.slice(-4_000)}`);
    const output = this.#gateway.stderr;
    if (/uncaughtException|unhandledRejection|Uncaught|UnhandledPromise|    at .*\.ts:\d+/.test(output))
      problems.push(`I1: ${output.slice(-4_000)}`);
    const fatal = this.#gateway.lines.find((line) => line['level'] === 'fatal' || line['level'] === 60);
    if (fatal !== undefined) problems.push(`I1: fatal log line ${JSON.stringify(fatal)}`);
    for (const upstream of this.#upstreams) problems.push(...upstream.violations.splice(0).map((violation) => `upstream: ${violation}`));
    assert.deepEqual(problems, [], `invariants broken: ${problems.join('\n')}`);
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
      return [...this.#answered.keys()].filter((id) => !seen.has(id));
    };
    const message = () => {
      const lost = missing();
      return `I6: an access record for each response; ${lost.length} of ${this.#answered.size} have none, by test: ${[...new Set(lost.map((id) => this.#answered.get(id)))].join(' | ')}`;
    };
    await eventually(() => missing().length === 0, message, 5_000);
    const counts = new Map<string, number>();
    for (const record of this.#gateway.records) {
      counts.set(record.request_id, (counts.get(record.request_id) ?? 0) + 1);
      assert.ok(outcomes.includes(record.outcome), `I6: unknown outcome in ${JSON.stringify(record)}`);
    }
    const doubled = [...counts].filter(([, count]) => count > 1);
    assert.deepEqual(doubled, [], `I6: more than one record: ${doubled.map(([id]) => this.#answered.get(id) ?? id).join(' | ')}`);
  }

  #look(response: RawResponse, nonce: string | undefined): void {
    const report = (message: string): void => void this.#broken.push(`${message} [${response.status} in "${this.currentTest}"]`);
    const ids = response.values('x-request-id');
    if (ids.length !== 1) report(`not exactly one X-Request-Id but ${ids.length}`);
    else this.#answered.set(ids[0]!, this.currentTest);
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
