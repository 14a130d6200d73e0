import { RequestHead } from '../../src/http/request-head.ts';
import { sharedReadBuffer } from '../../src/http/transport.ts';
import { micro } from './micro.ts';

const usual =
  'GET /api/v1/users?id=1 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0\r\n' +
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n' +
  'Accept-Encoding: gzip, deflate, br\r\nConnection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\n';
const head = new RequestHead({ maxTarget: 8192, maxHead: 16_384, maxFields: 100 });

for (const [name, text] of [
  ['a small head', 'GET /x HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n'],
  ["a browser's head", `${usual}\r\n`],
  ["a browser's head with a large cookie", `${usual}Cookie: ${'a'.repeat(1200)}\r\n\r\n`],
] as const) {
  const length = sharedReadBuffer.write(text, 'latin1');
  micro(`parse ${name} of ${length} bytes`, 200_000, (times) => {
    let sum = 0;
    for (let i = 0; i < times; i++) sum += head.parse(sharedReadBuffer, 0, length);
    return sum;
  });
}
