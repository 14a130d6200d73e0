// A program of its own, for the load cores: requests on a random schedule (Poisson) that waits for nobody, and the time of each
// answer from the moment its request was due. Why not h2load --rps: its timers tick every 10 ms, so that requests come in
// bursts, and it takes as much CPU for each as a gateway does, from the core that it shares with the upstream.

import { readFileSync } from 'node:fs';
import { connect as connectNet, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** Its one argument is a file of this, as JSON. */
export interface OpenLoadOrders {
  readonly port: number;
  readonly tls: boolean;
  /** Whole requests, asked in turn. */
  readonly requests: readonly string[];
  readonly connections: number;
  /** Requests each second. */
  readonly rate: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** What it prints, as JSON: microseconds, and answers each second. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly rate: number;
  /** CPU time of the generator itself, from its start on. */
  readonly cpuMicros: number;
}

interface Connection {
  readonly socket: Socket;
  /** When the request under way was due, in milliseconds. */
  dueAt: number;
  /** Bytes of the body that have not come yet; -1 while the head has not. */
  left: number;
  head: string;
}

class OpenLoad {
  readonly #orders: OpenLoadOrders;
  readonly #requests: readonly Buffer[];
  /** Connections at rest, each taken in turn. */
  readonly #resting: Connection[] = [];
  /** Times at which requests were due that found no connection at rest. */
  readonly #waiting: number[] = [];
  readonly #times: Float64Array;
  #answers = 0;
  #nextRequest = 0;
  #nextAt = Infinity;
  #begun = 0;
  #from = Infinity;
  #until = 0;

  constructor(orders: OpenLoadOrders) {
    this.#orders = orders;
    this.#requests = orders.requests.map((request) => Buffer.from(request, 'latin1'));
    this.#times = new Float64Array(Math.ceil(orders.rate * orders.seconds * 1.5) + 1_000);
  }

  async run(): Promise<Latency> {
    const { connections, warmUpSeconds, seconds } = this.#orders;
    for (let n = 0; n < connections; n++) this.#resting.push(await this.#connect());
    const begun = performance.now();
    this.#begun = begun;
    this.#nextAt = begun;
    this.#from = begun + warmUpSeconds * 1_000;
    this.#until = this.#from + seconds * 1_000;
    const wake = new SharedArrayBuffer(4);
    const flag = new Int32Array(wake);
    const waker = new Worker(new URL(import.meta.url), { workerData: wake });
    await new Promise<void>((resolve) => {
      waker.on('message', () => {
        Atomics.store(flag, 0, 0);
        const now = performance.now();
        if (now > this.#until) resolve();
        else this.#sendDue(now);
      });
    });
    const times = this.#times.subarray(0, this.#answers).sort();
    const quantile = (q: number): number => Math.round((times[Math.floor(times.length * q)] ?? Number.NaN) * 1_000);
    const { user, system } = process.cpuUsage();
    return { p50: quantile(0.5), p99: quantile(0.99), rate: this.#answers / seconds, cpuMicros: user + system };
  }

  #sendDue(now: number): void {
    while (this.#nextAt <= now) {
      if (this.#waiting.length < 1_000_000) this.#waiting.push(now);
      // Slower at first: nobody measures how both ends get going, and no backlog is to be left from it.
      const rate = this.#orders.rate * Math.min(1, 0.1 + (0.9 * (now - this.#begun)) / (0.7 * (this.#from - this.#begun)));
      this.#nextAt -= (Math.log(1 - Math.random()) * 1_000) / rate;
    }
    let sent = 0;
    while (sent < this.#waiting.length && this.#resting.length > 0) this.#send(this.#resting.shift()!, this.#waiting[sent++]!);
    if (sent > 0) this.#waiting.splice(0, sent);
  }

  #send(connection: Connection, dueAt: number): void {
    connection.dueAt = dueAt;
    connection.left = -1;
    connection.socket.write(this.#requests[this.#nextRequest]!);
    this.#nextRequest = (this.#nextRequest + 1) % this.#requests.length;
  }

  #connect(): Promise<Connection> {
    const { port, tls } = this.#orders;
    return new Promise((resolve, reject) => {
      const onread = { buffer: readBuffer, callback: (length: number) => (this.#read(connection, readBuffer.subarray(0, length)), true) };
      const socket = tls
        ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
        : connectNet({ port, host: '127.0.0.1', onread });
      const connection: Connection = { socket, dueAt: 0, left: -1, head: '' };
      if (tls) socket.on('data', (bytes: Buffer) => this.#read(connection, bytes));
      socket.setNoDelay(true);
      socket.once(tls ? 'secureConnect' : 'connect', () => resolve(connection));
      socket.once('error', reject);
      socket.once('close', () => fail('a connection was closed'));
    });
  }

  #read(connection: Connection, bytes: Buffer): void {
    if (connection.left < 0) {
      connection.head += bytes.latin1Slice(0, Math.min(bytes.length, 16_384));
      const end = connection.head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = connection.head.slice(0, end);
      if (!head.startsWith('HTTP/1.1 200')) fail(`an answer of ${head.split('\r\n')[0]}`);
      const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
      if (length === undefined) fail('an answer without Content-Length');
      // All that came before the last piece was head.
      connection.left = Number(length) - (bytes.length - (end + 4 - (connection.head.length - Math.min(bytes.length, 16_384))));
      connection.head = '';
    } else {
      connection.left -= bytes.length;
    }
    if (connection.left > 0) return;
    if (connection.left < 0) fail('more came than was asked for');
    const now = performance.now();
    if (now >= this.#from && now <= this.#until && this.#answers < this.#times.length)
      this.#times[this.#answers++] = now - connection.dueAt;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#resting.push(connection);
    else this.#send(connection, waiting);
  }
}

const readBuffer = Buffer.allocUnsafe(65_536);

function fail(message: string): never {
  console.error(`the load met with ${message}`);
  process.exit(1);
}

/** Timers tick in milliseconds; a thread that sleeps is woken more finely, and wakes the other. */
function wakeForEver(flag: Int32Array): void {
  const never = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    Atomics.wait(never, 0, 0, 0.4);
    // One message at a time, however late the other thread is.
    if (Atomics.exchange(flag, 0, 1) === 0) parentPort!.postMessage(null);
  }
}

if (!isMainThread) {
  wakeForEver(new Int32Array(workerData as SharedArrayBuffer));
} else {
  const latency = await new OpenLoad(JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as OpenLoadOrders).run();
  process.stdout.write(JSON.stringify(latency), () => process.exit());
}
