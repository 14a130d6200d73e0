import { stepInTerminal, type UpstreamProblemKind, upstreamProblems } from '../src/model/upstream-problems.ts';

const sections: readonly { readonly title: string; readonly kinds: readonly UpstreamProblemKind[] }[] = [
  { title: 'Finding the host', kinds: ['name_not_found', 'dns_timeout', 'dns_failure', 'address_forbidden', 'leads_to_gateway'] },
  { title: 'Connecting', kinds: ['connection_refused', 'connect_timeout', 'host_unreachable', 'connection_reset', 'no_descriptors'] },
  {
    title: 'TLS and certificates',
    kinds: [
      'tls_untrusted',
      'tls_name_mismatch',
      'tls_expired',
      'tls_not_yet_valid',
      'tls_not_spoken',
      'tls_expected',
      'tls_too_old',
      'tls_failed',
    ],
  },
  {
    title: 'Credential',
    kinds: ['credential_unavailable', 'credential_rejected', 'credential_wanted', 'sign_in_redirect'],
  },
  { title: 'The answer', kinds: ['answer_timeout', 'empty_reply', 'not_http', 'error_answer', 'unexpected_status'] },
];

/** docs/troubleshooting.md: every kind of problem that a test of an upstream finds. */
export function describeUpstreamProblems(): string {
  const told = sections.flatMap(({ kinds }) => kinds);
  const untold = Object.keys(upstreamProblems).filter((kind) => !(told as readonly string[]).includes(kind));
  if (untold.length > 0) throw new Error(`no section of docs/troubleshooting.md has ${untold.join(', ')}`);
  return `${head}${sections.map(({ title, kinds }) => `## ${title}\n\n${kinds.map(problemText).join('\n')}`).join('\n')}`;
}

function problemText(kind: UpstreamProblemKind): string {
  const { title, example, code, next } = upstreamProblems[kind];
  const clients = code === null ? "Clients get the upstream's own answer." : `Clients get \`${code}\`.`;
  return `### ${title}\n\n\`${kind}\`. ${clients}\n\n> ${example}\n\n${next.map((step) => `- ${stepInTerminal(step)}\n`).join('')}`;
}

const head = `<!-- Made from src/model/upstream-problems.ts by "npm run docs". -->

# Troubleshooting

When requests on a route fail, ask the gateway itself why:

\`\`\`bash
apigate upstreams test my-api                  # as it is saved
apigate upstreams test my-api --path /health   # another path than base_url's own
apigate upstreams test --url https://api.internal --auth-type bearer --auth-value -   # before it is saved
apigate upstreams test --all                   # every enabled one
apigate explain GET http://api.example.com/v1/users   # which route takes a request and why, and what the upstream would get
apigate doctor                                 # everything around it: settings, files, database, ports, all upstreams
\`\`\`

A test goes the way of a request: the same name servers (\`APIGATE_DNS_SERVERS\`) and hosts file, the same address policy, trust store
and TLS options, the same strict reading of the answer. It sends one request without a body (\`GET\`, or \`HEAD\` or \`OPTIONS\` with
\`--method\`), waits for at most 30 s (\`--wait\`) and never longer than the upstream's \`timeout_ms\`, follows no redirect, and changes
nothing in the gateway. The credential is sent and never shown; where the upstream sends it back, it is masked.

With \`--server\` the gateway runs the test. On the local database the command runs it itself: then it is the command's own environment
that \`\${env.NAME}\`, \`SSL_CERT_FILE\` and \`APIGATE_DNS_SERVERS\` come from (\`tested_by\` in the JSON says which).

The exit code is 0 when it answers, with whatever status; 1 when it does not; 3 when there is no such upstream. With \`--fail\` it is 1
also for answers of 400 and more and for sign-in pages. In REST it is \`POST /admin/upstreams/{id}/test\`, and \`POST /admin/upstreams/test\`
for one that is not saved: both need the authority to write, as they make the gateway connect.

\`apigate doctor\` looks at everything at once: settings, Node.js, trust store, open files, disk, database, secret key, certificates, ports, clock,
the running gateway, and a test of each enabled upstream (5 s each, half a minute in all). Give it the flags and the environment that the
gateway is started with. It changes nothing, works with and without a running gateway, and before there is a database; it exits with 1
when something is broken, with 0 when there are only warnings. With \`--server\` it tells what can be told from elsewhere.

What a test can say, and what to do, follows. The error codes that clients see are in [failure-modes.md](failure-modes.md).

`;
