import { type ByteStream, deadlineIn } from './byte-stream.ts';

/** RFC 6455 section 5.2. */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameOptions {
  readonly fin?: boolean;
  /** The three reserved bits, 0 to 7. */
  readonly rsv?: number;
  /** Clients have to mask. */
  readonly masked?: boolean;
  /** A length in the header that is not the payload's. */
  readonly claimedLength?: bigint;
}

/** One frame as a client sends it; `payload` may be text. */
export function clientFrame(opcode: number, payload: string | Uint8Array = '', options: FrameOptions = {}): Buffer {
  const { fin = true, rsv = 0, masked = true } = options;
  const data = Buffer.from(payload as Uint8Array);
  const length = options.claimedLength ?? BigInt(data.length);
  const bytes: number[] = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  const bit = masked ? 0x80 : 0;
  if (length < 126n) bytes.push(bit | Number(length));
  else if (length < 65_536n) bytes.push(bit | 126, Number(length >> 8n), Number(length & 255n));
  else bytes.push(bit | 127, ...Array.from({ length: 8 }, (_, i) => Number((length >> BigInt(8 * (7 - i))) & 255n)));
  if (!masked) return Buffer.concat([Buffer.from(bytes), data]);
  const mask = Buffer.from('37fa213d', 'hex');
  return Buffer.concat([Buffer.from(bytes), mask, data.map((byte, i) => byte ^ mask[i & 3]!)]);
}

/** A message in frames of at most `size` bytes of payload. */
export function fragments(opcode: number, payload: string | Uint8Array, size: number): Buffer[] {
  const data = Buffer.from(payload as Uint8Array);
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < data.length; at += size) {
    const fin = at + size >= data.length;
    frames.push(clientFrame(at === 0 ? opcode : opcodes.continuation, data.subarray(at, at + size), { fin }));
  }
  return frames;
}

/** The payload of a close frame. */
export function closePayload(code: number, reason: string | Uint8Array = ''): Buffer {
  return Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason as Uint8Array)]);
}

export interface ReceivedFrame {
  /** FIN, reserved bits and opcode as they came. */
  readonly first: number;
  readonly opcode: number;
  readonly payload: Buffer;
}

/** One frame of a server, or undefined where the connection has ended. A server that masks is an error. */
export async function readFrame(stream: ByteStream, timeoutMs = 10_000): Promise<ReceivedFrame | undefined> {
  const deadline = deadlineIn(timeoutMs);
  const first = await stream.some(deadline, 'a frame', 1);
  if (first === undefined) return undefined;
  const [second] = await stream.exactly(1, deadline, 'the length of a frame');
  if (second! > 127) throw new Error('a server masked its frame');
  let length = second!;
  if (length === 126) length = (await stream.exactly(2, deadline, 'the length of a frame')).readUInt16BE();
  else if (length === 127) length = Number((await stream.exactly(8, deadline, 'the length of a frame')).readBigUInt64BE());
  const payload = Buffer.from(await stream.exactly(length, deadline, 'the payload of a frame'));
  return { first: first[0]!, opcode: first[0]! & 15, payload };
}
