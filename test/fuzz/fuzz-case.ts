import type { Random } from './random.ts';
import { generateRequests, generateResponses } from './generate-messages.ts';
import { mutateBytes } from './mutate-bytes.ts';

/** One thing to try: bytes of a client, or bytes that an upstream answers with. */
export interface FuzzCase {
  readonly kind: 'request' | 'response';
  readonly bytes: Buffer;
  /** Offsets at which the bytes are cut into writes of their own. */
  readonly cuts: readonly number[];
  /** Milliseconds between writes. */
  readonly gapMs: number;
  /** For a response: the method it answers. */
  readonly method: 'GET' | 'HEAD';
  /** For a response: the upstream closes behind it with a FIN, or a RST. */
  readonly ending: 'fin' | 'reset';
}

/** Messages that others have collected, by kind, as latin1 text. */
export interface Corpus {
  readonly request: readonly string[];
  readonly response: readonly string[];
}

export function generateCase(random: Random, corpus: Corpus): FuzzCase {
  const kind = random.chance(0.7) ? 'request' : 'response';
  const generated = kind === 'request' ? generateRequests(random) : generateResponses(random);
  const start = random.chance(0.75) ? generated : random.pick(corpus[kind]);
  const text = random.chance(0.4) ? mutateBytes(random, start, corpus[kind]) : start;
  // A response arrives in one read: see below.
  const bytes = Buffer.from(text.slice(0, kind === 'request' ? 200_000 : 30_000), 'latin1');
  // Of a response only the head is cut: bytes behind a message that come later than it would be taken, by any client,
  // for the beginning of the next answer on that connection.
  const cuttable = kind === 'request' ? bytes.length : Math.max(0, text.indexOf('\r\n\r\n')) + 2;
  const cuts = random.chance(0.4)
    ? random.times(1 + random.below(6), () => Math.min(random.below(cuttable + 1), bytes.length)).toSorted((a, b) => a - b)
    : [];
  const ending = random.chance(0.9) ? 'fin' : 'reset';
  return { kind, bytes, cuts, gapMs: random.pick([0, 0, 1, 3]), method: random.chance(0.9) ? 'GET' : 'HEAD', ending };
}

export function piecesOf({ bytes, cuts }: FuzzCase): Buffer[] {
  return [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length)).filter((piece) => piece.length > 0);
}

/** One word that `--replay` takes. */
export function encodeCase({ bytes, ...rest }: FuzzCase): string {
  return Buffer.from(JSON.stringify({ ...rest, bytes: bytes.toString('base64') })).toString('base64url');
}

export function decodeCase(word: string): FuzzCase {
  const parsed = JSON.parse(Buffer.from(word, 'base64url').toString()) as Omit<FuzzCase, 'bytes'> & { readonly bytes: string };
  return { ...parsed, bytes: Buffer.from(parsed.bytes, 'base64') };
}
