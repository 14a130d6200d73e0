import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { adoptAccepted, sharedReadBuffer, type SocketOwner } from './socket-reader.ts';

for (const mayAdopt of [true, false]) {
  test(`an accepted connection delivers its bytes, its end and its close, ${mayAdopt ? 'into the shared buffer' : 'also where handles cannot be adopted'}`, async () => {
    const heard: string[] = [];
    let socket: net.Socket | undefined;
    let closed: () => void;
    const close = new Promise<void>((resolve) => (closed = resolve));
    const owner: SocketOwner = {
      onBytes(bytes, start, end) {
        heard.push(bytes.toString('latin1', start, end));
        assert.equal(bytes === sharedReadBuffer, mayAdopt);
        socket!.write('answer');
      },
      onEnd() {
        heard.push('end');
        socket!.end();
      },
      onClose(error) {
        heard.push(error === null ? 'close' : error.message);
        closed();
      },
    };
    const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, (accepted) => {
      socket = adoptAccepted(accepted, owner, mayAdopt);
      assert.equal(socket === accepted, !mayAdopt);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.write('question');
    const [answer] = (await once(client, 'data')) as [Buffer];
    assert.equal(answer.toString(), 'answer');
    client.end();
    await close;
    assert.deepEqual(heard, ['question', 'end', 'close']);
    client.destroy();
    server.close();
  });
}
