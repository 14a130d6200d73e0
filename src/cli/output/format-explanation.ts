import type { CandidateOutcome, Explanation } from '../../model/explanation.ts';
import { visibleText } from '../../settings/visible-text.ts';
import { displayWidth } from './display-width.ts';
import type { Style } from './style.ts';

/** New for each request; said once rather than shown. */
const changing = new Set(['x-request-id', 'traceparent', 'via']);

/** An explanation for people: what happens and why first, then how it comes to that. */
export function formatExplanation(explanation: Explanation, style: Style): string {
  return [
    verdict(explanation, style),
    ...routes(explanation, style),
    ...admission(explanation, style),
    ...changes(explanation, style),
    ...answer(explanation, style),
    ...outgoing(explanation, style),
    ...explanation.notes.map((note) => `${style('yellow', 'Note:')} ${visibleText(note)}`),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function verdict({ verdict: text, code, stage, hint }: Explanation, style: Style): string {
  const colour = code !== null ? 'red' : stage === 'sent' ? 'green' : 'yellow';
  const said = style(colour, visibleText(text));
  return hint === null ? said : `${said}\n  ${visibleText(hint)}`;
}

const outcomeWords: Readonly<Record<CandidateOutcome, string>> = {
  wins: 'wins',
  beaten: 'beaten',
  disabled: 'disabled',
  method: 'method',
  header: 'header',
  host: 'host',
  path: 'path',
  host_and_path: 'elsewhere',
};

const countWords: Readonly<Record<CandidateOutcome, string>> = {
  wins: '',
  beaten: 'beaten',
  disabled: 'disabled',
  method: 'for other methods',
  header: 'for other headers',
  host: 'for other hosts',
  path: 'for other paths',
  host_and_path: 'for other hosts and paths',
};

function routes({ candidates, others, stage }: Explanation, style: Style): string[] {
  if (stage === 'head' || stage === 'own') return [];
  if (candidates.length === 0 && others.length === 0) return ['', style('bold', 'Routes'), '  There are none.'];
  const names = candidates.map(({ name }) => visibleText(name));
  const widest = Math.max(0, ...names.map(displayWidth));
  const lines = candidates.map(({ outcome, detail }, at) => {
    const padded = names[at]! + ' '.repeat(widest - displayWidth(names[at]!));
    const word = outcomeWords[outcome].padEnd(9);
    return `  ${outcome === 'wins' ? style('green', `> ${padded}  ${word}`) : `- ${padded}  ${word}`}  ${visibleText(detail)}`;
  });
  const more = others.reduce((sum, { count }) => sum + count, 0);
  if (more > 0) {
    const counts = others.map(({ outcome, count }) => `${count.toLocaleString('en-US')} ${countWords[outcome]}`);
    lines.push(`  and ${more.toLocaleString('en-US')} more: ${counts.join(', ')}`);
  }
  return ['', style('bold', 'Routes'), ...lines];
}

function admission(
  { key_required: required, key_sent: sent, key, key_id: id, rate_limit_per_minute: limit, code }: Explanation,
  style: Style,
): string[] {
  if (required === null) return [];
  const bad = code === 'invalid_api_key' || code === 'key_expired' || code === 'key_revoked';
  const which = id === null ? (bad ? 'the one that was sent is not known' : 'one was sent') : `"${visibleText(key ?? '')}" was sent`;
  const problem = {
    key_expired: ', which has expired',
    key_revoked: ', which is revoked',
    invalid_api_key: id === null ? '' : ', which does not open this route',
  };
  const rate = limit === null ? '' : `; its rate limit is ${limit} per minute`;
  const text = !required
    ? 'not needed on this route'
    : sent !== true
      ? 'needed, and none was sent'
      : `needed; ${which}${bad ? problem[code] : ''}${rate}`;
  return ['', `${style('bold', 'API key')}  ${text}`];
}

function changes({ steps }: Explanation, style: Style): string[] {
  if (steps.length === 0) return [];
  const lines = steps.flatMap(({ source, part, detail, before, after }) => [
    `  ${source} (${part}): ${visibleText(detail)}`,
    ...(before === null || after === null || part === 'body'
      ? []
      : [
          `    ${style('dim', 'before:')} ${visibleText(before) || '(none)'}`,
          `    ${style('dim', 'after: ')} ${visibleText(after) || '(none)'}`,
        ]),
  ]);
  return ['', style('bold', 'Changes on the way'), ...lines];
}

function answer({ status, response_headers: headers }: Explanation, style: Style): string[] {
  const shown = headers.filter(({ name }) => /^(?:allow|access-control-.*|vary|www-authenticate|retry-after)$/i.test(name));
  if (status === null || shown.length === 0) return [];
  return ['', style('bold', 'The client gets'), `  ${status}`, ...shown.map(({ name, value }) => `  ${visibleText(`${name}: ${value}`)}`)];
}

function outgoing({ request, curl }: Explanation, style: Style): string[] {
  if (request === null) return [];
  const fields = request.headers.filter(({ name }) => !changing.has(name.toLowerCase()));
  const body =
    request.body === null
      ? []
      : [
          '',
          ...shownBody(request.body)
            .split('\n')
            .map((line) => `  ${visibleText(line)}`),
        ];
  return [
    '',
    style('bold', 'The upstream gets'),
    `  ${visibleText(`${request.method} ${request.url}`)}`,
    ...fields.map(({ name, value }) => `  ${visibleText(`${name}: ${value}`)}`),
    `  ${style('dim', 'and X-Request-Id, traceparent and Via, which differ from request to request')}`,
    ...body,
    ...(curl === null ? [] : ['', style('bold', 'The same with curl'), `  ${shellText(curl)}`, '']),
  ];
}

const longestBody = 4_000;

function shownBody(body: string): string {
  return body.length > longestBody ? `${body.slice(0, longestBody)}… (${body.length} characters)` : body;
}

/** As visibleText, but for what stands between quotes as itself in a shell and does no harm to a terminal. */
function shellText(command: string): string {
  return command.replaceAll(/[^\n\t]+/g, visibleText);
}
