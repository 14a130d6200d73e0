import { ByteStream, deadlineIn, ProtocolViolation, StreamEnded } from '../support/byte-stream.ts';
import { type Field, framingOf, readBody, readFields, valuesOf } from '../support/message-reader.ts';

/** A final response that the gateway sent, complete. */
export interface Answer {
  readonly status: number;
  readonly fields: readonly Field[];
  /** Latin1. */
  readonly body: string;
  /** Number of the upstream's request that it answers; undefined where the gateway answered by itself. */
  readonly upstreamId: number | undefined;
  /** Made by the gateway. */
  readonly own: boolean;
  readonly code: string | undefined;
  readonly closes: boolean;
}

export interface Answers {
  readonly answers: readonly Answer[];
  /** A head arrived and its body is not complete. */
  readonly broken: { readonly status: number; readonly body: string } | undefined;
  /** What the gateway sent that HTTP/1.1 does not allow. */
  readonly violation: string | undefined;
}

export const idHeader = 'X-Fuzz-Id';
/** The method of the request as the upstream saw it: only so can a client that sent garbage know that it was HEAD. */
export const methodHeader = 'X-Fuzz-Method';

/** Reads all that a client got so far, or got in all when `ended`. `methods` are those of the client's requests, as far as known. */
export async function parseAnswers(
  bytes: Buffer,
  ended: 'fin' | 'reset' | undefined,
  methods: readonly (string | undefined)[],
): Promise<Answers> {
  const stream = new ByteStream();
  if (bytes.length > 0) stream.push(bytes);
  // Without an end, a body that is to be continued is broken off here all the same.
  stream.finish(ended ?? 'reset');
  const answers: Answer[] = [];
  const now = deadlineIn(60_000);
  while (stream.size > 0) {
    let status = 0;
    const pieces: Buffer[] = [];
    try {
      const line = await stream.line(now, 'a status line');
      const match = /^HTTP\/1\.1 (\d{3}) [\t\x20-\x7e\x80-\xff]*$/.exec(line);
      if (match === null) throw new ProtocolViolation(`bad status line ${JSON.stringify(line)}`);
      const fields = await readFields(stream, now, 'the response head');
      const code = Number(match[1]);
      if (code >= 100 && code < 200 && code !== 101) continue;
      status = code;
      const method = valuesOf(fields, methodHeader)[0] ?? methods[answers.length];
      const bodyless =
        isProblem(fields) && stream.size > 0
          ? stream.peek()[0] !== openingBrace
          : method === 'HEAD' || status === 101 || status === 204 || status === 304;
      await readBody(stream, bodyless ? { kind: 'none' } : framingOf(fields, 'close'), () => now, { data: (piece) => pieces.push(piece) });
      answers.push(answerOf(status, fields, Buffer.concat(pieces).latin1Slice()));
    } catch (error) {
      const broken = status === 0 ? undefined : { status, body: Buffer.concat(pieces).latin1Slice() };
      if (error instanceof StreamEnded) return { answers, broken, violation: undefined };
      if (!(error instanceof ProtocolViolation)) throw error;
      // A body that ends with the connection, and that connection still stands or was reset.
      if (error.message.startsWith('body that should end with a FIN')) return { answers, broken, violation: undefined };
      return { answers, broken, violation: error.message };
    }
  }
  return { answers, broken: undefined, violation: undefined };
}

// What the gateway refused may have been HEAD to it and something else to the judge: look whether there is a body.
function isProblem(fields: readonly Field[]): boolean {
  return valuesOf(fields, 'proxy-status').length > 0 && valuesOf(fields, 'content-type')[0] === 'application/problem+json';
}
const openingBrace = 0x7b;

function answerOf(status: number, fields: readonly Field[], body: string): Answer {
  const id = valuesOf(fields, idHeader)[0];
  return {
    status,
    fields,
    body,
    upstreamId: id === undefined ? undefined : Number(id),
    own: valuesOf(fields, 'proxy-status').length > 0,
    code: id === undefined ? /"code":"([a-z_]+)"/.exec(body)?.[1] : undefined,
    closes: valuesOf(fields, 'connection').some((value) => /\bclose\b/i.test(value)),
  };
}
