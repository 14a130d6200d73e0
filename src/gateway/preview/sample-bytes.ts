import type { PreviewHeader, SampleRequest, SampleResponse } from '../../model/route-preview.ts';

interface SampleBytes {
  readonly head: Buffer;
  readonly body: Buffer;
}

/** A sample request as a client would put it on the wire; a whole URL becomes its path and the Host. */
export function requestBytes({ method, url, headers, body }: SampleRequest): SampleBytes {
  const [, authority, rest = ''] = /^https?:\/\/([^/?#]*)([^#]*)/i.exec(url) ?? [undefined, undefined, url];
  const target = rest === '' || rest.startsWith('?') ? `/${rest}` : rest;
  const bytes = Buffer.from(body ?? '', 'utf8');
  const fields = linesOf(headers);
  const has = (name: string): boolean => Object.keys(headers).some((given) => given.toLowerCase() === name);
  const host = authority !== undefined || !has('host') ? `Host: ${authority ?? 'localhost'}\r\n` : '';
  const given = authority !== undefined ? fields.filter((line) => !/^host:/i.test(line)) : fields;
  return {
    head: Buffer.from(`${method} ${target} HTTP/1.1\r\n${host}${framed(given, bytes)}\r\n`, 'utf8'),
    body: bytes,
  };
}

/** A sample response as an upstream would put it on the wire. */
export function responseBytes({ status, headers, body }: SampleResponse): SampleBytes {
  const bytes = Buffer.from(body ?? '', 'utf8');
  return { head: Buffer.from(`HTTP/1.1 ${status} \r\n${framed(linesOf(headers), bytes)}\r\n`, 'utf8'), body: bytes };
}

/** The start line and the fields of a head that was written. */
export function messageOf(bytes: Buffer): { readonly line: string; readonly headers: readonly PreviewHeader[] } {
  const [line = '', ...fields] = bytes.toString('utf8').trimEnd().split('\r\n');
  return {
    line,
    headers: fields.map((field) => {
      const colon = field.indexOf(':');
      return { name: field.slice(0, colon), value: field.slice(colon + 1).trim() };
    }),
  };
}

// Its length is the body's, whatever a sample says: the body is there as it is.
function framed(lines: readonly string[], body: Buffer): string {
  const kept = lines.filter((line) => !/^(?:content-length|transfer-encoding):/i.test(line)).join('');
  return body.length === 0 ? kept : `${kept}Content-Length: ${body.length}\r\n`;
}

function linesOf(headers: SampleRequest['headers']): string[] {
  return Object.entries(headers).flatMap(([name, values]) => [values].flat().map((value) => `${name}: ${value}\r\n`));
}
