import { Worker } from 'node:worker_threads';
import type { ProbeMessage, ProbeReply } from '../gateway/probe/probe-worker.ts';
import type { ProbeResult } from '../model/upstream-test.ts';

/** A thread without work ends after this time, milliseconds: tests are rare, and its memory is better used otherwise. */
const idleTime = 60_000;

interface Waiting {
  readonly resolve: (result: ProbeResult) => void;
  readonly reject: (error: Error) => void;
}

/** The thread that tests upstreams on behalf of the control plane. Started by the first test; a new one follows one that fails. */
export class ProbeThread {
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private readonly idleMs: number;
  private idle: NodeJS.Timeout | undefined;
  private made = 0;

  constructor(idleMs = idleTime) {
    this.idleMs = idleMs;
  }

  /** Rejects on a defect of ours, or when the thread ends. */
  probe(message: Omit<ProbeMessage, 'id'>): Promise<ProbeResult> {
    clearTimeout(this.idle);
    const worker = (this.worker ??= this.start());
    const id = ++this.made;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      worker.postMessage({ id, ...message } satisfies ProbeMessage);
    });
  }

  async close(): Promise<void> {
    clearTimeout(this.idle);
    await this.worker?.terminate();
  }

  private start(): Worker {
    const entry = new URL(
      import.meta.url.endsWith('.ts') ? '../gateway/probe/probe-worker.ts' : '../gateway/probe/probe-worker.js',
      import.meta.url,
    );
    const worker = new Worker(entry, { name: 'apigate-probe' });
    worker.unref();
    worker.on('message', (reply: ProbeReply) => this.hear(reply));
    worker.on('error', (error: Error) => this.lose(worker, error));
    worker.on('exit', () => this.lose(worker, new Error('the thread that tests upstreams ended')));
    return worker;
  }

  private hear(reply: ProbeReply): void {
    const waiting = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if ('result' in reply) waiting?.resolve(reply.result);
    else waiting?.reject(new Error(reply.fault));
    if (this.waiting.size === 0) this.idle = setTimeout(() => this.retire(), this.idleMs).unref();
  }

  // Forgotten before it ends: a test that comes meanwhile gets another thread.
  private retire(): void {
    const { worker } = this;
    this.worker = null;
    void worker?.terminate();
  }

  private lose(worker: Worker, error: Error): void {
    if (this.worker !== worker) return;
    this.worker = null;
    const left = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of left) reject(error);
  }
}
