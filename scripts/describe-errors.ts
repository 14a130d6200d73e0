import { errorCatalogue, errorEntryOf, transformErrorVariants, type ErrorEntry, type Fault } from '../src/errors/catalogue.ts';

/** docs/failure-modes.md: every code with each of its statuses, the proxy's own and then the admin API's. */
export function describeErrors(): string {
  const all = Object.entries<ErrorEntry>(errorCatalogue).flatMap(([code, entry]): [string, ErrorEntry][] =>
    code === 'transform_error'
      ? [
          [code, entry],
          ...Object.keys(transformErrorVariants).map((status): [string, ErrorEntry] => [code, errorEntryOf(code, Number(status))]),
        ]
      : [[code, entry]],
  );
  return [
    '# Failure modes',
    '',
    '<!-- Made from src/errors/catalogue.ts: change that, then run "npm run docs". -->',
    '',
    'Every error that APIGate makes itself is `application/problem+json` (RFC 9457) with a stable `code`:',
    '',
    '```json',
    '{',
    '  "type": "urn:apigate:error:upstream_connection_refused",',
    '  "title": "Upstream refused the connection",',
    '  "status": 502,',
    '  "detail": "The upstream refused the connection.",',
    '  "code": "upstream_connection_refused",',
    '  "request_id": "9f2c61d07a4e4b58b1f3c2d4e5a69788"',
    '}',
    '```',
    '',
    'Answers of the proxy also carry `Proxy-Status` (RFC 9209); a 502 or 504 without it came from the upstream itself and was passed on.',
    "Look the `request_id` up in the gateway's log: the log line has the cause and the remedy, which the answer leaves out on purpose",
    '(no addresses, no secrets). *Try again* says whether the same request may succeed later without anybody changing it.',
    '',
    '## Of the proxy',
    '',
    ...table(all.filter(([, entry]) => entry.proxyStatus !== undefined)),
    '',
    '## Of the admin API and the CLI',
    '',
    ...table(all.filter(([, entry]) => entry.proxyStatus === undefined)),
    '',
  ].join('\n');
}

function table(entries: [string, ErrorEntry][]): string[] {
  return [
    '| status | code | what happened | what to do | who acts | try again |',
    '|---|---|---|---|---|---|',
    ...entries.map(
      ([code, { status, detail, hint, fault, retryable }]) =>
        `| ${status} | \`${code}\` | ${cell(detail)} | ${cell(hint)} | ${whoActs[fault]} | ${retryable ? 'yes' : 'no'} |`,
    ),
  ];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

const whoActs: Record<Fault, string> = {
  client: 'whoever sends the request',
  operator: 'the operator of this gateway',
  upstream: "the upstream's operator",
  gateway: "nobody, or APIGate's developers",
};
