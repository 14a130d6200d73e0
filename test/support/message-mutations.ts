/** Valid requests to begin mutations with; ` /a`, ` /b`… stand where a test may put a mark of its own. */
export const requestSeeds: readonly string[] = [
  'GET /a HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\n\r\n',
  'POST /b HTTP/1.1\r\nHost: a.test\r\nContent-Length: 11\r\n\r\nhello world',
  'POST /c HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-T: 1\r\n\r\n',
  'PUT /d?q=1 HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive, x-y\r\nX-Y: 1\r\nContent-Length: 3\r\n\r\nabcGET /e HTTP/1.1\r\nHost: a.test\r\n\r\n',
  'GET /f HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n',
];

/** Valid responses to begin mutations with. */
export const responseSeeds: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno',
  'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
];

/** Pieces of HTTP that parsers have been known to disagree about. */
export const insertions: readonly string[] = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  'Content-Length: 5\r\n',
  'Content-Length: 0\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: identity\r\n',
  '0\r\n\r\n',
  'GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n',
  '\x0b',
  '\xa0',
  '+',
  '-',
  '0x',
  'chunked',
  'Host: b.test\r\n',
  '\r\n\r\n',
];

/** One change of bytes (as latin1 text): `at` is the place as a fraction, `pick` chooses what is put there. */
export interface Mutation {
  readonly at: number;
  readonly kind: 'flip' | 'delete' | 'insert' | 'copy';
  readonly pick: number;
}

export function mutate(bytes: string, { at, kind, pick }: Mutation): string {
  const place = Math.floor(at * bytes.length);
  if (kind === 'flip') return bytes.slice(0, place) + String.fromCharCode(pick & 255) + bytes.slice(place + 1);
  if (kind === 'delete') return bytes.slice(0, place) + bytes.slice(place + 1 + (pick % 4));
  if (kind === 'insert') return bytes.slice(0, place) + insertions[pick % insertions.length]! + bytes.slice(place);
  const from = pick % Math.max(1, bytes.length);
  return bytes.slice(0, place) + bytes.slice(from, from + 30) + bytes.slice(place);
}
