// Over 300 lines: one list of what a peer of a WebSocket may send, by the groups of the Autobahn test suite.
import { clientFrame, closePayload, fragments, opcodes } from './websocket-frames.ts';

/** What a client sends, and how it has to end. Numbers in names are those of the cases of Autobahn that ask the same. */
export interface WebSocketCase {
  readonly name: string;
  /** Sent one after the other, each in a segment of its own. */
  readonly pieces: readonly Buffer[];
  /** The code in the server's close frame: 1000 where all is well, and then the client's own. */
  readonly ends: number;
  /** How many messages the server must have got. */
  readonly messages: number;
}

const { continuation, text, binary, close, ping, pong } = opcodes;
const goodbye = clientFrame(close, closePayload(1000));
const kibibyte = 1024;

/** A case that ends well: the client says goodbye. */
function well(name: string, messages: number, ...pieces: Buffer[]): WebSocketCase {
  return { name, pieces: [...pieces, goodbye], ends: 1000, messages };
}

/** A case that the server has to end, with this code. What the client says after it is not heard. */
function ill(name: string, ends: number, messages: number, ...pieces: Buffer[]): WebSocketCase {
  return { name, pieces, ends, messages };
}

/** The same bytes in pieces of `size`. */
function chopped(size: number, ...frames: Buffer[]): Buffer[] {
  const all = Buffer.concat(frames);
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.subarray(i * size, (i + 1) * size));
}

function octets(...frames: Buffer[]): Buffer[] {
  return chopped(1, ...frames);
}

function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(' ', ''), 'hex');
}

const sizes = [0, 125, 126, 127, 128, 65_535, 65_536];

const framing: WebSocketCase[] = [
  ...sizes.map((size, i) => well(`1.1.${i + 1} text of ${size}`, 1, clientFrame(text, '*'.repeat(size)))),
  well('1.1.8 text of 65536 in pieces of 997', 1, ...chopped(997, clientFrame(text, '*'.repeat(65_536)))),
  ...sizes.map((size, i) => well(`1.2.${i + 1} binary of ${size}`, 1, clientFrame(binary, Buffer.alloc(size, 0xfe)))),
  well('1.2.8 binary of 65536 in pieces of 997', 1, ...chopped(997, clientFrame(binary, Buffer.alloc(65_536, 0xfe)))),
  ill('1 a frame that is not masked', 1002, 0, clientFrame(text, 'bare', { masked: false })),
];

const pings: WebSocketCase[] = [
  well('2.1 ping without payload', 0, clientFrame(ping)),
  well('2.2 ping with text', 0, clientFrame(ping, 'Hello, world!')),
  well('2.3 ping with bytes', 0, clientFrame(ping, hex('00 ff fe fd fc fb 00 ff'))),
  well('2.4 ping with 125 bytes', 0, clientFrame(ping, Buffer.alloc(125, 0xfe))),
  ill('2.5 ping with 126 bytes', 1002, 0, clientFrame(ping, Buffer.alloc(126, 0xfe))),
  well('2.6 ping with 125 bytes, octet by octet', 0, ...octets(clientFrame(ping, Buffer.alloc(125, 0xfe)))),
  well('2.7 pong that nobody asked for', 0, clientFrame(pong)),
  well('2.8 pong with payload that nobody asked for', 0, clientFrame(pong, 'unasked')),
  well('2.9 pong, then ping', 0, clientFrame(pong, 'unasked'), clientFrame(ping, 'asked')),
  well('2.10 ten pings', 0, ...Array.from({ length: 10 }, (_, i) => clientFrame(ping, `ping ${i}`))),
  well('2.11 ten pings, octet by octet', 0, ...octets(...Array.from({ length: 10 }, (_, i) => clientFrame(ping, `ping ${i}`)))),
];

const hello = clientFrame(text, 'Hello, world!');

const reservedBits: WebSocketCase[] = [
  ill('3.1 text with RSV 1', 1002, 0, clientFrame(text, 'x', { rsv: 1 })),
  ill('3.2 text, text with RSV 2, ping', 1002, 1, hello, clientFrame(text, 'x', { rsv: 2 }), clientFrame(ping)),
  ill('3.3 the same in one piece', 1002, 1, Buffer.concat([hello, clientFrame(text, 'x', { rsv: 3 }), clientFrame(ping)])),
  ill('3.4 the same octet by octet', 1002, 1, ...octets(hello, clientFrame(text, 'x', { rsv: 4 }), clientFrame(ping))),
  ill('3.5 binary with RSV 5', 1002, 0, clientFrame(binary, hex('00ff'), { rsv: 5 })),
  ill('3.6 ping with RSV 6', 1002, 0, clientFrame(ping, 'x', { rsv: 6 })),
  ill('3.7 close with RSV 7', 1002, 0, clientFrame(close, closePayload(1000), { rsv: 7 })),
];

const reservedOpcodes: WebSocketCase[] = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) => [
  ill(`4 opcode ${opcode} without payload`, 1002, 0, clientFrame(opcode)),
  ill(`4 text, then opcode ${opcode} with payload, then ping`, 1002, 1, hello, clientFrame(opcode, 'x'), clientFrame(ping)),
  ill(`4 the same with opcode ${opcode}, octet by octet`, 1002, 1, ...octets(hello, clientFrame(opcode, 'x'), clientFrame(ping))),
]);

const first = clientFrame(text, 'fragment1', { fin: false });
const middle = clientFrame(continuation, 'fragment2', { fin: false });
const last = clientFrame(continuation, 'fragment3');

const fragmentation: WebSocketCase[] = [
  ill('5.1 ping in two fragments', 1002, 0, clientFrame(ping, 'fragment1', { fin: false }), last),
  ill('5.2 pong in two fragments', 1002, 0, clientFrame(pong, 'fragment1', { fin: false }), last),
  well('5.3 text in two fragments', 1, first, last),
  well('5.4 the same in one piece', 1, Buffer.concat([first, last])),
  well('5.5 the same octet by octet', 1, ...octets(first, last)),
  well('5.6 a ping between the fragments', 1, first, clientFrame(ping, 'between'), last),
  well('5.7 the same in one piece', 1, Buffer.concat([first, clientFrame(ping, 'between'), last])),
  well('5.8 the same octet by octet', 1, ...octets(first, clientFrame(ping, 'between'), last)),
  ill('5.9 a last continuation of nothing, then text', 1002, 0, last, hello),
  ill('5.10 the same in one piece', 1002, 0, Buffer.concat([last, hello])),
  ill('5.11 the same octet by octet', 1002, 0, ...octets(last, hello)),
  ill('5.12 a continuation of nothing that is not the last, then text', 1002, 0, middle, hello),
  ill('5.13 the same in one piece', 1002, 0, Buffer.concat([middle, hello])),
  ill('5.14 the same octet by octet', 1002, 0, ...octets(middle, hello)),
  ill('5.15 text in two fragments, a continuation of nothing, text', 1002, 1, first, last, middle, hello),
  ill('5.16 a continuation of nothing, text in two fragments, twice', 1002, 0, middle, first, last, middle, first, last),
  ill('5.17 a last continuation of nothing, text in two fragments, twice', 1002, 0, last, first, last, last, first, last),
  ill('5.18 text in two fragments that both say text', 1002, 0, first, clientFrame(text, 'fragment2')),
  well(
    '5.19 text in five fragments with pings between',
    1,
    first,
    middle,
    clientFrame(ping, 'one'),
    middle,
    middle,
    clientFrame(ping, 'two'),
    last,
  ),
  well(
    '5.20 the same octet by octet',
    1,
    ...octets(first, middle, clientFrame(ping, 'one'), middle, middle, clientFrame(ping, 'two'), last),
  ),
  well(
    '5 a thousand fragments without payload',
    1,
    Buffer.concat([first, ...Array.from({ length: 1_000 }, () => clientFrame(continuation, '', { fin: false })), last]),
  ),
];

const greeting = 'Hello-µ@ßöäüàá-UTF-8!!';
/** Sequences of UTF-8 that text may hold: the first and last of each length, what surrounds the surrogates, noncharacters. */
const validUtf8 = [
  '48 65 6c 6c 6f',
  'ce ba e1 bd b9 cf 83 ce bc ce b5',
  '00',
  'c2 80',
  'e0 a0 80',
  'f0 90 80 80',
  '7f',
  'df bf',
  'ef bf bf',
  'f4 8f bf bf',
  'ed 9f bf',
  'ee 80 80',
  'ef bf bd',
  'ef bf be',
  'f0 9f bf be',
  'f0 9f bf bf',
  'f3 bf bf bf',
];
/** And what it may not: cut short, overlong, surrogates, beyond U+10FFFF, stray and impossible octets. */
const invalidUtf8 = [
  'ce ba e1 bd b9 cf 83 ce bc ce b5 ed a0 80 65 64 69 74 65 64',
  'ce',
  'ce ba e1',
  'ce ba e1 bd',
  'f8 88 80 80 80',
  'fc 84 80 80 80 80',
  'f7 bf bf bf',
  'fb bf bf bf bf',
  'fd bf bf bf bf bf',
  'f4 90 80 80',
  '80',
  'bf',
  '80 bf',
  '80 bf 80 bf 80 bf',
  'c0 20 c1 20 c2 20 df 20',
  'e0 20 e7 20 ef 20',
  'f0 20 f4 20 f7 20',
  'f8 20 fb 20',
  'fc 20 fd 20',
  'c0',
  'e0 80',
  'f0 80 80',
  'df',
  'ef bf',
  'f7 bf bf',
  'c0 e0 80 f0 80 80 f8 80 80 80',
  'fe',
  'ff',
  'fe fe ff ff',
  'c0 af',
  'e0 80 af',
  'f0 80 80 af',
  'c1 bf',
  'e0 9f bf',
  'f0 8f bf bf',
  'c0 80',
  'e0 80 80',
  'ed a0 80',
  'ed ad bf',
  'ed ae 80',
  'ed af bf',
  'ed b0 80',
  'ed be 80',
  'ed bf bf',
  'ed a0 80 ed b0 80',
  'ed af bf ed bf bf',
];

const utf8: WebSocketCase[] = [
  well('6.1.1 text without payload', 1, clientFrame(text)),
  well(
    '6.1.2 text of three fragments without payload',
    1,
    clientFrame(text, '', { fin: false }),
    clientFrame(continuation, '', { fin: false }),
    clientFrame(continuation),
  ),
  well(
    '6.1.3 only the middle one of three has a payload',
    1,
    clientFrame(text, '', { fin: false }),
    clientFrame(continuation, 'middle', { fin: false }),
    clientFrame(continuation),
  ),
  well('6.2.1 text beyond ASCII', 1, clientFrame(text, greeting)),
  well('6.2.2 the same in two fragments', 1, ...fragments(text, greeting, 12)),
  well('6.2.3 the same, each octet a fragment', 1, ...fragments(text, greeting, 1)),
  well('6.2.4 four-octet sequences, each octet a fragment', 1, ...fragments(text, '𝄞🦊', 1)),
  ill('6.3.2 invalid text, each octet a fragment', 1007, 0, ...fragments(text, hex(invalidUtf8[0]!), 1)),
  ill(
    '6.4.1 invalid text in the second of three fragments',
    1007,
    0,
    clientFrame(text, 'κόσμε', { fin: false }),
    clientFrame(continuation, hex('f4 90 80 80'), { fin: false }),
    clientFrame(continuation, 'edited'),
  ),
  ill(
    '6.4.3 the same, in pieces that end within sequences',
    1007,
    0,
    ...chopped(7, clientFrame(text, Buffer.concat([Buffer.from('κόσμε'), hex('f4 90 80 80'), Buffer.from('edited')]))),
  ),
  ...validUtf8.map((digits) => well(`6.5–6.23 text ${digits}`, 1, clientFrame(text, hex(digits)))),
  ...invalidUtf8.map((digits) => ill(`6.3–6.21 text ${digits}`, 1007, 0, clientFrame(text, hex(digits)))),
  ...invalidUtf8.map((digits) => well(`6 binary ${digits}`, 1, clientFrame(binary, hex(digits)))),
];

const validCodes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
const invalidCodes = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535];
const large = '*'.repeat(256 * kibibyte);

const closing: WebSocketCase[] = [
  well('7.1.1 text, then close', 1, hello),
  well('7.1.2 close twice', 0, goodbye),
  { ...well('7.1.3 ping after close', 0), pieces: [Buffer.concat([goodbye, clientFrame(ping)])] },
  { ...well('7.1.4 text after close', 0), pieces: [Buffer.concat([goodbye, hello])] },
  { ...well('7.1.5 the rest of a message after close', 0), pieces: [Buffer.concat([first, goodbye, last])] },
  { ...well('7.1.6 256 KiB of text, close, ping', 1), pieces: [clientFrame(text, large), Buffer.concat([goodbye, clientFrame(ping)])] },
  { name: '7.3.1 close without payload', pieces: [clientFrame(close)], ends: 1005, messages: 0 },
  ill('7.3.2 close with one octet', 1002, 0, clientFrame(close, 'a')),
  well('7.3.3 close with a code', 0),
  { ...well('7.3.4 close with code and reason', 0), pieces: [clientFrame(close, closePayload(1000, 'Hello World!'))] },
  { ...well('7.3.5 close with a reason of 123 octets', 0), pieces: [clientFrame(close, closePayload(1000, '*'.repeat(123)))] },
  ill('7.3.6 close with a reason of 124 octets', 1002, 0, clientFrame(close, closePayload(1000, '*'.repeat(124)))),
  ill('7.5.1 close with a reason that is not UTF-8', 1007, 0, clientFrame(close, closePayload(1000, hex(invalidUtf8[0]!)))),
  ...validCodes.map((code) => ({ ...well(`7.7 close with ${code}`, 0), pieces: [clientFrame(close, closePayload(code))], ends: code })),
  ...validCodes.map((code) => ({
    ...well(`7.7 close with ${code}, octet by octet`, 0),
    pieces: octets(clientFrame(close, closePayload(code, 'ß'))),
    ends: code,
  })),
  ...invalidCodes.map((code) => ill(`7.9 close with ${code}`, 1002, 0, clientFrame(close, closePayload(code)))),
];

/** The server's limit for a message, so that one beyond it can be tried. */
export const largestMessage = 4 * 1024 * kibibyte;

const limits: WebSocketCase[] = [
  ...[64, 256, 1_024, 4_096].flatMap((size) => [
    well(`9.1 text of ${size} KiB`, 1, clientFrame(text, '*'.repeat(size * kibibyte))),
    well(`9.2 binary of ${size} KiB`, 1, clientFrame(binary, Buffer.alloc(size * kibibyte, 0xfe))),
  ]),
  ...[64, 1_024, 16_384, 262_144].map((size) =>
    well(`9.3 text of 1 MiB in fragments of ${size}`, 1, ...together(fragments(text, '*'.repeat(1_024 * kibibyte), size))),
  ),
  ...[16, 64, 1_024].map((size) =>
    well(`9.5 text of ${size * 256} octets in pieces of ${size}`, 1, ...chopped(size, clientFrame(text, '*'.repeat(size * 256)))),
  ),
  ill('9 a frame beyond the server’s limit', 1009, 1, hello, clientFrame(binary, '', { claimedLength: BigInt(largestMessage) + 1n })),
  ill('9 a frame of 2^53 octets', 1009, 1, hello, clientFrame(binary, '', { claimedLength: 2n ** 53n })),
  ill(
    '9 fragments that are beyond the server’s limit together',
    1009,
    0,
    ...fragments(binary, Buffer.alloc(largestMessage + 1), 512 * kibibyte),
  ),
];

const misc: WebSocketCase[] = [well('10.1.1 text of 65536 in fragments of 1300', 1, ...fragments(text, '*'.repeat(65_536), 1_300))];

/** Thousands of tiny frames are sent some at a time. */
function together(frames: readonly Buffer[]): Buffer[] {
  return chopped(256 * kibibyte, ...frames);
}

export const webSocketCases: ReadonlyMap<string, readonly WebSocketCase[]> = new Map([
  ['1 framing', framing],
  ['2 pings and pongs', pings],
  ['3 reserved bits', reservedBits],
  ['4 reserved opcodes', reservedOpcodes],
  ['5 fragmentation', fragmentation],
  ['6 UTF-8', utf8],
  ['7 closing', closing],
  ['9 limits', limits],
  ['10 automatic fragmentation', misc],
]);
