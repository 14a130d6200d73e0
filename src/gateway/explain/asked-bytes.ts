import type { AskedRequest } from '../../model/explanation.ts';
import type { DryRequest } from './dry-exchange.ts';

/**
 * The request as a client such as curl would put it on the wire: a URL becomes its path and, unless a Host is given, the Host.
 * What the gateway has to refuse stays in: that is what its own parser is asked about.
 */
export function askedBytes({ method, url, headers, body }: AskedRequest): Pick<DryRequest, 'head' | 'body' | 'scheme'> {
  const [, scheme = 'http', authority, rest = ''] = /^(https?):\/\/([^/?#]*)([^#]*)/is.exec(url) ?? [undefined, undefined, undefined, url];
  const target = authority !== undefined && !rest.startsWith('/') ? `/${rest}` : rest;
  const content = Buffer.from(body ?? '', 'utf8');
  const gives = (name: string): boolean => headers.some((given) => given.name.trim().toLowerCase() === name);
  const lines = headers.map(({ name, value }) => `${name}: ${value}\r\n`);
  if (!gives('host')) lines.unshift(`Host: ${authority ?? 'localhost'}\r\n`);
  if (content.length > 0 && !gives('content-length') && !gives('transfer-encoding')) lines.push(`Content-Length: ${content.length}\r\n`);
  return {
    head: Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'utf8'),
    body: content,
    scheme: scheme.toLowerCase() === 'https' ? 'https' : 'http',
  };
}
