import dgram from 'node:dgram';

export interface DnsAnswer {
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  readonly ttl?: number;
  /** `silent` answers nothing at all. */
  readonly failure?: 'nxdomain' | 'servfail' | 'silent';
  /** Fails AAAA questions only. */
  readonly aaaaFailure?: 'servfail' | 'silent';
}

export interface DnsServer {
  /** For APIGATE_DNS_SERVERS. */
  readonly address: string;
  /** Answers by name, in lower case; others are NXDOMAIN. May be changed at any time. */
  readonly names: Map<string, DnsAnswer>;
  /** Every question, as `name type`. */
  readonly questions: string[];
  close(): Promise<void>;
}

const typeA = 1;
const typeAaaa = 28;

/** A name server on UDP that answers what it is told; only as much of RFC 1035 as that takes. */
export async function startDnsServer(): Promise<DnsServer> {
  const socket = dgram.createSocket('udp4');
  const names = new Map<string, DnsAnswer>();
  const questions: string[] = [];
  socket.on('message', (query, from) => {
    const reply = answer(query, names, questions);
    if (reply !== undefined) socket.send(reply, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    names,
    questions,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function answer(query: Buffer, names: ReadonlyMap<string, DnsAnswer>, questions: string[]): Buffer | undefined {
  const labels: string[] = [];
  let at = 12;
  while (query[at] !== 0 && query[at] !== undefined) {
    const length = query[at]!;
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  const type = query.readUInt16BE(at + 1);
  const question = query.subarray(12, at + 5);
  const name = labels.join('.').toLowerCase();
  questions.push(`${name} ${type === typeA ? 'A' : type === typeAaaa ? 'AAAA' : type}`);
  const entry: DnsAnswer = names.get(name) ?? { failure: 'nxdomain' };
  const failure = entry.failure ?? (type === typeAaaa ? entry.aaaaFailure : undefined);
  if (failure === 'silent') return undefined;
  const addresses = failure !== undefined ? [] : type === typeA ? (entry.a ?? []) : type === typeAaaa ? (entry.aaaa ?? []) : [];
  const records = addresses.map((address) => {
    const data = type === typeA ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address);
    const head = Buffer.alloc(12);
    head.writeUInt16BE(0xc00c, 0);
    head.writeUInt16BE(type, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt32BE(entry.ttl ?? 1, 6);
    head.writeUInt16BE(data.length, 10);
    return Buffer.concat([head, data]);
  });
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | (failure === 'nxdomain' ? 3 : failure === 'servfail' ? 2 : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, question, ...records]);
}

function ipv6Bytes(address: string): Buffer {
  const [head, tail] = address.split('::');
  const groups = (part: string | undefined): number[] =>
    part === undefined || part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const front = groups(head);
  const back = groups(tail);
  const all = tail === undefined ? front : [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
