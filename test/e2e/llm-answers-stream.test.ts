import assert from 'node:assert/strict';
import type http from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, suite, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { startNodeServer, type NodeServer } from '../support/node-server.ts';
import { peer, unlessPeers } from '../support/peers.ts';
import { scopedFetch, type ScopedFetch } from '../support/undici-peer.ts';

const skip = unlessPeers();
// The server stays for the whole file: sockets are counted at the end.
const harness = useGateway({ admin: true, script: false, concurrent: true });
const credential = 'sk-canary-of-the-upstream';

/** What is used here of the package `openai`. */
interface OpenAiPackage {
  readonly OpenAI: new (options: object) => OpenAi;
  readonly APIError: new () => ApiError;
}

interface ApiError extends Error {
  readonly status: number;
  readonly code: string | null;
  readonly error: unknown;
  readonly headers: Headers;
}

interface Chunk {
  readonly model: string;
  readonly choices: readonly { readonly delta: { readonly content?: string }; readonly finish_reason: string | null }[];
}

interface OpenAi {
  readonly chat: {
    readonly completions: {
      create(request: object): Promise<unknown>;
    };
  };
}

interface ChunkStream extends AsyncIterable<Chunk> {
  readonly controller: AbortController;
}

const words = ['Es ', 'regnet ', 'heute ', 'nicht', ' ☂', '.'];
const messages = [{ role: 'user', content: 'Wetter in Köln? 🌧' }];

suite('openai as client', { skip }, () => {
  let server: NodeServer;
  let connections: ScopedFetch;
  let key: string;
  let client: OpenAi;
  /** Requests that came to the server, with their bodies. */
  const requests: { headers: http.IncomingHttpHeaders; url: string | undefined; body: Record<string, unknown> }[] = [];
  /** Lets the server send its next chunk. */
  let proceed: () => void = () => undefined;
  let openStreams = 0;

  const openAi = (apiKey: string): OpenAi => {
    const { OpenAI } = peer('openai') as OpenAiPackage;
    return new OpenAI({ apiKey, baseURL: `${harness.gateway.url}/v1`, maxRetries: 0, fetch: connections.fetch });
  };

  before(async () => {
    server = await startNodeServer((request, response) => void answer(request, response));
    connections = scopedFetch();
    const { admin } = harness.gateway;
    harness.invariants.canaries.push(credential);
    await admin.expose(
      { name: 'llm', base_url: server.url, auth_type: 'bearer', auth_value: credential },
      { path_pattern: '/v1', auth_required: true },
    );
    key = ((await admin.must('POST', '/keys', { name: 'chat' })) as { key: string }).key;
    harness.invariants.canaries.push(key);
    client = openAi(key);
  });

  beforeEach(() => void requests.splice(0));

  after(async () => {
    await connections[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  /** Speaks the part of the chat completions API that is used here. */
  async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const body = JSON.parse(await text(request)) as Record<string, unknown>;
    requests.push({ headers: request.headers, url: request.url, body });
    const json = (status: number, value: unknown, headers: http.OutgoingHttpHeaders = {}): void =>
      void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
    if (request.headers.authorization !== `Bearer ${credential}`)
      return json(401, { error: { message: 'Incorrect API key provided', type: 'invalid_request_error', code: 'invalid_api_key' } });
    if (body['model'] === 'busy')
      return json(429, { error: { message: 'Slow down', type: 'requests', code: 'rate_limit_exceeded' } }, { 'retry-after': '7' });
    const base = { id: 'chatcmpl-1', created: 1_700_000_000, model: body['model'] };
    if (body['stream'] !== true) {
      const message = { role: 'assistant', content: words.join('') };
      return json(200, { ...base, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }] });
    }
    openStreams += 1;
    response.once('close', () => {
      openStreams -= 1;
      proceed();
    });
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
    const send = (delta: object, reason: string | null): void => {
      const chunk = { ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: reason }] };
      response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    };
    for (const [i, content] of words.entries()) {
      const received = new Promise<void>((resolve) => (proceed = resolve));
      send({ content }, null);
      if (!String(body['model']).startsWith('eager')) await received;
      if (body['model'] === 'breaks' && i === 2) return void response.destroy();
    }
    send({}, 'stop');
    response.end('data: [DONE]\n\n');
  }

  /** What the client gets of a streamed answer; each chunk is asked for once the one before is here. */
  async function streamed(model: string, onChunk?: (stream: ChunkStream) => void): Promise<{ content: string; chunks: Chunk[] }> {
    const stream = (await client.chat.completions.create({ model, messages, stream: true })) as ChunkStream;
    const chunks: Chunk[] = [];
    for await (const chunk of stream) {
      chunks.push(chunk);
      onChunk?.(stream);
      proceed();
    }
    return { content: chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), chunks };
  }

  async function failure(call: Promise<unknown>): Promise<ApiError> {
    const { APIError } = peer('openai') as OpenAiPackage;
    try {
      await call;
    } catch (error) {
      assert.ok(error instanceof APIError, String(error));
      return error;
    }
    return assert.fail('the call should have failed');
  }

  function onlyCredentialArrived(): void {
    assert.equal(requests.length, 1);
    const { headers, url, body } = requests[0]!;
    assert.equal(url, '/v1/chat/completions');
    assert.equal(headers.authorization, `Bearer ${credential}`);
    assert.ok(!JSON.stringify(requests).includes(key), 'the client’s key stays here');
    assert.deepEqual(body['messages'], messages);
  }

  test('a whole answer; the upstream sees its own credential and never the client’s key', async () => {
    const completion = (await client.chat.completions.create({ model: 'm', messages })) as {
      choices: { message: { content: string } }[];
    };
    assert.equal(completion.choices[0]?.message.content, words.join(''));
    onlyCredentialArrived();
  });

  test('a streamed answer comes word by word: none waits for the next', async () => {
    const { content, chunks } = await streamed('m');
    assert.equal(content, words.join(''));
    assert.equal(chunks.length, words.length + 1);
    assert.equal(chunks.at(-1)?.choices[0]?.finish_reason, 'stop');
    onlyCredentialArrived();
  });

  test('an error of the upstream is the upstream’s own', async () => {
    for (const stream of [false, true]) {
      const error = await failure(client.chat.completions.create({ model: 'busy', messages, stream }));
      assert.deepEqual([error.status, error.code], [429, 'rate_limit_exceeded']);
      assert.deepEqual(error.error, { message: 'Slow down', type: 'requests', code: 'rate_limit_exceeded' });
      assert.equal(error.headers.get('retry-after'), '7');
      assert.equal(error.headers.get('content-type'), 'application/json');
      assert.equal(error.headers.get('proxy-status'), null);
    }
  });

  test('a stream that breaks upstream is an error for the client, after the words that came', async () => {
    const seen: string[] = [];
    await assert.rejects(
      streamed('breaks', () => seen.push('chunk')),
      /terminated|aborted|other side closed|ECONNRESET|Premature/i,
    );
    assert.equal(seen.length, 3);
  });

  test('a client that stops listening ends the stream at the upstream', async () => {
    await streamed('m', (stream) => stream.controller.abort());
    await eventually(() => openStreams === 0, 'the end of the stream at the server', 10_000);
  });

  test('a wrong key is refused by the gateway, in words that the client understands, and the upstream hears nothing', async () => {
    const error = await failure(openAi('ak_wrong').chat.completions.create({ model: 'm', messages }));
    assert.deepEqual([error.status, error.code], [401, 'invalid_api_key']);
    assert.match(error.message, /The API key is not known here/);
    assert.equal(requests.length, 0);
  });

  test('a hundred streams at once are not mixed up', async () => {
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const model = `eager-${i}`;
        const { content, chunks } = await streamed(model);
        assert.equal(content, words.join(''));
        assert.deepEqual([...new Set(chunks.map((chunk) => chunk.model))], [model]);
      }),
    );
    assert.equal(requests.length, 100);
  });
});
