import type net from 'node:net';
import { Duplex } from 'node:stream';

/**
 * What TLS 1.3 runs over: the TCP connection, with an eye on its records. A connection that ends without a
 * close_notify was cut (RFC 8446 section 6.1), which node:tls itself does not tell.
 */
export class TlsTransport extends Duplex {
  readonly #raw: net.Socket;
  /** Bytes of the current record that are still to come, and the head of the next as far as it is there. */
  #left = 0;
  #head: number[] = [];
  #lastIsAlert = false;

  constructor(raw: net.Socket) {
    super();
    this.#raw = raw;
    raw.on('data', (piece: Buffer) => {
      this.#look(piece);
      if (!this.push(piece)) raw.pause();
    });
    raw.on('end', () => this.push(null));
    raw.on('error', (error) => this.destroy(error));
    raw.on('close', () => this.destroy());
  }

  /** Whether what came last is no alert. In TLS 1.3 an alert is a record of type 23 with 2 + 1 + 16 bytes, as two bytes of data would be: end no test on those. */
  get truncated(): boolean {
    return !this.#lastIsAlert;
  }

  #look(piece: Buffer): void {
    for (let at = 0; at < piece.length;) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, piece.length - at);
        this.#left -= taken;
        at += taken;
        continue;
      }
      this.#head.push(piece[at]!);
      at += 1;
      if (this.#head.length < 5) continue;
      this.#left = this.#head[3]! * 256 + this.#head[4]!;
      this.#lastIsAlert = this.#head[0] === 21 || (this.#head[0] === 23 && this.#left === 19);
      this.#head = [];
    }
  }

  override _read(): void {
    this.#raw.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#raw.write(chunk, (error) => done(error));
  }

  override _final(done: () => void): void {
    this.#raw.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#raw.destroy();
    done(error);
  }
}
