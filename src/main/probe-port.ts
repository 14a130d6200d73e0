import net from 'node:net';

/**
 * Makes sure that nobody listens there: workers bind with `reusePort`, which would share a port with another gateway
 * in silence. Resolves with the port, which the system picks where it is 0. Rejects with a readable Error.
 */
export async function probePort(host: string, port: number): Promise<number> {
  const refuse = (error: NodeJS.ErrnoException): never => {
    throw new Error(portProblem(error, host, port), { cause: error });
  };
  await claimName(host, port).catch(refuse);
  return await tryPort(host, port).catch(refuse);
}

/** Binds a port and lets go of it at once. Resolves with the port; rejects with the system's error. */
export function tryPort(host: string, port: number): Promise<number> {
  return new Promise<number>((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true, reusePort: false }, () => {
      const bound = (server.address() as net.AddressInfo).port;
      server.close(() => resolve(bound));
    });
  });
}

// Between the probe and the workers' own binding another gateway that starts just now would not be seen. On Linux each holds a
// name of the abstract namespace, which is as wide as that of ports, to the end of its process.
async function claimName(host: string, port: number): Promise<void> {
  if (process.platform !== 'linux' || port === 0) return;
  await new Promise<void>((resolve, reject) => {
    const server = net.createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? reject(error) : resolve()));
    server.listen({ path: `\0apigate listens on ${host} port ${port}` }, () => resolve());
    server.unref();
  });
}

/** Why a port cannot be listened on, in words. */
export function portProblem(error: NodeJS.ErrnoException, host: string, port: number): string {
  const address = net.isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `cannot listen on ${address}: the address is in use, by another gateway or another program (use --port for another port)`;
    case 'EACCES':
      return `cannot listen on ${address}: permission denied (ports below 1024 need privileges)`;
    case 'EADDRNOTAVAIL':
      return `cannot listen on ${address}: this machine has no such address`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `cannot listen on ${address}: the host name is not known`;
    default:
      return `cannot listen on ${address}: ${error.code ?? error.message}`;
  }
}
