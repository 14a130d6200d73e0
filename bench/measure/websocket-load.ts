// A program of its own, for the load cores: 64 WebSockets through a gateway, on each of which a message goes when its answer has
// come. Prints `begin` after a second of warm-up and, some seconds later, the number of messages that were relayed since.

import { connect, type Socket } from 'node:net';
import { answerFrame, requestFrame } from './websocket-frames.ts';

const connections = 64;
const [port, seconds] = process.argv.slice(2).map(Number) as [number, number];
let messages = 0;

const head =
  `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

for (let n = 0; n < connections; n++) open();
setTimeout(() => {
  messages = 0;
  console.log('begin');
  setTimeout(() => process.stdout.write(`${messages}\n`, () => process.exit()), seconds * 1_000);
}, 1_000);

function open(): void {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write(head));
  let answer = '';
  socket.on('error', fail).on('close', fail);
  socket.on('data', function handshake(bytes: Buffer) {
    answer += bytes.toString('latin1');
    if (!answer.endsWith('\r\n\r\n')) return;
    if (!answer.startsWith('HTTP/1.1 101')) fail();
    socket.off('data', handshake);
    play(socket);
  });
}

function play(socket: Socket): void {
  let bytesHere = 0;
  socket.on('data', (bytes: Buffer) => {
    bytesHere += bytes.length;
    if (bytesHere < answerFrame.length) return;
    bytesHere -= answerFrame.length;
    messages += 2;
    socket.write(requestFrame);
  });
  socket.write(requestFrame);
}

function fail(): void {
  console.error('a WebSocket was refused or broke');
  process.exit(1);
}
