import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { deadlineIn, StreamEnded } from './byte-stream.ts';
import { RawClient } from './raw-client.ts';
import { answerOk, type Script, type UpstreamConnection } from './scripted-upstream.ts';

/** WebSocket on the level of bytes (RFC 6455), for clients and upstreams of tests. */

export const handshakeKey = 'dGhlIHNhbXBsZSBub25jZQ==';
export const handshakeAccept = acceptOf(handshakeKey);

function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** An upgrade request; `fields` are lines with their ends. */
export function handshake(fields = '', target = '/socket'): string {
  return `GET ${target} HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${handshakeKey}\r\n${fields}\r\n`;
}

/** The head of a 101 to the key of `handshake`, but for its empty line. */
export const switching = switchingTo(handshakeKey);

export function switchingTo(key: string): string {
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(key)}\r\n`;
}

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
    await connection.write(`${switchingTo(request.value('sec-websocket-key') ?? '')}${fields}\r\n`);
    await serve(connection).catch((error: unknown) => {
      if (!(error instanceof StreamEnded)) throw error;
    });
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

/** As `echo`, for real clients: reads masked frames and sends them back without a mask. */
export const echoFrames = tunnel(async (connection) => {
  const forever = deadlineIn(60_000);
  for (;;) {
    const head = await connection.stream.exactly(2, forever, 'the head of a frame');
    const short = head[1]! & 0x7f;
    const wide = await connection.stream.exactly(short === 126 ? 2 : short === 127 ? 8 : 0, forever, 'its length');
    const mask = await connection.stream.exactly(4, forever, 'its mask');
    const size = wide.length === 0 ? short : wide.length === 2 ? wide.readUInt16BE() : Number(wide.readBigUInt64BE());
    const payload = (await connection.stream.exactly(size, forever, 'its payload')).map((byte, i) => byte ^ mask[i & 3]!);
    await connection.write(Buffer.concat([Buffer.from([head[0]!, short]), wide, payload]));
    if ((head[0]! & 0x0f) === 8) return;
  }
});

/** A client whose connection has become a tunnel. */
export async function openTunnel(port: number, fields = '', target = '/socket'): Promise<RawClient> {
  const client = await RawClient.connect(port);
  await client.send(handshake(fields, target));
  assert.equal((await client.response()).status, 101);
  return client;
}
