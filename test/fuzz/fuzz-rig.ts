import http from 'node:http';
import type { Gateway } from '../support/start-gateway.ts';
import type { FuzzCase } from './fuzz-case.ts';
import { NodeJudge } from './node-judge.ts';
import type { RecordingUpstream } from './recording-upstream.ts';
import { type Failure, tryRequest, tryResponse } from './try-cases.ts';

/** A gateway between clients that try cases and an upstream that records, with node:http as the judge of both sides. */
export class FuzzRig {
  readonly #gateway: Gateway;
  readonly #upstream: RecordingUpstream;
  readonly #judge = new NodeJudge();
  #defectLines = 0;

  constructor(gateway: Gateway, upstream: RecordingUpstream) {
    this.#gateway = gateway;
    this.#upstream = upstream;
  }

  get alive(): boolean {
    return this.#gateway.exit === undefined;
  }

  /** Tries the cases at the same time. Answers all that was wrong. */
  async together(batch: readonly FuzzCase[], statistics?: Map<string, number>): Promise<Failure[]> {
    const { port } = this.#gateway;
    const outcomes = await Promise.all(
      batch.map(async (fuzz) => {
        try {
          return await (fuzz.kind === 'request' ? tryRequest : tryResponse)(port, this.#upstream, this.#judge, fuzz);
        } catch (error) {
          return {
            failures: [{ sign: `exception ${(error as Error).name}`, detail: (error as Error).stack ?? String(error) }],
            seen: 'exception',
          };
        }
      }),
    );
    for (const { seen } of outcomes) statistics?.set(seen, (statistics.get(seen) ?? 0) + 1);
    return [...outcomes.flatMap((outcome) => outcome.failures), ...(await this.#upstreamSide()), ...this.#outputSide()];
  }

  /** Tries one case with nothing else going on. */
  async alone(fuzz: FuzzCase): Promise<Failure[]> {
    return await this.together([fuzz]);
  }

  /** Lets go of all connections. */
  async settle(): Promise<void> {
    await this.#upstream.next();
  }

  async close(): Promise<void> {
    await this.#upstream.upstream.close();
  }

  /** What the gateway emitted must read the same to the strict reader and to node:http. */
  async #upstreamSide(): Promise<Failure[]> {
    const { connections, violations } = await this.#upstream.next();
    const failures: Failure[] = violations.map((detail) => ({ sign: 'bad grammar to upstream', detail }));
    for (const { bytes, connection } of connections) {
      const { requests, error } = await this.#judge.requests(bytes);
      const strict: (readonly string[])[] = [];
      for (const request of connection.requests)
        if (request.settled && (await request.complete)) strict.push([request.method, request.target, request.body.latin1Slice()]);
      const second = requests.map(({ method, target, body }) => [method, target, body]);
      // node:http knows a fixed list of methods, and leaves HTTP at an upgrade: beyond these it has nothing to say.
      const ends =
        error === 'UPGRADE' || (error !== undefined && !http.METHODS.includes(connection.requests[second.length]?.method ?? 'GET'));
      if (error !== undefined && !ends)
        failures.push({ sign: 'bad grammar to upstream', detail: `${error} in ${JSON.stringify(bytes.toString('latin1', 0, 2_000))}` });
      const compared = ends ? strict.slice(0, second.length) : strict;
      if (JSON.stringify(compared) !== JSON.stringify(second)) {
        failures.push({
          sign: 'borders upstream',
          detail: `${JSON.stringify(compared).slice(0, 500)} against ${JSON.stringify(second).slice(0, 500)} in ${JSON.stringify(bytes.toString('latin1', 0, 2_000))}`,
        });
      }
    }
    return failures;
  }

  /** Log lines are JSON, whatever a client sends, and tell of no defect. */
  #outputSide(): Failure[] {
    const { lines, otherOutput, stderr } = this.#gateway;
    const failures: Failure[] = otherOutput.splice(0).map((detail) => ({ sign: 'log line that is not JSON', detail }));
    for (const line of lines.splice(0))
      if (line['level'] === 'error' || line['level'] === 'fatal') failures.push({ sign: 'error in the log', detail: JSON.stringify(line) });
    const traces = stderr.slice(this.#defectLines).match(/^\s+at .*$/m);
    if (traces !== null) failures.push({ sign: 'stack on stderr', detail: stderr.slice(-2_000) });
    this.#defectLines = stderr.length;
    return failures;
  }
}
