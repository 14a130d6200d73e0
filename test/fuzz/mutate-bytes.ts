import { insertions, type Mutation, mutate } from '../support/message-mutations.ts';
import type { Random } from './random.ts';

/** Applies one to four changes; now and then bytes of a message of the corpus are spliced in. */
export function mutateBytes(random: Random, bytes: string, corpus: readonly string[]): string {
  let result = bytes;
  for (let left = 1 + random.below(4); left > 0; left -= 1) result = mutateOnce(random, result, corpus);
  return result;
}

function mutateOnce(random: Random, bytes: string, corpus: readonly string[]): string {
  const place = random.below(bytes.length + 1);
  switch (random.below(9)) {
    case 0:
      return replaceAt(bytes, place, String.fromCharCode((bytes.charCodeAt(place) || 0) ^ (1 << random.below(8))));
    case 1: {
      const from = random.below(bytes.length + 1);
      return bytes.slice(0, place) + bytes.slice(from, from + random.below(80)) + bytes.slice(place);
    }
    case 2: {
      const other = random.pick(corpus);
      return bytes.slice(0, place) + other.slice(random.below(other.length + 1));
    }
    case 3:
      return replaceMatch(random, bytes, /\d+/g, (digits) =>
        random.pick([
          '0',
          String(Number(digits) + 1),
          String(Number(digits) - 1),
          `0${digits}`,
          `${digits}0`,
          `+${digits}`,
          'ffffffff',
          '18446744073709551616',
        ]),
      );
    case 4:
      return replaceMatch(random, bytes, /\r\n/g, () =>
        random.pick(['\n', '\r', '\r\r\n', '\r\n\r\n', '\0\r\n', ' \r\n', '\r\n ', '\r\n\t', '']),
      );
    case 5:
      return replaceMatch(random, bytes, /(?<![A-Za-z-])[A-Za-z-]{1,64}(?=:)/g, (name) =>
        random.pick([
          name.toUpperCase(),
          `${name} `,
          `${name}\0`,
          'Content-Length',
          'Transfer-Encoding',
          'Host',
          `X${name}`,
          name.replaceAll('-', '_'),
        ]),
      );
    case 6:
      return replaceAt(bytes, place, random.pick(insertions));
    default: {
      const change: Mutation = {
        at: random.fraction(),
        kind: random.pick(['flip', 'delete', 'insert', 'copy']),
        pick: random.below(1 << 16),
      };
      return mutate(bytes, change);
    }
  }
}

function replaceAt(bytes: string, place: number, text: string): string {
  return bytes.slice(0, place) + text + bytes.slice(place + 1);
}

function replaceMatch(random: Random, bytes: string, pattern: RegExp, change: (found: string) => string): string {
  const found = [...bytes.matchAll(pattern)];
  if (found.length === 0) return bytes;
  const { 0: text, index } = random.pick(found);
  return bytes.slice(0, index) + change(text) + bytes.slice(index + text.length);
}
