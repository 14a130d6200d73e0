import type { Random } from './random.ts';

const names = [
  'Accept',
  'X-A',
  'Cookie',
  'Content-Type',
  'Via',
  'TE',
  'Trailer',
  'Date',
  'Keep-Alive',
  'Proxy-Connection',
  'Content_Length',
  'X-Forwarded-For',
  'Transfer_Encoding',
  '__proto__',
  'constructor',
  'A',
  'Range',
  'If-None-Match',
];
const oddNames = ['', ' ', 'X A', 'X\tA', 'X\0', 'X(', 'Host ', 'Content-Length ', 'Transfer-Encoding\t', '\x80', ' Content-Length', 'X\r'];
const values = ['', 'a', '*/*', 'a, b', '"q"', 'text/plain; charset=utf-8', '\xe9', ' padded ', '\ttab\t', 'x'.repeat(300)];
const oddValues = ['\0', '\x01', 'a\rb', 'a\nb', '\x7f', 'a\r\n b', 'a\r\n\tb', '\x0b', 'a\r\n\r\nb'];
const lengths = [
  '',
  '+0',
  '-1',
  '0x5',
  '05',
  '5 5',
  '5,5',
  '5, 5',
  '1e1',
  '5;',
  ' 5',
  '5\t',
  '99999999999999999999',
  '9007199254740993',
  '٥',
  '\xa05',
  '5\x0b',
  '5_0',
  '000000000000000000005',
];
const codings = [
  'Chunked',
  'CHUNKED',
  'gzip, chunked',
  'chunked, chunked',
  'identity',
  'chunked, identity',
  '',
  'chunked;q=1',
  '\x0bchunked',
  'chunked\x0b',
  '"chunked"',
  'xchunked',
  'chunke',
  ',chunked',
  'chunked,',
  ' chunked',
  'chunked\t',
  'chun\r\n ked',
];
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n';
const contents = [
  '',
  'x',
  'hello world',
  '0\r\n\r\n',
  smuggled,
  '5\r\nhello\r\n0\r\n\r\n',
  '\r\n',
  '\0\0\0',
  '\r\n0\r\n\r\n',
  'y'.repeat(500),
  'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
];

/** Bytes, as latin1 text, of one to four requests one after the other: mostly valid, each with a few odd choices. */
export function generateRequests(random: Random): string {
  const count = random.chance(0.5) ? 1 : 1 + random.below(4);
  return random.times(count, () => generateRequest(random)).join('');
}

/** Bytes, as latin1 text, of a response, with interim ones before and other bytes behind it at times. */
export function generateResponses(random: Random): string {
  const interim = random.chance(0.15)
    ? random
        .times(1 + random.below(3), () =>
          head(
            random,
            `HTTP/1.1 ${random.pick(['100 Continue', '102 Processing', '103 Early Hints', '101 Switching Protocols', '199 x'])}`,
            fields(random, 2),
          ),
        )
        .join('')
    : '';
  const behind = random.chance(0.15)
    ? random.pick(['x', '\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond', '0\r\n\r\n', '\0'])
    : '';
  const status = random.mostly(
    String(random.pick([200, 200, 200, 201, 204, 205, 206, 301, 304, 401, 404, 500, 503])),
    ['099', '600', '1000', '20', '2x0', '', '-200', '999'],
    0.95,
  );
  const line = `${random.mostly('HTTP/1.1', ['HTTP/1.0', 'HTTP/2.0', 'HTTP/1.2', 'http/1.1', 'HTTP/01.1', 'ICY'], 0.92)} ${status}${random.mostly(' OK', ['', ' ', '  x', ' \xe9', ' a\0b'], 0.9)}`;
  const { lines, body } = framed(random);
  return interim + head(random, line, [...fields(random, 4), ...lines]) + body + behind;
}

function generateRequest(random: Random): string {
  const method = random.mostly(
    random.pick(['GET', 'GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH']),
    ['TRACE', 'CONNECT', 'get', 'FOO', 'G\0T', '', ' GET', 'PRI', 'GET\t'],
    0.94,
  );
  const version = random.mostly(
    random.mostly('HTTP/1.1', ['HTTP/1.0'], 0.92),
    ['HTTP/1.2', 'HTTP/2.0', 'HTTP/0.9', 'HTTP/1.1 ', 'http/1.1', 'HTTP/11', ''],
    0.95,
  );
  const host = random.mostly(
    ['Host: a.test'],
    [
      ['Host: a.test:80'],
      ['Host: '],
      [],
      ['Host: a.test', 'Host: a.test'],
      ['Host: a b'],
      ['Host: u@a'],
      ['hOST:a.test'],
      ['Host : a.test'],
      ['Host: [::1]:80'],
      ['Host: a.test,b.test'],
    ],
    0.97,
  );
  const { lines, body } = random.chance(0.4) ? { lines: [], body: '' } : framed(random);
  const all = [...host, ...lines, ...fields(random, 4), ...special(random)];
  if (random.chance(0.3)) all.reverse();
  const before = random.chance(0.05) ? random.pick(['\r\n', '\r\n\r\n', '\n', '\r\n\r\n\r\n', ' ']) : '';
  return (
    before +
    head(
      random,
      `${method}${random.mostly(' ', ['  ', '\t', ''], 0.98)}${target(random)}${random.mostly(' ', ['  ', '\t', ''], 0.98)}${version}`,
      all,
    ) +
    body
  );
}

function target(random: Random): string {
  const path = `/${random.times(random.below(3), () => random.pick(['a', 'b%20c', '%2e', '~', 'x;y', 'a:b', "o'n"])).join('/')}`;
  if (random.chance(0.005)) return `/${'t'.repeat(random.pick([8_190, 8_191, 8_192, 9_000, 20_000]))}`;
  const whole = `${path}${random.chance(0.3) ? `?${random.pick(['a=b', '', '&&', '?', '%00', 'x=/../', '\\', '{}', '|'])}` : ''}`;
  return random.mostly(
    whole,
    [
      '*',
      `http://a.test${whole}`,
      `http://b.test${whole}`,
      'http://a.test',
      'a.test:80',
      '',
      '//x',
      `${path}#f`,
      `${path}\xff`,
      '/%00',
      '/a/../b',
      '/..;/x',
      '/a\\b',
      '/\0',
      `https://a.test${path}`,
    ],
    0.94,
  );
}

function fields(random: Random, most: number): string[] {
  return random.times(random.below(most + 1), () => {
    const name = random.mostly(random.pick(names), oddNames, 0.995);
    return `${name}${random.mostly(': ', [':', ' : ', ':\t', ':  ', ''], 0.98)}${random.mostly(random.pick(values), oddValues, 0.995)}`;
  });
}

function special(random: Random): string[] {
  if (random.chance(0.7)) return [];
  // At and beyond the limits of a head: 16 KiB, 100 fields.
  if (random.chance(0.03)) return [`X-Long: ${'v'.repeat(random.pick([8_000, 15_900, 16_384, 17_000, 70_000]))}`];
  if (random.chance(0.03)) return random.times(random.pick([90, 99, 100, 101, 300]), () => 'X-Many: 1');
  return [
    random.pick([
      'Connection: close',
      'Connection: keep-alive',
      'Connection: Content-Length',
      'Connection: transfer-encoding, close',
      'Connection: Host',
      'Connection: x-forwarded-for',
      'Connection: upgrade\r\nUpgrade: websocket',
      'Connection: upgrade\r\nUpgrade: h2c',
      'Expect: 100-continue',
      'Expect: 200-ok',
      'Upgrade: websocket',
      'Connection: , ,',
      'Connection: \xe9',
      'Via: 1.1 x',
      'Max-Forwards: 0',
    ]),
  ];
}

/** Lines that frame a body, and that body: mostly in agreement. */
function framed(random: Random): { lines: string[]; body: string } {
  // Now and then more than one read brings.
  const content = random.chance(0.02) ? `${'z'.repeat(random.pick([16_000, 65_535, 65_536, 150_000]))}${smuggled}` : random.pick(contents);
  const kind = random.chance(0.85) ? random.below(14) : random.below(20);
  const sized = `Content-Length: ${content.length}`;
  if (kind < 7) return { lines: [sized], body: content };
  if (kind < 14) return { lines: [`Transfer-Encoding:${random.mostly(' chunked', codings, 0.97)}`], body: chunked(random, content) };
  if (kind === 14) return { lines: [`Content-Length: ${content.length + random.pick([-1, 1, 3, 100])}`], body: content };
  if (kind === 15) return { lines: [`Content-Length:${random.pick(lengths)}`], body: content };
  if (kind === 16) return { lines: [`Content-Length: ${random.below(8)}`, 'Transfer-Encoding: chunked'], body: chunked(random, content) };
  if (kind === 17) return { lines: [sized, random.mostly(sized, ['Content-Length: 0', 'Content-Length: 1'], 0.5)], body: content };
  if (kind === 18)
    return { lines: [`Transfer-Encoding: ${random.pick(codings)}`, 'Transfer-Encoding: chunked'], body: chunked(random, content) };
  return { lines: [`Transfer-Encoding:${random.pick(codings)}`, sized], body: content };
}

function chunked(random: Random, content: string): string {
  let wire = '';
  for (let at = 0; at < content.length;) {
    const piece = content.slice(at, at + 1 + random.below(content.length > 1_000 ? 30_000 : 20));
    const size = piece.length.toString(16);
    const written = random.mostly(
      size,
      [
        size.toUpperCase(),
        `0${size}`,
        `000000000000000${size}`,
        `0x${size}`,
        ` ${size}`,
        `${size} `,
        `+${size}`,
        `${size}g`,
        '',
        'fffffffffffffffff',
        '-1',
      ],
      0.98,
    );
    const extension = random.mostly(
      '',
      [';a', ';a=b', ';a="b;c"', ' ;a=b', ';', ';a="\r\n"', ';a=b\n', ';\0', `;${'e'.repeat(300)}`],
      0.98,
    );
    wire += `${written}${extension}${eol(random)}${piece}${random.mostly('\r\n', ['\n', '\r', '', 'x\r\n', '\r\n\r\n'], 0.995)}`;
    at += piece.length;
  }
  const trailers = random.chance(0.2)
    ? random.pick([
        'X-T: 1\r\n',
        'Content-Length: 5\r\n',
        'Host: b.test\r\n',
        'X-T : 1\r\n',
        ' X: 1\r\n',
        'Authorization: x\r\n',
        'Transfer-Encoding: chunked\r\n',
        'X-T: 1\r\nX-U: 2\r\n',
        'X-T: a\n',
        'nothing\r\n',
      ])
    : '';
  return `${wire}${random.mostly('0', ['00', '0;a', '0 ', '', '-0', '0x0'], 0.97)}${eol(random)}${trailers}${eol(random)}`;
}

function head(random: Random, line: string, lines: readonly string[]): string {
  return `${[line, ...lines].map((each) => each + eol(random)).join('')}${eol(random)}`;
}

function eol(random: Random): string {
  return random.mostly('\r\n', ['\n', '\r', '\r\r\n', '\n\r', ' \r\n', '\r\n '], 0.998);
}
