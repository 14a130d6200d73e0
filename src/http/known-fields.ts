/**
 * Field names that the core or the gateway treats specially, each with a small number. The parser notes the
 * number beside each field, so that nobody compares names again.
 */
const names = [
  '', // 0: a name nobody asked for
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'authorization',
  'proxy-authorization',
  'proxy-authenticate',
  'www-authenticate',
  'x-api-key',
  'x-key-id',
  'x-request-id',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'forwarded',
  'x-real-ip',
  'via',
  'traceparent',
  'tracestate',
  'date',
  'content-type',
  'cookie',
  'set-cookie',
  'origin',
  'proxy-status',
  'sec-websocket-accept',
  'sec-websocket-key',
  'x-apigate-worker-token',
  'x-apigate-client',
  'x-apigate-scheme',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'ratelimit',
  'ratelimit-policy',
  'content-range',
  'content-encoding',
  'max-forwards',
  'age',
  'cache-control',
  'alt-svc',
  'proxy',
  'x-forwarded-prefix',
  'x-forwarded-scheme',
  'x-forwarded-server',
  'x-forwarded-ssl',
  'front-end-https',
] as const;

export type KnownFieldName = (typeof names)[number];

/** Number of a known field name; `kind.other` is 0. */
export const kind = {
  other: 0,
  host: number('host'),
  contentLength: number('content-length'),
  transferEncoding: number('transfer-encoding'),
  connection: number('connection'),
  keepAlive: number('keep-alive'),
  proxyConnection: number('proxy-connection'),
  te: number('te'),
  trailer: number('trailer'),
  upgrade: number('upgrade'),
  expect: number('expect'),
  authorization: number('authorization'),
  proxyAuthorization: number('proxy-authorization'),
  proxyAuthenticate: number('proxy-authenticate'),
  wwwAuthenticate: number('www-authenticate'),
  xApiKey: number('x-api-key'),
  xKeyId: number('x-key-id'),
  xRequestId: number('x-request-id'),
  xForwardedFor: number('x-forwarded-for'),
  xForwardedProto: number('x-forwarded-proto'),
  xForwardedHost: number('x-forwarded-host'),
  xForwardedPort: number('x-forwarded-port'),
  forwarded: number('forwarded'),
  xRealIp: number('x-real-ip'),
  via: number('via'),
  traceparent: number('traceparent'),
  tracestate: number('tracestate'),
  date: number('date'),
  contentType: number('content-type'),
  cookie: number('cookie'),
  setCookie: number('set-cookie'),
  origin: number('origin'),
  proxyStatus: number('proxy-status'),
  workerToken: number('x-apigate-worker-token'),
  workerClient: number('x-apigate-client'),
  workerScheme: number('x-apigate-scheme'),
  maxForwards: number('max-forwards'),
  age: number('age'),
  contentRange: number('content-range'),
  contentEncoding: number('content-encoding'),
  cacheControl: number('cache-control'),
  altSvc: number('alt-svc'),
  proxy: number('proxy'),
  xForwardedPrefix: number('x-forwarded-prefix'),
  xForwardedScheme: number('x-forwarded-scheme'),
  xForwardedServer: number('x-forwarded-server'),
  xForwardedSsl: number('x-forwarded-ssl'),
  frontEndHttps: number('front-end-https'),
} as const;

export const knownFieldCount = names.length;

function number(name: KnownFieldName): number {
  return names.indexOf(name);
}

/** Number of a name given in lower case, or 0. For use when plans are compiled, not per request. */
export function kindOfName(lowerCaseName: string): number {
  const found = (names as readonly string[]).indexOf(lowerCaseName);
  return found < 0 ? 0 : found;
}

// Names hash by length, first and last letter; the list is short enough that few collide.
const hashSize = 256;
const heads = new Uint8Array(hashSize);
const nextInBucket = new Uint8Array(names.length);
const lowerCaseBytes = names.map((name) => Buffer.from(name, 'latin1'));

function hash(length: number, first: number, last: number): number {
  return (length * 31 + (first | 0x20) * 7 + (last | 0x20)) & (hashSize - 1);
}

for (let index = 1; index < names.length; index++) {
  const bytes = lowerCaseBytes[index]!;
  const bucket = hash(bytes.length, bytes[0]!, bytes[bytes.length - 1]!);
  nextInBucket[index] = heads[bucket]!;
  heads[bucket] = index;
}

/** Added to the number of a name that is spelled with `_` for `-`: other to us, the same to CGI-like backends. */
export const underscored = 128;

/**
 * Number of the field name that stands at bytes[start, end) in any case, or 0. The parser has checked for token
 * bytes: among those, `| 0x20` reaches these letters and '-' from their own two cases only.
 */
export function kindOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  let candidate = heads[hash(length, bytes[start]!, bytes[end - 1]!)]!;
  while (candidate !== 0) {
    const wanted = lowerCaseBytes[candidate]!;
    if (wanted.length === length) {
      let variant = 0;
      let offset = 0;
      for (; offset < length; offset++) {
        const byte = bytes[start + offset]!;
        if ((byte | 0x20) === wanted[offset]!) continue;
        if (byte !== 0x5f || wanted[offset] !== 0x2d) break;
        variant = underscored;
      }
      if (offset === length) return candidate + variant;
    }
    candidate = nextInBucket[candidate]!;
  }
  return 0;
}
