// A program of its own: a WebSocket server as cheap as can be. It answers each frame of 1 KiB with one of the same length.

import { createHash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { answerFrame, requestFrameLength } from './websocket-frames.ts';

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  let head = '';
  socket.on('data', function handshake(bytes: Buffer) {
    head += bytes.toString('latin1');
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    socket.off('data', handshake);
    const key = /sec-websocket-key: *(\S+)/i.exec(head)?.[1] ?? '';
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    echo(socket);
  });
});

function echo(socket: Socket): void {
  let bytesHere = 0;
  socket.on('data', (bytes: Buffer) => {
    bytesHere += bytes.length;
    for (; bytesHere >= requestFrameLength; bytesHere -= requestFrameLength) socket.write(answerFrame);
  });
}

server.listen(Number(process.argv[2]), '127.0.0.1');
process.once('SIGTERM', () => process.exit());
