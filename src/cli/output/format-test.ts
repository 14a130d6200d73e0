import { stepInTerminal } from '../../model/upstream-problems.ts';
import type { TestStepName, UpstreamTest } from '../../model/upstream-test.ts';
import { visibleText } from '../../settings/visible-text.ts';
import { displayWidth } from './display-width.ts';
import type { Style } from './style.ts';

const titles: Readonly<Record<TestStepName, string>> = {
  dns: 'DNS',
  tcp: 'TCP',
  tls: 'TLS',
  credential: 'Credential',
  answer: 'Answer',
  first_byte: 'First byte',
};

const ownEnvironment =
  "- This command looked in its own environment, which may not be the gateway's: with --server the gateway itself tests.";

/** Columns of the bar that shows where the time went. */
const barWidth = 20;

/** A test of an upstream for people: its steps as a waterfall, then what is wrong and what to do. */
export function formatTest(test: UpstreamTest, style: Style): string {
  const { upstream, request, problem } = test;
  const name = upstream.name === null ? '' : `${visibleText(upstream.name)}: `;
  return [
    style('bold', `${name}${request.method} ${visibleText(request.url)}`),
    ...waterfall(test, style),
    ...(test.answer?.body_start ? ['', `  ${style('dim', 'Body begins:')} ${visibleText(test.answer.body_start)}`] : []),
    '',
    verdict(test, style),
    ...(problem === null
      ? []
      : [`  ${visibleText(problem.cause)}`, ...problem.next.map((step) => `  - ${visibleText(stepInTerminal(step))}`)]),
    ...(problem?.kind === 'credential_unavailable' && test.tested_by === 'command' ? [`  ${ownEnvironment}`] : []),
    ...test.notes.map((note) => `${style('yellow', 'Note:')} ${visibleText(stepInTerminal(note))}`),
    ...(test.curl === null ? [] : ['', style('dim', `Much the same with curl: ${visibleText(test.curl)}`)]),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function waterfall({ steps }: UpstreamTest, style: Style): string[] {
  const total = steps.reduce((sum, { ms }) => sum + (ms ?? 0), 0);
  const widest = Math.max(0, ...steps.map(({ step }) => displayWidth(titles[step])));
  let before = 0;
  return steps.map(({ step, result, ms, detail }) => {
    const time = (ms === null ? '' : `${ms.toFixed(1)} ms`).padStart(11);
    const bar = barOf(before, ms ?? 0, total);
    before += ms ?? 0;
    const word = result === 'ok' ? style('green', 'ok     ') : result === 'failed' ? style('red', 'failed ') : style('dim', 'skipped');
    return `  ${titles[step].padEnd(widest)}  ${word}${time}  ${style('cyan', bar)}  ${visibleText(detail)}`.trimEnd();
  });
}

function barOf(before: number, ms: number, total: number): string {
  if (total === 0 || ms === 0) return ' '.repeat(barWidth);
  const start = Math.min(barWidth - 1, Math.round((before / total) * barWidth));
  const length = Math.max(1, Math.min(barWidth - start, Math.round((ms / total) * barWidth)));
  return `${' '.repeat(start)}${'='.repeat(length)}`.padEnd(barWidth);
}

function verdict({ answers, answer, problem, total_ms: total }: UpstreamTest, style: Style): string {
  const time = total === null ? '' : ` (${Math.round(total)} ms)`;
  if (problem === null) return style('green', `It answers: ${answer?.status ?? ''}${time}`);
  const title = visibleText(problem.title);
  return answers
    ? style('yellow', `It answers ${answer?.status ?? ''}, but: ${title}${time}`)
    : style('red', `It does not answer: ${title}${time}`);
}
