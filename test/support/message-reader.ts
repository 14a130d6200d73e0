import { ProtocolViolation, type ByteStream, type Deadline } from './byte-stream.ts';

/** One field line as it stood on the wire: name in its own case, value without surrounding white space. */
export type Field = readonly [name: string, value: string];

export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' };

/** All values of a field, in order; names compare without case. */
export function valuesOf(fields: readonly Field[], name: string): string[] {
  const wanted = name.toLowerCase();
  return fields.filter(([n]) => n.toLowerCase() === wanted).map(([, v]) => v);
}

/** Reads field lines up to and with the empty line, by RFC 9112's grammar without any leniency. */
export async function readFields(stream: ByteStream, deadline: Deadline, where: string): Promise<Field[]> {
  const fields: Field[] = [];
  for (;;) {
    const line = await stream.line(deadline, where);
    if (line === '') return fields;
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    // eslint-disable-next-line no-control-regex
    if (match === null || /[\x00-\x08\x0a-\x1f\x7f]/.test(match[2]!))
      throw new ProtocolViolation(`bad field line in ${where}: ${JSON.stringify(line)}`);
    fields.push([match[1]!, match[2]!]);
  }
}

/** RFC 9112 section 6.3, refusing every ambiguity. */
export function framingOf(fields: readonly Field[], whenNeither: 'none' | 'close'): BodyFraming {
  const lengths = valuesOf(fields, 'content-length');
  const encodings = valuesOf(fields, 'transfer-encoding');
  if (encodings.length > 0) {
    if (lengths.length > 0) throw new ProtocolViolation('both Content-Length and Transfer-Encoding');
    if (encodings.length !== 1 || encodings[0]!.toLowerCase() !== 'chunked')
      throw new ProtocolViolation(`Transfer-Encoding: ${encodings.join(' | ')}`);
    return { kind: 'chunked' };
  }
  if (lengths.length > 1) throw new ProtocolViolation('more than one Content-Length');
  if (lengths.length === 1) {
    if (!/^\d+$/.test(lengths[0]!)) throw new ProtocolViolation(`Content-Length: ${lengths[0]}`);
    return { kind: 'length', length: Number(lengths[0]) };
  }
  return { kind: whenNeither };
}

export interface BodySink {
  /** Called with each piece of body as it arrives. */
  data(piece: Buffer): void;
  /** Called with the size of each chunk of a chunked body. */
  chunk?(size: number): void;
}

/**
 * Reads a body to its end and answers its trailers. `deadline` is asked anew for each step, so that a long
 * body may take as long as it moves. Chunk extensions are a violation: the gateway drops them.
 */
export async function readBody(stream: ByteStream, framing: BodyFraming, deadline: () => Deadline, sink: BodySink): Promise<Field[]> {
  if (framing.kind === 'none') return [];
  if (framing.kind === 'close') {
    for (;;) {
      const piece = await stream.some(deadline(), 'a body that ends with the connection');
      if (piece === undefined) {
        if (stream.ending !== 'fin') throw new ProtocolViolation(`body that should end with a FIN ended with ${stream.ending}`);
        return [];
      }
      sink.data(piece);
    }
  }
  if (framing.kind === 'length') {
    await readPieces(stream, framing.length, deadline, sink);
    return [];
  }
  for (;;) {
    const line = await stream.line(deadline(), 'a chunk size', 1024);
    if (!/^[0-9A-Fa-f]{1,15}$/.test(line)) throw new ProtocolViolation(`bad chunk size line ${JSON.stringify(line)}`);
    const size = Number.parseInt(line, 16);
    if (size === 0) return readFields(stream, deadline(), 'trailers');
    sink.chunk?.(size);
    await readPieces(stream, size, deadline, sink);
    const end = await stream.exactly(2, deadline(), 'the end of a chunk');
    if (end.latin1Slice() !== '\r\n') throw new ProtocolViolation(`chunk ends with ${JSON.stringify(end.latin1Slice())}`);
  }
}

async function readPieces(stream: ByteStream, length: number, deadline: () => Deadline, sink: BodySink): Promise<void> {
  let left = length;
  while (left > 0) {
    const piece =
      stream.size === 0 ? await stream.exactly(1, deadline(), `${left} more bytes of a body`) : stream.take(Math.min(left, stream.size));
    left -= piece.length;
    sink.data(piece);
  }
}
