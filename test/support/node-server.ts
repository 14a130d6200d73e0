import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server of Node.js. Dispose of it at the end of the test: what is still connected is cut. */
export interface NodeServer extends AsyncDisposable {
  readonly http: http.Server;
  readonly url: string;
}

/** Serves on 127.0.0.1; on any free port unless one is given. */
export async function startNodeServer(listener?: http.RequestListener, port = 0): Promise<NodeServer> {
  const server = http.createServer(listener);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    http: server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
