// One write of 600 bytes to a loopback peer that reads: through the handle, and through the socket's stream.

import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { OutputBuffer } from '../../src/http/output-buffer.ts';
import { Transport, type TransportOwner } from '../../src/http/transport.ts';

const nobody: TransportOwner = { onBytes() {}, onEnd() {}, onDrained() {}, onWriteFailed() {}, onClose() {} };
const payload = Buffer.alloc(600, 'x');
const writes = 20_000;
const rounds = 7;

const server = net.createServer((peer) => peer.on('data', () => {}).on('error', () => {}));
server.listen(0, '127.0.0.1');
await once(server, 'listening');

const figures = new Map<string, number[]>([
  ['handle', []],
  ['stream', []],
]);
for (let round = 0; round < rounds; round++) {
  for (const [way, found] of figures) {
    const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    const transport = new Transport(socket, false, nobody, null, way === 'handle');
    const out = new OutputBuffer();
    let micros = 0;
    for (let n = 0; n < writes; n++) {
      const before = performance.now();
      out.constant(payload);
      out.sendTo(transport);
      micros += (performance.now() - before) * 1_000;
      // The peer reads, and a stream does what it has put off.
      if (n % 16 === 0) await new Promise(setImmediate);
    }
    found.push(micros / writes);
    socket.destroy();
  }
}
for (const [way, found] of figures) {
  const median = found.toSorted((a, b) => a - b)[Math.floor(found.length / 2)]!;
  console.log(`a write through the ${way}: ${median.toFixed(2)} µs`);
}
server.close();
process.exit();
