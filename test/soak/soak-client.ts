import type { Random } from '../fuzz/random.ts';
import { BrokenMessage, RawClient, type RawResponse } from '../support/raw-client.ts';
import { type Behaviour, type Expectation, failing, judgeAnswer } from './judge-answer.ts';
import type { Window } from './possible-states.ts';
import { uploadBody } from './soak-bodies.ts';
import { hangTimeout, type SoakWorld } from './soak-world.ts';

let nonces = 0;

/** Names a request, in its path and in all that comes of it. */
export function nextNonce(): string {
  return `${process.pid.toString(36)}-${(nonces += 1).toString(36)}`;
}

/** A request that is about to be sent. */
export interface Planned {
  readonly route: string;
  readonly method: string;
  readonly behaviour: Behaviour;
  /** Field lines with their ends. */
  readonly fields?: string;
  readonly query?: string;
  readonly body?: { readonly textOf: (nonce: string) => string; readonly chunked: boolean };
  readonly expected?: (nonce: string) => Partial<Expectation>;
}

/** A request that was sent, and the windows through which its surroundings are seen. */
export interface UnderWay {
  readonly planned: Planned;
  readonly nonce: string;
  readonly bytes: string;
  readonly expectation: Expectation;
  readonly began: number;
  close(): void;
}

/** A client connection of the soak: what it reads is judged, and it may break only with its worker. */
export class SoakClient {
  readonly raw: RawClient;
  readonly #world: SoakWorld;
  readonly #workers: Window<string>;
  readonly #machine: Window<string>;
  readonly #connectedAt = performance.now();
  #usedAt = performance.now();
  #answers = 0;

  static async connect(world: SoakWorld, localAddress?: string): Promise<SoakClient | undefined> {
    const workers = world.workers.open();
    try {
      const raw = await RawClient.connect(world.gateway.port, localAddress === undefined ? {} : { localAddress });
      raw.socket.on('error', () => undefined);
      return new SoakClient(world, raw, workers);
    } catch (error) {
      workers.close();
      if (!workers.states.has('dying')) world.findings.add('a connection was refused', String(error));
      return undefined;
    }
  }

  private constructor(world: SoakWorld, raw: RawClient, workers: Window<string>) {
    this.#world = world;
    this.raw = raw;
    this.#workers = workers;
    this.#machine = world.machine.open();
  }

  /** Whether the next request may be sent on it. */
  get usable(): boolean {
    const { stream } = this.raw;
    if (stream.ending === undefined && stream.size === 0) return true;
    if (stream.size > 0) this.#world.findings.add('I2 bytes that nobody asked for', stream.peek().toString('latin1', 0, 300));
    else if (!this.#workers.states.has('dying')) {
      const told = `${stream.ending}, ${ageOf(this.#connectedAt)} after it was made, ${ageOf(this.#usedAt)} after its answer number ${this.#answers}`;
      this.#world.findings.add('an idle connection was closed', told);
    }
    return false;
  }

  /** Opens what is needed to judge a request from now on, and makes its bytes. */
  plan(planned: Planned): UnderWay {
    const nonce = nextNonce();
    const { method, behaviour, body, query, fields = '' } = planned;
    const route = this.#world.routes.get(planned.route)!.open();
    const text = body?.textOf(nonce);
    const framing = text === undefined ? '' : body!.chunked ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${text.length}\r\n`;
    const chunks = text === '' || text === undefined ? '' : `${text.length.toString(16)};ext=1\r\n${text}\r\n`;
    const wire = text === undefined ? '' : body!.chunked ? `${chunks}0\r\n\r\n` : text;
    return {
      planned,
      nonce,
      bytes: `${method} /${planned.route}/${behaviour}/~${nonce}${query === undefined ? '' : `?${query}`} HTTP/1.1\r\nHost: soak.test\r\n${fields}${framing}\r\n${wire}`,
      expectation: {
        nonce,
        method,
        behaviour,
        route: route.states,
        workers: this.#workers.states,
        machine: this.#machine.states,
        // Of an empty body an upstream tells no digest.
        ...(text === undefined || text === '' ? {} : { sent: text }),
        ...planned.expected?.(nonce),
      },
      began: performance.now(),
      close: () => route.close(),
    };
  }

  /** Sends one request, reads its answer, judges it. Answers whether the connection can go on. */
  async exchange(planned: Planned, pieces?: number): Promise<boolean> {
    const running = this.#world.running.open();
    const underWay = this.plan(planned);
    try {
      // Who takes long for a large body is cut, and rightly so.
      if (pieces === undefined || underWay.bytes.length > 3_000) await this.raw.send(underWay.bytes);
      else await this.raw.sendPieces(underWay.bytes.match(new RegExp(`[^]{1,${pieces}}`, 'g')) ?? []);
      const answer = await this.read(underWay);
      const calm = !running.states.has('stopped') && !this.#workers.states.has('dying') && !this.#machine.states.has('late');
      const took = performance.now() - underWay.began;
      if (calm && planned.behaviour === 'hang' && took > 2 * hangTimeout)
        this.#world.findings.add('a timeout came late', `~${underWay.nonce}: ${Math.round(took)} ms where timeout_ms is ${hangTimeout}`);
      if (calm && (planned.behaviour === 'length' || planned.behaviour === 'chunked')) this.#world.figures.latency('request', took);
      return answer;
    } finally {
      running.close();
    }
  }

  /** Reads and judges the answer to a request that was sent. Answers whether the connection can go on. */
  async read(underWay: UnderWay): Promise<boolean> {
    const { planned, nonce, expectation } = underWay;
    const answer = await this.raw.response({ method: planned.method, timeoutMs: 20_000 }).catch((error: Error) => error);
    underWay.close();
    this.#usedAt = performance.now();
    this.#answers += 1;
    this.judge(expectation, nonce, answer);
    return !(answer instanceof Error) && answer.value('connection')?.toLowerCase() !== 'close';
  }

  judge(expectation: Expectation, nonce: string, answer: RawResponse | Error): string {
    const { figures, findings, ledger } = this.#world;
    const { outcome, wrong } = judgeAnswer(expectation, answer);
    figures.count('requests', outcome);
    const response = answer instanceof BrokenMessage ? answer.response : answer instanceof Error ? undefined : answer;
    if (wrong !== undefined)
      findings.add(
        'an answer that may not be',
        `${expectation.method} ${expectation.behaviour} ~${nonce}: ${wrong}${response === undefined ? '' : ` (${JSON.stringify(response.fields)})`}`,
      );
    if (response === undefined) return outcome;
    if (response.status === 200 && expectation.refusals?.includes('rate_limit_exceeded') === true) figures.limitedPassed += 1;
    this.#world.lookForSecrets(JSON.stringify(response.fields) + response.body.toString('latin1', 0, 4_096), `the answer to ~${nonce}`);
    if (response.values('x-request-id').length !== 1) findings.add('not one X-Request-Id', JSON.stringify(response.fields));
    // Of a worker that died, records may be lost.
    if (!this.#workers.states.has('dying')) ledger.expect(nonce, response.status, allowedOutcomes(expectation, answer));
    return outcome;
  }

  /** The connection goes; `how` as its peer sees it. */
  end(how: 'fin' | 'reset' = 'fin'): void {
    this.#workers.close();
    this.#machine.close();
    if (how === 'reset') this.raw.reset();
    else this.raw.destroy();
  }
}

function ageOf(moment: number): string {
  return `${Math.round(performance.now() - moment)} ms`;
}

function allowedOutcomes({ behaviour, method, route }: Expectation, answer: RawResponse | Error): readonly string[] | undefined {
  if (answer instanceof BrokenMessage) return ['upstream_reset', 'upstream_protocol'];
  if (answer instanceof Error) return undefined;
  if (answer.status === 504) return ['upstream_timeout', 'upstream_connect'];
  if (answer.status === 502 && route.has('refusing')) return ['upstream_connect'];
  if (answer.status < 500 && answer.status >= 400) return ['rejected'];
  // Where the upstream breaks off after a whole answer to HEAD, that is no failure.
  return answer.status === 200 && failing[behaviour] === undefined && method !== 'HEAD' ? ['ok'] : undefined;
}

const honest: readonly Behaviour[] = ['length', 'length', 'length', 'chunked', 'chunked', 'slow', 'close', 'pieces'];
const broken: readonly Behaviour[] = [
  'hang',
  'fin-before',
  'reset-before',
  'half-head',
  'garbage',
  'short',
  'reset-mid',
  'bad-chunk',
  'server-error',
];

/** Some request of any kind. */
export function anyRequest(random: Random, world: SoakWorld): Planned {
  const dice = random.fraction();
  if (dice < 0.3) return withBody(random, { route: random.pick(world.dynamicNames), method: 'GET', behaviour: random.pick(honest) });
  if (dice < 0.45) return withBody(random, { route: 'plain', method: 'GET', behaviour: random.pick(honest) });
  if (dice < 0.6 && world.routes.has('secure')) return withBody(random, { route: 'secure', method: 'GET', behaviour: random.pick(honest) });
  if (dice < 0.7) return withBody(random, { route: 'restarting', method: 'GET', behaviour: random.pick(honest) });
  if (dice < 0.75) return withBody(random, { route: 'refusing', method: 'GET', behaviour: 'length' });
  if (dice < 0.85) return withBody(random, { route: 'faulty', method: 'GET', behaviour: random.pick(broken) });
  return dice < 0.93 ? keyedRequest(random, world) : changedRequest(random);
}

/** One that an upstream of its route answers at once. */
export function plainRequest(random: Random, world: SoakWorld): Planned {
  return { route: random.pick(['plain', random.pick(world.dynamicNames)]), method: random.pick(['GET', 'HEAD']), behaviour: 'length' };
}

function withBody(random: Random, planned: Planned): Planned {
  const method = random.pick(['GET', 'GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT', 'DELETE']);
  if (method !== 'POST' && method !== 'PUT') return { ...planned, method };
  const size = random.pick([0, 30, 700, 5_000, 70_000]);
  return { ...planned, method, body: { textOf: (nonce) => uploadBody(nonce, size), chunked: random.chance(0.5) } };
}

function keyedRequest(random: Random, world: SoakWorld): Planned {
  const request = { route: 'keyed', method: 'GET', behaviour: 'length' } as const;
  const with_ = (key: string): string => (random.chance(0.5) ? `X-API-Key: ${key}\r\n` : `Authorization: Bearer ${key}\r\n`);
  const dice = random.fraction();
  if (dice < 0.4) return { ...request, fields: with_(world.keys.open) };
  if (dice < 0.8) return { ...request, fields: with_(world.keys.limited), expected: () => ({ refusals: ['rate_limit_exceeded'] }) };
  if (dice < 0.9) return { ...request, expected: () => ({ refusals: ['missing_api_key'], refused: true }) };
  return { ...request, fields: with_(`ak_${'0'.repeat(64)}`), expected: () => ({ refusals: ['invalid_api_key'], refused: true }) };
}

/** On a route that changes requests and answers. */
function changedRequest(random: Random): Planned {
  const mark = `m${random.below(1e9)}`;
  const upstreamGot = { number: 1.5, text: 'ü"\\', mark, by: mark };
  return {
    route: 'changed',
    method: 'POST',
    behaviour: 'json',
    query: 'gone=1&kept=2',
    fields: `X-Test: ${mark}\r\nX-Removed: 1\r\nContent-Type: application/json\r\n`,
    body: { textOf: () => asBytes({ number: 1.5, text: 'ü"\\', secret: 'hidden', mark }), chunked: random.chance(0.3) },
    expected: (nonce) => ({
      sent: asBytes(upstreamGot),
      body: asBytes({ nonce, echo: upstreamGot }),
      fields: { 'x-set': mark, 'x-header-seen': `for ${mark}`, 'x-query-seen': 'kept=2&added=yes' },
    }),
  };
}

/** JSON in UTF-8, a character for each byte: bodies are compared as bytes. */
function asBytes(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).latin1Slice();
}
