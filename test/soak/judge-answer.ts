import { BrokenMessage, type RawResponse } from '../support/raw-client.ts';
import { answerBody, digestOf } from './soak-bodies.ts';

/** What an upstream was asked to do with a request. */
export type Behaviour =
  | 'length'
  | 'chunked'
  | 'slow'
  | 'close'
  | 'pieces'
  | 'large'
  | 'json'
  | 'events'
  | 'tunnel'
  | 'hang'
  | 'fin-before'
  | 'reset-before'
  | 'half-head'
  | 'garbage'
  | 'short'
  | 'reset-mid'
  | 'bad-chunk'
  | 'server-error';

/** Those that end in no whole answer, and the codes that say so. */
export const failing: Readonly<Partial<Record<Behaviour, readonly string[]>>> = {
  hang: ['upstream_timeout'],
  'fin-before': ['upstream_reset'],
  'reset-before': ['upstream_reset'],
  'half-head': ['upstream_reset', 'upstream_invalid_response'],
  garbage: ['upstream_invalid_response'],
  short: [],
  'reset-mid': [],
  'bad-chunk': [],
};

/** Of these the head is whole, and only the body breaks. */
const brokenBodies: readonly Behaviour[] = ['short', 'reset-mid', 'bad-chunk'];

/**
 * In which state a route may be: `on SERVER CREDENTIAL` (it leads there with that credential), `off` (its upstream is
 * disabled), `gone` (no such route), `down SERVER` (nobody listens there, or has just begun to).
 */
export type RouteState = string;

/** A request, and all that may rightly come of it. */
export interface Expectation {
  readonly nonce: string;
  readonly method: string;
  readonly behaviour: Behaviour;
  /** All states of its route while it was under way. */
  readonly route: ReadonlySet<RouteState>;
  /** `dying` stands here when a worker was killed meanwhile: then its connections break, and its records are lost. */
  readonly workers: ReadonlySet<string>;
  /** `late` stands here when the soak itself did not get to run meanwhile: it may have been too slow as an upstream or client. */
  readonly machine: ReadonlySet<string>;
  /** What was sent as its body. */
  readonly sent?: string;
  /** Codes of the gateway's own that its client asked for: no key, too many requests. */
  readonly refusals?: readonly string[];
  /** Whether those are the only answers. */
  readonly refused?: boolean;
  /** What the body is, where it is not the usual. */
  readonly body?: string;
  /** Further fields that the answer has. */
  readonly fields?: Readonly<Record<string, string>>;
}

export interface Judgement {
  /** In a word, for the figures. */
  readonly outcome: string;
  /** What is wrong with it. */
  readonly wrong?: string;
}

const wrong = (what: string): Judgement => ({ outcome: 'wrong', wrong: what });

/** Holds what came of a request against what may come of it. */
export function judgeAnswer(expected: Expectation, answer: RawResponse | Error): Judgement {
  const { behaviour, nonce } = expected;
  if (answer instanceof BrokenMessage) {
    const mismatch = notItsOwn(expected, answer.response);
    if (mismatch !== undefined) return wrong(mismatch);
    if (!bodyOf(expected).startsWith(answer.response.body.latin1Slice())) return wrong('a part of a body that is not its own');
    if (brokenBodies.includes(behaviour)) return { outcome: 'broken off, as its upstream did' };
    if (isDown(expected)) return { outcome: 'broken off by a restart of its upstream' };
    if (expected.workers.has('dying')) return { outcome: 'lost with its worker' };
    return wrong(`${answer.message}, though nothing was the matter`);
  }
  if (answer instanceof Error) {
    if (expected.workers.has('dying')) return { outcome: 'lost with its worker' };
    return wrong(`${answer.name}: ${answer.message}`);
  }
  const own = answer.values('proxy-status').length > 0;
  if (own) return judgeRefusal(expected, answer);
  const status = behaviour === 'server-error' ? 503 : 200;
  if (answer.status !== status) return wrong(`${answer.status} ${answer.body.toString().slice(0, 300)}`);
  if (expected.refused === true) return wrong(`${status} where the request had to be refused`);
  const mismatch = notItsOwn(expected, answer);
  if (mismatch !== undefined) return wrong(mismatch);
  if (expected.method !== 'HEAD' && failing[behaviour] !== undefined) return wrong(`a whole answer where the upstream did ${behaviour}`);
  const body = expected.method === 'HEAD' ? '' : bodyOf(expected);
  if (answer.body.latin1Slice() !== body) return wrong(`a body that is not its own: ${answer.body.toString('latin1', 0, 120)}`);
  if (expected.sent !== undefined && answer.value('x-body') !== digestOf(expected.sent))
    return wrong('the upstream got another body than was sent');
  for (const [name, value] of Object.entries(expected.fields ?? {}))
    if (answer.value(name) !== value) return wrong(`${name} is ${answer.value(name)} and not ${value} (${nonce})`);
  return { outcome: String(status) };
}

/** I2, I8: the answer names the request, and is of the upstream and with the credential that the route has. */
function notItsOwn({ nonce, route }: Expectation, answer: RawResponse): string | undefined {
  if (answer.value('x-nonce') !== nonce) return `the answer of ${answer.value('x-nonce')} went to ${nonce}`;
  const state = `on ${answer.value('x-from')} ${answer.value('x-credential')}`;
  if (!route.has(state)) return `answered as "${state}" where the route was ${[...route].join(' | ')}`;
  return undefined;
}

/** I7, and whether there was a reason. */
function judgeRefusal(expected: Expectation, answer: RawResponse): Judgement {
  const head = expected.method === 'HEAD';
  const code = head ? codeOfHead(expected, answer) : String(answer.json()['code']);
  const text = `${JSON.stringify(answer.fields)}${answer.body.toString()}`;
  if (answer.value('cache-control') !== 'no-store') return wrong(`${code} may be cached`);
  if (!head && answer.json()['request_id'] !== answer.value('x-request-id')) return wrong(`${code} names another request`);
  if (/127\.0\.0\.\d|localhost|ECONN|\bat .*\.ts:\d/.test(text)) return wrong(`${code} names an address or a stack: ${text}`);
  const { behaviour, route } = expected;
  const may =
    expected.refusals?.includes(code) === true ||
    (expected.refused !== true &&
      (failing[behaviour]?.includes(code) === true ||
        (brokenBodies.includes(behaviour) && ['upstream_reset', 'upstream_invalid_response'].includes(code)) ||
        (route.has('off') && code === 'upstream_disabled') ||
        (route.has('gone') && code === 'route_not_found') ||
        (route.has('refusing') && code === 'upstream_connection_refused') ||
        (isDown(expected) && ['upstream_connection_refused', 'upstream_reset'].includes(code))));
  if (!may && expected.machine.has('late') && ['upstream_timeout', 'upstream_connect_timeout', 'request_timeout'].includes(code))
    return { outcome: `${answer.status} ${code} while the machine was overloaded` };
  return may ? { outcome: `${answer.status} ${code}` } : wrong(`${answer.status} ${code} where the route was ${[...route].join(' | ')}`);
}

/** An answer to HEAD has no body: what its status stands for. */
function codeOfHead({ behaviour, route, refusals }: Expectation, { status }: RawResponse): string {
  if (status === 404) return 'route_not_found';
  if (status === 503) return 'upstream_disabled';
  if (status === 504) return 'upstream_timeout';
  if (status === 502) return route.has('refusing') ? 'upstream_connection_refused' : (failing[behaviour]?.[0] ?? 'upstream_reset');
  return refusals?.[0] ?? String(status);
}

function bodyOf({ body, nonce, behaviour }: Expectation): string {
  return body ?? answerBody(nonce, behaviour === 'large' ? 250 : 1);
}

function isDown({ route }: Expectation): boolean {
  return [...route].some((state) => state.startsWith('down'));
}
