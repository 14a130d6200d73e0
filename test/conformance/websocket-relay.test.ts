import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type http from 'node:http';
import { after, before, suite, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { unlessPeers } from '../support/peers.ts';
import { RawClient } from '../support/raw-client.ts';
import { largestMessage, webSocketCases, type WebSocketCase } from '../support/websocket-cases.ts';
import { opcodes, readFrame } from '../support/websocket-frames.ts';
import { useWebSocketRoute, type Way } from '../support/websocket-route.ts';
import { startWsServer, type WsPeerServer, type WsSocket } from '../support/ws-peer.ts';

const skip = unlessPeers();
// Sockets are counted at the end: hundreds of cases follow one another quickly.
const route = await useWebSocketRoute({ concurrent: true });

/** What the server saw of one connection. */
interface Seen {
  readonly messages: string[];
  readonly pings: string[];
  readonly pongs: string[];
  error: string | undefined;
  closed: string | undefined;
}

/** What came of a case: on the wire at the client, and at the server. */
interface Verdict extends Seen {
  readonly frames: readonly string[];
}

/** By the number that the client put into its address. */
const connections = new Map<string, Seen>();
let plays = 0;

/** Answers every message with the same one, and writes down what comes. */
function accept(socket: WsSocket, request: http.IncomingMessage): void {
  const number = new URL(request.url ?? '/', 'http://x').searchParams.get('play') ?? '';
  const seen: Seen = { messages: [], pings: [], pongs: [], error: undefined, closed: undefined };
  connections.set(number, seen);
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    seen.messages.push(`${isBinary ? 'binary' : 'text'} ${digest(data)}`);
    socket.send(isBinary ? data : data.toString());
  });
  socket.on('ping', (data: Buffer) => void seen.pings.push(digest(data)));
  socket.on('pong', (data: Buffer) => void seen.pongs.push(digest(data)));
  socket.on('error', (error: Error & { code?: string }) => void (seen.error = error.code ?? error.message));
  socket.once('close', (code: number, reason: Buffer) => void (seen.closed = `${code} ${digest(reason)}`));
}

function digest(data: Buffer): string {
  return `${data.length} ${createHash('sha256').update(data).digest('hex').slice(0, 16)}`;
}

/** Plays a case: sends its pieces, reads to the server's close frame, closes the connection. */
async function play(one: WebSocketCase, way: Way): Promise<{ verdict: Verdict; code: number | undefined }> {
  const number = String((plays += 1));
  const address = new URL(route.address(way, 'ws'));
  address.searchParams.set('play', number);
  using client = await RawClient.connect(Number(address.port));
  await client.send(
    `GET ${address.pathname}${address.search} HTTP/1.1\r\nHost: ${address.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  assert.equal((await client.response()).status, 101);
  // The server may end before it has read everything.
  const sending = client.sendPieces(one.pieces).catch(() => undefined);
  const frames: string[] = [];
  let code: number | undefined;
  for (let frame = await readFrame(client.stream); frame !== undefined; frame = await readFrame(client.stream)) {
    frames.push(`${frame.first.toString(16)} ${digest(frame.payload)}`);
    if (frame.opcode !== opcodes.close) continue;
    code = frame.payload.length === 0 ? 1005 : frame.payload.readUInt16BE();
    break;
  }
  await sending;
  client.end();
  await client.ended(10_000);
  const seen = connections.get(number)!;
  await eventually(() => seen.closed !== undefined, 'the end at the server', 10_000);
  return { verdict: { ...seen, frames }, code };
}

suite('a WebSocket server’s verdict is the same as without the gateway', { skip }, () => {
  let server: WsPeerServer;

  before(async () => {
    server = await startWsServer(route.upstreamPort, route.path, accept, { perMessageDeflate: false, maxPayload: largestMessage });
  });

  after(() => server?.[Symbol.asyncDispose]());

  for (const [group, cases] of webSocketCases) {
    suite(group, () => {
      for (const one of cases) {
        test(one.name, async () => {
          const [direct, relayed] = await Promise.all([play(one, 'direct'), play(one, 'gateway')]);
          assert.deepEqual(relayed.verdict, direct.verdict, 'through the gateway as direct');
          assert.equal(relayed.code, one.ends, 'the code of the server’s close frame');
          assert.equal(relayed.verdict.messages.length, one.messages, JSON.stringify(relayed.verdict));
        });
      }
    });
  }
});
