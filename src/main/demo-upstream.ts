import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The small backend of `--demo`: tells what it was asked, so that one sees what APIGate adds. */
export interface DemoUpstream {
  readonly url: string;
  close(): void;
}

export function startDemoUpstream(): Promise<DemoUpstream> {
  const server = createServer((request, response) => {
    const answer = {
      message: 'Hello from the demo upstream, through APIGate.',
      method: request.method,
      path: request.url,
      headers: request.headers,
    };
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(`${JSON.stringify(answer, null, 2)}\n`);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      resolve({
        url: `http://127.0.0.1:${port}`,
        close: () => {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}
