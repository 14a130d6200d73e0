import net from 'node:net';

/**
 * A TCP port that nobody listens on, below the range that the kernel hands to outgoing connections. Port 0 is
 * no use to a gateway with several workers: each would get a port of its own.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = 15_000 + Math.floor(Math.random() * 17_000);
    if (await canListen(port, host)) return port;
  }
  throw new Error('no free port found');
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
