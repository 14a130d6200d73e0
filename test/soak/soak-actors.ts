import type { Random } from '../fuzz/random.ts';
import { deadlineIn } from '../support/byte-stream.ts';
import { BrokenMessage } from '../support/raw-client.ts';
import { frame, handshakeKey } from '../support/websocket.ts';
import { eventText, uploadBody } from './soak-bodies.ts';
import { anyRequest, plainRequest, SoakClient } from './soak-client.ts';
import type { SoakWorld } from './soak-world.ts';

/** Somebody who uses the gateway until it is time to rest. */
type Actor = (world: SoakWorld, random: Random) => Promise<void>;

/** Kinds of clients, and how many of a hundred are of each. */
export const actors: readonly { readonly name: string; readonly share: number; readonly act: Actor }[] = [
  { name: 'keep-alive', share: 44, act: keepAlive },
  { name: 'pipelining', share: 4, act: pipelining },
  { name: 'event streams', share: 18, act: eventStream },
  { name: 'WebSockets', share: 14, act: webSocket },
  { name: 'leaving', share: 6, act: leaving },
  { name: 'slow readers', share: 4, act: slowReader },
  { name: 'malformed', share: 2, act: malformed },
  { name: 'idle', share: 8, act: idle },
];

/** Waits, but not into a rest. */
export async function pause(world: SoakWorld, ms: number): Promise<void> {
  const end = performance.now() + ms;
  for (let left = ms; left > 0 && !world.resting; left = end - performance.now())
    await new Promise((resolve) => setTimeout(resolve, Math.min(left, 200)));
}

async function connected(world: SoakWorld, random: Random): Promise<SoakClient | undefined> {
  const client = await SoakClient.connect(world, `127.${1 + random.below(3)}.${random.below(256)}.${1 + random.below(250)}`);
  if (client === undefined) await pause(world, 200);
  return client;
}

async function keepAlive(world: SoakWorld, random: Random): Promise<void> {
  const client = await connected(world, random);
  if (client === undefined) return;
  try {
    for (let turn = random.below(40); turn >= 0 && !world.resting && client.usable; turn -= 1) {
      if (!(await client.exchange(anyRequest(random, world), random.chance(0.1) ? 61 : undefined))) break;
      await pause(world, 100 + random.below(700));
    }
  } finally {
    client.end(random.chance(0.5) ? 'fin' : 'reset');
  }
}

async function pipelining(world: SoakWorld, random: Random): Promise<void> {
  const client = await connected(world, random);
  if (client === undefined) return;
  try {
    while (!world.resting && client.usable) {
      const batch = random.times(2 + random.below(6), () => client.plan(plainRequest(random, world)));
      await client.raw.send(batch.map(({ bytes }) => bytes).join(''));
      let open = true;
      for (const underWay of batch) {
        if (open) open = await client.read(underWay);
        else underWay.close();
      }
      if (!open) break;
      await pause(world, 500 + random.below(1_500));
    }
  } finally {
    client.end();
  }
}

async function eventStream(world: SoakWorld, random: Random): Promise<void> {
  const client = await connected(world, random);
  if (client === undefined) return;
  try {
    const { raw } = client;
    const count = 2 + random.below(20);
    const gap = random.pick([20, 200, 700]);
    const underWay = client.plan({
      route: random.pick(['plain', random.pick(world.dynamicNames)]),
      method: 'GET',
      behaviour: 'events',
      query: `n=${count}&n=${gap}`,
      fields: 'Accept: text/event-stream\r\n',
      expected: (nonce) => ({ body: Array.from({ length: count }, (_, index) => eventText(nonce, index)).join('') }),
    });
    await raw.send(underWay.bytes);
    const answer = raw.response({ timeoutMs: 20_000 }).catch((error: Error) => error);
    const stream = { over: false };
    void answer.then(() => (stream.over = true));
    // Some leave early, and all do when it is time to rest.
    const patience = performance.now() + (random.chance(0.2) ? random.below(1_000) : 60_000);
    while (!stream.over && !world.resting && performance.now() < patience) await new Promise((resolve) => setTimeout(resolve, 100));
    underWay.close();
    if (stream.over) client.judge(underWay.expectation, underWay.nonce, await answer);
    else world.figures.count('clients that left', 'an event stream');
  } finally {
    client.end(random.chance(0.5) ? 'fin' : 'reset');
  }
}

async function webSocket(world: SoakWorld, random: Random): Promise<void> {
  const client = await connected(world, random);
  if (client === undefined) return;
  const { raw } = client;
  const underWay = client.plan({
    route: 'live',
    method: 'GET',
    behaviour: 'tunnel',
    fields: `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${handshakeKey}\r\n`,
  });
  const { nonce, expectation } = underWay;
  try {
    await raw.send(underWay.bytes);
    const answer = await raw.response({ timeoutMs: 20_000 }).catch((error: Error) => error);
    if (answer instanceof Error || answer.status !== 101) {
      client.judge(expectation, nonce, answer);
      return;
    }
    if (answer.value('x-nonce') !== nonce) world.findings.add('I2 a tunnel of another', `~${nonce}: ${JSON.stringify(answer.fields)}`);
    for (let turn = 1 + random.below(12); turn > 0 && !world.resting; turn -= 1) {
      const sent = frame(uploadBody(`${nonce}-${turn}`, random.pick([1, 90, 4_000])), true);
      await raw.send(sent);
      const got = await raw.stream.exactly(sent.length, deadlineIn(20_000), 'what was sent into the tunnel');
      if (!got.equals(sent)) world.findings.add('I2 other bytes in a tunnel', `~${nonce}: ${got.toString('latin1', 0, 200)}`);
      await pause(world, random.below(1_500));
    }
    world.figures.count('requests', '101');
    if (!expectation.workers.has('dying')) world.ledger.expect(nonce, 101);
  } catch (error) {
    world.figures.count('requests', 'a tunnel broke');
    if (!expectation.workers.has('dying')) world.findings.add('a tunnel broke', `~${nonce}: ${String(error)}`);
  } finally {
    underWay.close();
    client.end(random.chance(0.5) ? 'fin' : 'reset');
  }
}

/** Clients that break off, in each phase of a request. */
async function leaving(world: SoakWorld, random: Random): Promise<void> {
  const client = await connected(world, random);
  if (client === undefined) return;
  const { raw } = client;
  const phase = random.pick(['in the head', 'in the body', 'while waiting', 'in the answer', 'after half the requests']);
  const upload = { textOf: (nonce: string) => uploadBody(nonce, 60_000), chunked: random.chance(0.5) };
  const route = random.pick(['plain', 'restarting', random.pick(world.dynamicNames), ...(world.routes.has('secure') ? ['secure'] : [])]);
  const underWay = client.plan({
    route,
    method: phase === 'in the body' ? 'POST' : 'GET',
    behaviour: phase === 'in the answer' ? 'large' : 'slow',
    ...(phase === 'in the body' ? { body: upload } : {}),
  });
  try {
    const { bytes } = underWay;
    const head = bytes.indexOf('\r\n\r\n') + 4;
    if (phase === 'in the head') await raw.send(bytes.slice(0, 1 + random.below(head - 2)));
    else if (phase === 'in the body') await raw.send(bytes.slice(0, head + random.below(bytes.length - head)));
    else if (phase === 'after half the requests') await raw.send(bytes + bytes.slice(0, 20));
    else await raw.send(bytes);
    if (phase === 'in the answer') {
      const first = await raw.stream.some(deadlineIn(20_000), 'the beginning of an answer');
      if (first !== undefined) raw.socket.pause();
    }
    await pause(world, random.below(300));
    world.figures.count('clients that left', phase);
  } catch (error) {
    if (!underWay.expectation.workers.has('dying')) world.findings.add('a leaving client was hindered', String(error));
  } finally {
    underWay.close();
    client.end(random.chance(0.5) ? 'fin' : 'reset');
  }
  await pause(world, random.below(400));
}

/** Takes a large answer with pauses. */
async function slowReader(world: SoakWorld, random: Random): Promise<void> {
  const client = await connected(world, random);
  if (client === undefined) return;
  const { raw } = client;
  const held = setInterval(
    () => {
      if (raw.socket.isPaused() || world.resting) raw.socket.resume();
      else raw.socket.pause();
    },
    150 + random.below(300),
  );
  try {
    await client.exchange({
      route: random.pick(['plain', ...(world.routes.has('secure') ? ['secure'] : [])]),
      method: 'GET',
      behaviour: 'large',
    });
  } finally {
    clearInterval(held);
    client.end();
  }
  await pause(world, random.below(1_000));
}

/** Each with the status that it must get; then the connection must close. */
const malformedRequests: readonly (readonly [number, string])[] = [
  [400, 'POST /plain/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  [400, 'POST /plain/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  [400, 'GET /plain/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  [400, 'GET /plain/x HTTP/1.1\r\n\r\n'],
  [400, 'GET /plain/x HTTP/1.1\nHost: a\n\n'],
  [400, 'GET /plain/x HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n'],
  [400, 'GET /plain/%00 HTTP/1.1\r\nHost: a\r\n\r\n'],
  [400, 'POST /plain/x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  [400, 'POST /plain/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  [414, `GET /plain/${'x'.repeat(9_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  [431, `GET /plain/x HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`],
];

async function malformed(world: SoakWorld, random: Random): Promise<void> {
  const client = await connected(world, random);
  if (client === undefined) return;
  const workers = world.workers.open();
  const [status, bytes] = random.pick(malformedRequests);
  try {
    await client.raw.send(bytes);
    const answer = await client.raw.response({ timeoutMs: 20_000 });
    world.figures.count('requests', `${answer.status} malformed`);
    if (answer.status !== status) world.findings.add('a malformed request', `${answer.status} and not ${status}: ${bytes.slice(0, 200)}`);
    const id = answer.value('x-request-id');
    await client.raw.ended(20_000);
    if (id !== undefined && !workers.states.has('dying')) world.ledger.expect(id, status, ['rejected']);
  } catch (error) {
    if (!workers.states.has('dying') && !(error instanceof BrokenMessage))
      world.findings.add('a malformed request', `${String(error)}: ${bytes.slice(0, 200)}`);
  } finally {
    workers.close();
    client.end();
  }
  await pause(world, 200 + random.below(1_000));
}

/** Keeps a connection, and uses it now and then. */
async function idle(world: SoakWorld, random: Random): Promise<void> {
  const client = await connected(world, random);
  if (client === undefined) return;
  try {
    while (!world.resting && client.usable) {
      if (!(await client.exchange(plainRequest(random, world)))) break;
      await pause(world, 3_000 + random.below(12_000));
    }
  } finally {
    client.end();
  }
}
