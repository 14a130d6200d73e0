import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { assertOneOf } from '../support/request-cases.ts';
import { BrokenMessage, fetchRaw, RawClient } from '../support/raw-client.ts';
import { stricterRequests, stricterResponses } from './stricter-than-llhttp.ts';

interface Vector {
  readonly file: string;
  readonly title: string;
  readonly lenient: boolean;
  readonly kind: 'request' | 'response';
  readonly base64: string;
  readonly verdict: 'accept' | 'reject' | 'pause' | 'upgrade' | 'skip-body';
  readonly reason?: string;
  readonly heads_complete: number;
  readonly messages_complete: number;
}

const path = process.env['APIGATE_VECTORS'] ?? resolve(import.meta.dirname, '../../../shared/vectors/llhttp.json');
const vectors = existsSync(path)
  ? (JSON.parse(readFileSync(path, 'utf8')) as { vectors: Vector[] }).vectors.filter(({ lenient }) => !lenient)
  : [];

if (vectors.length === 0) {
  test('llhttp vectors', { skip: `no vectors at ${path}; set APIGATE_VECTORS` }, () => {});
} else {
  const harness = useGateway();

  describe('llhttp request vectors', () => {
    for (const [index, vector] of vectors.filter(({ kind }) => kind === 'request').entries()) {
      const bytes = Buffer.from(vector.base64, 'base64').latin1Slice();
      const name = `${vector.file} "${vector.title}" #${index} (${vector.verdict})`;
      const deviation = stricterRequests.find(({ file, title }) => file === vector.file && title === vector.title);
      if (deviation !== undefined) test(`${name}: ${deviation.reason}`, () => answersOnce(bytes, deviation.statuses));
      else if (vector.verdict === 'reject') test(name, () => rejects(bytes, vector));
      else if (vector.verdict === 'skip-body') test(name, { skip: 'a mode of llhttp that a gateway does not have' }, () => {});
      else test(name, () => accepts(bytes, vector));
    }
  });

  /** A 4xx at once, and no request upstream beyond the messages that stand whole before the fault. */
  async function rejects(bytes: string, vector: Vector): Promise<void> {
    const before = harness.upstream.requests.length;
    const connectionsBefore = harness.upstream.connections.length;
    using client = await RawClient.connect(harness.port);
    await client.send(completeLines(withHost(bytes)));
    let wholeOnes = vector.messages_complete;
    for (;;) {
      if (wholeOnes < vector.messages_complete && client.stream.ending !== undefined) break;
      const response = await client.response({ timeoutMs: 8_000 });
      if (response.status === 200 && wholeOnes > 0) {
        wholeOnes -= 1;
        // "Data after Connection: close": the close itself is the rejection.
        if (response.value('connection')?.toLowerCase() === 'close' || /^PUT \S+ HTTP\/1\.0/.test(bytes)) break;
        continue;
      }
      assert.ok(response.status >= 400 && response.status < 500, `${response.status}`);
      assert.equal(response.value('connection')?.toLowerCase(), 'close');
      break;
    }
    assert.equal((await client.ended()).rest.length, 0);
    await fetchRaw(harness.port, 'GET', { target: '/barrier' });
    const complete = [];
    for (const request of harness.upstream.requests.slice(before, -1)) if (await request.ended()) complete.push(request);
    assert.equal(complete.length, vector.messages_complete - wholeOnes, 'no rejected request was completed upstream');
    if (vector.heads_complete > 0) return;
    assert.equal(harness.upstream.requests.length - before, 1, 'no request of it went upstream');
    for (const connection of harness.upstream.connections.slice(connectionsBefore))
      assert.match(connection.received, /^(GET \/barrier |$)/, 'no byte of it went upstream');
  }

  /** As many answers as whole messages, and the same number of whole requests upstream. */
  async function accepts(bytes: string, vector: Vector): Promise<void> {
    const before = harness.upstream.requests.length;
    using client = await RawClient.connect(harness.port);
    const method = /^(?:\r\n)*(\S+)/.exec(bytes)?.[1] ?? 'GET';
    await client.send(withHost(bytes));
    for (let message = 0; message < vector.messages_complete; message += 1) {
      const response = await client.response({ method, timeoutMs: 8_000 });
      assert.equal(response.status, 200, response.body.toString());
    }
    // What is cut off in its body has gone upstream all the same; waiting for it keeps it out of the next test.
    await eventually(
      () => harness.upstream.requests.length - before >= vector.heads_complete,
      `${vector.heads_complete} heads upstream`,
      2_000,
    );
    const requests = harness.upstream.requests.slice(before);
    for (const request of requests.slice(0, vector.messages_complete)) assert.equal(await request.ended(), true);
    assert.ok(
      requests.length >= vector.messages_complete && requests.length <= Math.max(vector.heads_complete, vector.messages_complete),
      `${requests.length} requests upstream`,
    );
    client.destroy();
  }

  async function answersOnce(bytes: string, statuses: readonly number[]): Promise<void> {
    const before = harness.upstream.requests.length;
    using client = await RawClient.connect(harness.port);
    await client.send(withHost(bytes));
    const response = await client.response({ timeoutMs: 8_000 });
    assertOneOf(response.status, statuses, response.body.toString());
    if (response.status === 200) return;
    await fetchRaw(harness.port, 'GET', { target: '/barrier' });
    for (const request of harness.upstream.requests.slice(before, -1)) assert.equal(await request.ended(), false);
  }

  describe('llhttp response vectors', () => {
    for (const [index, vector] of vectors.filter(({ kind }) => kind === 'response').entries()) {
      const bytes = Buffer.from(vector.base64, 'base64');
      const name = `${vector.file} "${vector.title}" #${index} (${vector.verdict})`;
      const deviation = stricterResponses.find(({ file, title }) => file === vector.file && title === vector.title);
      if (deviation !== undefined) test(`${name}: ${deviation.reason}`, () => refusedResponse(bytes));
      else if (vector.verdict === 'reject' && vector.messages_complete === 0 && vector.heads_complete === 0)
        test(name, () => refusedResponse(bytes));
      else if (vector.verdict === 'reject' && vector.messages_complete === 0) test(name, () => brokenResponse(bytes));
      else if (vector.verdict === 'skip-body') test(name, { skip: 'a mode of llhttp that a gateway does not have' }, () => {});
      else test(name, () => passedResponse(bytes, vector));
    }
  });

  async function upstreamSends(bytes: Buffer): Promise<RawClient> {
    harness.upstream.script = async (request, connection) => {
      if (!(await request.complete)) return;
      await connection.write(bytes);
      connection.end();
    };
    const client = await RawClient.connect(harness.port);
    await client.send('GET /v HTTP/1.1\r\nHost: a.test\r\n\r\n');
    return client;
  }

  async function refusedResponse(bytes: Buffer): Promise<void> {
    using client = await upstreamSends(bytes);
    const response = await client.response();
    assert.equal(response.status, 502, `${response.status} ${response.body.toString()}`);
    assert.equal(response.value('content-type'), 'application/problem+json');
    await eventually(() => harness.upstream.open.length === 0, 'the connection is closed');
  }

  /** The head is fine and the body is not: a 502 if nothing was sent yet, else a broken message. */
  async function brokenResponse(bytes: Buffer): Promise<void> {
    using client = await upstreamSends(bytes);
    try {
      assert.equal((await client.response()).status, 502);
    } catch (error) {
      assert.ok(error instanceof BrokenMessage, String(error));
    }
  }

  /** The first final message reaches the client as llhttp reads it; whatever follows it does not. */
  async function passedResponse(bytes: Buffer, vector: Vector): Promise<void> {
    using client = await upstreamSends(bytes);
    const text = bytes.latin1Slice();
    const expected = Number(/(?:^|\r\n)HTTP\/\d\.\d (?!1\d\d)(\d{3})/.exec(text)?.[1]);
    // llhttp counts a message as complete only where its framing says so; ones cut short by the vector's end break off.
    const interim = text.match(/(?:^|\r\n)HTTP\/\d\.\d 1\d\d /g)?.length ?? 0;
    const cut = vector.messages_complete <= interim && /\r\n(content-length|transfer-encoding):/i.test(text);
    try {
      const response = await client.response();
      if (cut && response.status === 502) return;
      assert.equal(response.status, expected);
      if (cut) assert.fail('a message that was cut off ended cleanly');
    } catch (error) {
      if (!(error instanceof BrokenMessage) || !cut) throw error;
    }
  }
}

/** Adds a Host to every 1.1 request head without one: llhttp does not ask for it. */
function withHost(bytes: string): string {
  return bytes.replace(
    /^((?:\r\n)*)(\S+ (\S+) HTTP\/1\.1\r\n)((?:[^\r\n]+\r\n)*)/gm,
    (whole, empty: string, line: string, target: string, fields: string) => {
      if (/^host:/im.test(fields)) return whole;
      const authority = /^https?:\/\/([^/?#]+)/.exec(target)?.[1];
      return `${empty}${line}Host: ${authority ?? 'a.test'}\r\n${fields}`;
    },
  );
}

/** Vectors that stop before the line's end stand for more to come: the rest makes the fault certain. */
function completeLines(bytes: string): string {
  return bytes.endsWith('\r\n\r\n') ? bytes : `${bytes}\r\n\r\n`;
}
