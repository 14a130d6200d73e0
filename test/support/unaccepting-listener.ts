import { spawn } from 'node:child_process';
import net from 'node:net';

export interface UnacceptingListener {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * A listener whose accept queue is full, so that connects to it get no answer: a stopped process with a
 * backlog of one. Answers undefined where the kernel goes on accepting all the same.
 */
export async function startUnacceptingListener(): Promise<UnacceptingListener | undefined> {
  const source = `const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port));`;
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'ignore'] });
  const port = await new Promise<number>((resolve) => child.stdout.once('data', (text: Buffer) => resolve(Number(text.toString()))));
  child.kill('SIGSTOP');
  const fillers: net.Socket[] = [];
  const stop = async (): Promise<void> => {
    for (const socket of fillers) socket.destroy();
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };
  for (let attempt = 0; attempt < 16; attempt += 1) {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    fillers.push(socket);
    const connected = await Promise.race([
      new Promise<boolean>((resolve) => socket.once('connect', () => resolve(true))),
      new Promise<boolean>((resolve) => setTimeout(resolve, 250, false)),
    ]);
    if (!connected) return { port, stop };
  }
  await stop();
  return undefined;
}
