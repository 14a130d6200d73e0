import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { deadlineIn } from './byte-stream.ts';
import { RawClient } from './raw-client.ts';
import { answerOk, type Script, type UpstreamConnection } from './scripted-upstream.ts';

/** WebSocket on the level of bytes (RFC 6455), for clients and upstreams of tests. */

export const handshakeKey = 'dGhlIHNhbXBsZSBub25jZQ==';
export const handshakeAccept = createHash('sha1').update(`${handshakeKey}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** An upgrade request; `fields` are lines with their ends. */
export function handshake(fields = '', target = '/socket'): string {
  return `GET ${target} HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${handshakeKey}\r\n${fields}\r\n`;
}

/** The head of a 101 but for its empty line. */
export const switching = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${handshakeAccept}\r\n`;

/** A text frame; frames of clients are masked (with zeros, so that they stay readable). */
export function frame(text: string, masked: boolean): Buffer {
  const payload = Buffer.from(text);
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255];
  length[0] = length[0]! | (masked ? 0x80 : 0);
  return Buffer.concat([Buffer.from([0x81, ...length]), Buffer.alloc(masked ? 4 : 0), payload]);
}

/** Switches, and then hands the bytes of the tunnel to `serve` until it ends. Plain requests are answered. */
export function tunnel(serve: (connection: UpstreamConnection) => Promise<void>, fields = ''): Script {
  return async (request, connection) => {
    if (request.values('upgrade').length === 0) return await answerOk(request, connection);
    await connection.write(`${switching}${fields}\r\n`);
    await serve(connection);
    connection.socket.destroy();
  };
}

export const echo = tunnel(async (connection) => {
  for (;;) {
    const piece = await connection.stream.some(deadlineIn(60_000), 'bytes of the tunnel');
    if (piece === undefined) return;
    await connection.write(piece);
  }
});

/** A client whose connection has become a tunnel. */
export async function openTunnel(port: number, fields = '', target = '/socket'): Promise<RawClient> {
  const client = await RawClient.connect(port);
  await client.send(handshake(fields, target));
  assert.equal((await client.response()).status, 101);
  return client;
}
