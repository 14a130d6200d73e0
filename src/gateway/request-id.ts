import { randomFillSync } from 'node:crypto';
import type { OutputBuffer } from '../http/output-buffer.ts';

const idBytes = 16;
const pool = new Uint8Array(16_384);
let used = pool.length;
const hexDigits = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

/**
 * Id of one exchange: 128 random bits as 32 hexadecimal digits, from a pool that is filled 1,024 ids at a time, or what a trusted
 * proxy gave. It stays bytes on the way to upstream, client and log: as strings the same cost twice as much
 * (bench/micro/request-id.ts). One object per client connection, renewed for each exchange.
 */
export class RequestId {
  /** Our own digits; a trace that begins here has them too. */
  readonly digits: Buffer = Buffer.allocUnsafe(idBytes * 2);
  private given = '';
  private made = '';

  renew(): void {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const { digits } = this;
    let to = 0;
    for (const end = used + idBytes; used < end; used++) {
      const byte = pool[used]!;
      digits[to++] = hexDigits[byte >> 4]!;
      digits[to++] = hexDigits[byte & 15]!;
    }
    this.given = '';
    this.made = '';
  }

  /** Takes an id of visible ASCII over. */
  give(id: string): void {
    this.given = id;
  }

  get isOurs(): boolean {
    return this.given === '';
  }

  get text(): string {
    if (this.given !== '') return this.given;
    if (this.made === '') this.made = this.digits.latin1Slice(0, idBytes * 2);
    return this.made;
  }

  /** Writes `X-Request-Id: …` with its line end. */
  writeField(out: OutputBuffer): void {
    out.constant(fieldStart);
    if (this.given === '') out.constant(this.digits);
    else out.text(this.given);
    out.crlf();
  }
}

const fieldStart = Buffer.from('X-Request-Id: ', 'latin1');
