import { RawClient } from '../support/raw-client.ts';
import { type FuzzCase, piecesOf } from './fuzz-case.ts';
import type { NodeJudge } from './node-judge.ts';
import { type Answer, type Answers, parseAnswers } from './parse-answers.ts';
import type { RecordingUpstream } from './recording-upstream.ts';

/** What a case showed to be wrong; `sign` is the same for the same kind of defect. */
export interface Failure {
  readonly sign: string;
  readonly detail: string;
}

export interface Outcome {
  readonly failures: Failure[];
  /** What happened, in a word, for the statistics. */
  readonly seen: string;
}

/** After this time without an answer that node:http says is due, or without the end of a connection, something hangs. */
const patience = 15_000;
/** A refusal with one of these codes is about framing or grammar: the rest of the connection is not to be trusted. */
const closing = new Set(['request_malformed', 'headers_too_large', 'target_too_long', 'body_too_large', 'request_timeout']);
/** What an upstream that does nothing wrong may not make the gateway say. */
const never = /^(upstream_|internal_error|transform_error|draining)/;

let cases = 0;

/** An address of the loopback network that no other case of this run uses at the same time. */
function clientAddress(): string {
  const number = (cases += 1) % 0xfffff0;
  return `127.${1 + ((number >> 16) & 0x0f)}.${(number >> 8) & 255}.${2 + (number % 250)}`;
}

/** Sends the case's bytes as a client and holds the answers, and what went upstream, against node:http's reading of them. */
export async function tryRequest(port: number, upstream: RecordingUpstream, judge: NodeJudge, fuzz: FuzzCase): Promise<Outcome> {
  const verdict = await judge.requests(fuzz.bytes);
  const methods = verdict.requests.map((request) => request.method);
  const address = clientAddress();
  using client = await RawClient.connect(port, { localAddress: address });
  client.socket.on('error', () => {});
  await client.sendPieces(piecesOf(fuzz), fuzz.gapMs);
  const got = await answersDue(client, methods);
  const failures: Failure[] = [];
  const fail = (sign: string, detail: string): void => void failures.push({ sign, detail });
  if (client.stream.ending === undefined) {
    if (got.answers.length < methods.length && !got.answers.some((answer) => answer.closes))
      fail('no answer', `${got.answers.length} answers where node:http sees ${methods.length} requests`);
    client.end();
    await until(() => client.stream.ending !== undefined);
    if (client.stream.ending === undefined) fail('hang', 'the connection stays open after the client has closed its side');
  }
  const { answers, violation } = await parseAnswers(client.stream.peek(), client.stream.ending === 'fin' ? 'fin' : 'reset', methods);
  if (violation !== undefined) fail('bad grammar to client', violation);
  for (const [index, answer] of answers.entries()) {
    const last = index === answers.length - 1;
    if (answer.closes && !last)
      fail('answers after close', `${answer.status} said Connection: close, ${answers[index + 1]!.status} came behind it`);
    if (answer.upstreamId === undefined) {
      if (never.test(answer.code ?? '') || answer.status === 500) fail(`own ${answer.status}`, `${answer.code}: ${answer.body}`);
      if (closing.has(answer.code ?? '') && !(answer.closes && last))
        fail('refused and kept', `${answer.status} ${answer.code} without a close`);
      continue;
    }
    const arrived = upstream.arrived.get(answer.upstreamId);
    if (arrived === undefined || arrived.client !== address) {
      fail('cross-talk', `answer ${answer.upstreamId} of ${arrived?.client} came to ${address}`);
      continue;
    }
    if (!contentOf(answer, arrived.id)) fail('wrong body', `${JSON.stringify(answer.body.slice(0, 100))} for ${arrived.id}`);
    const second = verdict.requests[index];
    if (second === undefined) {
      // node:http refuses the bytes, which is its right; but where it only waits for more, the borders differ.
      if (verdict.error === undefined)
        fail('borders', `the gateway took a request that node:http takes for incomplete: ${arrived.method} ${arrived.target}`);
      continue;
    }
    const first = JSON.stringify([arrived.method, arrived.target, arrived.body]);
    const other = JSON.stringify([second.method, originForm(second.target), second.body]);
    if (first !== other) fail('borders', `upstream got ${first.slice(0, 300)}, node:http reads ${other.slice(0, 300)}`);
  }
  // Where node:http refuses what comes last, nobody waited for the gateway's answer to it.
  if (verdict.error === undefined && client.stream.ending === 'fin') {
    const ids = answers.map((answer) => answer.upstreamId);
    for (const { id, client: owner } of upstream.arrived.values()) {
      if (owner === address && !ids.includes(id)) fail('lost answer', `the upstream answered ${id}, the client did not get it`);
    }
  }
  return { failures, seen: answers.map((answer) => (answer.upstreamId === undefined ? answer.status : 'ok')).join(' ') || 'nothing' };
}

/** Asks for the case's bytes as a response, and for an ordinary one behind it. */
export async function tryResponse(port: number, upstream: RecordingUpstream, judge: NodeJudge, fuzz: FuzzCase): Promise<Outcome> {
  const name = `r${(cases += 1)}`;
  upstream.answers.set(name, fuzz);
  const address = clientAddress();
  const failures: Failure[] = [];
  const fail = (sign: string, detail: string): void => void failures.push({ sign, detail });
  using client = await RawClient.connect(port, { localAddress: address });
  client.socket.on('error', () => {});
  await client.send(`${fuzz.method} /fuzz-answer/${name} HTTP/1.1\r\nHost: a.test\r\n\r\nGET /after HTTP/1.1\r\nHost: a.test\r\n\r\n`);
  let got = await answersDue(client, [fuzz.method, 'GET']);
  if (client.stream.ending === undefined && got.answers.length < 2 && !got.answers.some((answer) => answer.closes))
    fail('no answer', `${got.answers.length} answers to two requests`);
  client.end();
  await until(() => client.stream.ending !== undefined);
  if (client.stream.ending === undefined) fail('hang', 'the connection stays open after the client has closed its side');
  got = await parseAnswers(client.stream.peek(), client.stream.ending === 'fin' ? 'fin' : 'reset', [fuzz.method, 'GET']);
  if (got.violation !== undefined) fail('bad grammar to client', got.violation);
  const [first, after] = got.answers;
  if (after !== undefined) assertOwn(after, upstream, address, '/after', fail);
  // A client of its own gets its own answer, whatever is left in the upstream's connections.
  using next = await RawClient.connect(port, { localAddress: address });
  await next.send('GET /next HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
  const others = await answersDue(next, ['GET']);
  if (others.answers[0] === undefined) fail('no answer', 'the next client got none');
  else assertOwn(others.answers[0], upstream, address, '/next', fail);
  const seen = first === undefined ? (got.broken === undefined ? 'nothing' : 'broken') : first.own ? String(first.status) : 'ok';
  if (first?.code === 'internal_error') fail('own 500', first.body);
  // llhttp does not know that white space behind a value may be a tab (RFC 9110 section 5.6.3), and reads such a body to the close.
  if (first !== undefined && !first.own && !/chunked *\t/i.test(fuzz.bytes.latin1Slice())) {
    const verdict = await judge.response(fuzz.method, fuzz.bytes);
    if (verdict?.complete === true && (verdict.status !== first.status || verdict.body !== first.body)) {
      fail(
        'response borders',
        `the client got ${first.status} ${JSON.stringify(first.body.slice(0, 200))}, node:http reads ${verdict.status} ${JSON.stringify(verdict.body.slice(0, 200))}`,
      );
    }
    if (verdict !== undefined && !verdict.complete && fuzz.ending === 'fin')
      fail('response borders', `the client got ${first.status} as complete, node:http takes it for cut off`);
  }
  return { failures, seen: `response ${seen}` };
}

function assertOwn(
  answer: Answer,
  upstream: RecordingUpstream,
  address: string,
  target: string,
  fail: (sign: string, detail: string) => void,
): void {
  const arrived = answer.upstreamId === undefined ? undefined : upstream.arrived.get(answer.upstreamId);
  if (arrived === undefined) fail('wrong answer', `${target} got ${answer.status} ${answer.body.slice(0, 200)}`);
  else if (arrived.client !== address || arrived.target !== target)
    fail('cross-talk', `${target} of ${address} got the answer to ${arrived.target} of ${arrived.client}`);
}

/** Waits until as many answers are there as are due, or the connection has ended, or nothing moves any more. */
async function answersDue(client: RawClient, methods: readonly (string | undefined)[]): Promise<Answers> {
  const end = performance.now() + patience;
  let size = -1;
  let quietSince = performance.now();
  let got: Answers = { answers: [], broken: undefined, violation: undefined };
  for (;;) {
    const ending = client.stream.ending;
    if (client.stream.size !== size) {
      size = client.stream.size;
      quietSince = performance.now();
      got = await parseAnswers(client.stream.peek(), undefined, methods);
    }
    if (ending !== undefined || performance.now() > end) return got;
    const due = got.answers.length >= methods.length || got.answers.some((answer) => answer.closes);
    if (due && got.broken === undefined && performance.now() - quietSince > 20) return got;
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + patience; !condition() && performance.now() < end;)
    await new Promise((resolve) => setTimeout(resolve, 4));
}

function contentOf(answer: Answer, id: number): boolean {
  const method = answer.fields.find(([name]) => name === 'X-Fuzz-Method')?.[1];
  return answer.body === (method === 'HEAD' ? '' : `${id} `.repeat(1 + (id % 40)));
}

/** An absolute-form target goes upstream in origin-form. */
function originForm(target: string): string {
  const match = /^https?:\/\/[^/?#]*(.*)$/i.exec(target);
  if (match === null) return target;
  return match[1]!.startsWith('/') ? match[1]! : `/${match[1]!}`;
}
