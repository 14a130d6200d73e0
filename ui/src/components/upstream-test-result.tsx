import { Code, Collapse, List, Stack, Text, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconChevronRight, IconCircleCheckFilled, IconCircleMinus, IconCircleXFilled, IconPlugConnectedX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { UpstreamTest } from '../api/admin-schema.ts';
import { CommandLine } from './command-line.tsx';
import { tookText } from './figures.ts';
import { Notice } from './notice.tsx';
import { ProblemNotice } from './problem-notice.tsx';
import { sentenceOf } from './sentence-of.ts';
import classes from './upstream-test-result.module.css';

type Step = UpstreamTest['steps'][number];

const stepWords: Readonly<Record<Step['step'], string>> = {
  dns: 'DNS',
  tcp: 'TCP',
  tls: 'TLS',
  credential: 'Credential',
  answer: 'HTTP status',
  first_byte: 'First byte',
};

const marks = {
  ok: { Icon: IconCircleCheckFilled, word: 'done' },
  failed: { Icon: IconCircleXFilled, word: 'failed' },
  skipped: { Icon: IconCircleMinus, word: 'not done' },
} as const;

export interface UpstreamTestResultProps {
  readonly test: UpstreamTest;
  /** The command that tests the same. */
  readonly command?: string;
}

/** What a test of an upstream found: whether it answers, else why not and what to do; and how each step went. */
export function UpstreamTestResult({ test, command }: UpstreamTestResultProps) {
  const bodyStart = test.answer?.body_start ?? '';
  return (
    <Stack gap="md">
      <Verdict test={test} />
      {test.steps.length > 0 && <Waterfall steps={test.steps} />}
      {test.certificate !== null && <Certificate certificate={test.certificate} />}
      {test.notes.length > 0 && (
        <List size="sm">
          {test.notes.map((note) => (
            <List.Item key={note}>{sentenceOf(note)}</List.Item>
          ))}
        </List>
      )}
      {(command !== undefined || test.curl !== null || bodyStart !== '') && (
        <More label="The same in a terminal, and the answer">
          <Stack gap="xs">
            {command !== undefined && <CommandLine text={command} what="the command" />}
            {test.curl !== null && <CommandLine text={test.curl} what="the curl command" />}
            {bodyStart !== '' && (
              <>
                <Text size="sm" c="dimmed">
                  The answer begins with
                </Text>
                <Code block className={classes['answer']}>
                  {bodyStart}
                </Code>
              </>
            )}
          </Stack>
        </More>
      )}
    </Stack>
  );
}

function Verdict({ test: { answers, answer, problem, total_ms: total } }: { readonly test: UpstreamTest }) {
  if (answers && answer !== null && problem === null) {
    return (
      <Notice kind="success" title="It answers">
        {answer.status} {answer.reason} {total !== null && `in ${tookText(total)}`}
        {answer.status >= 400 && '. That is fine: this path may need a credential, or there may be nothing at it.'}
      </Notice>
    );
  }
  const kind = answers ? 'warning' : 'danger';
  if (problem === null) return <Notice kind={kind} icon={IconPlugConnectedX} title="It does not answer" />;
  return <ProblemNotice kind={kind} problem={problem} />;
}

/** One step after the other, each bar where the one before it ended. */
function Waterfall({ steps }: { readonly steps: readonly Step[] }) {
  const total = steps.reduce((sum, { ms }) => sum + (ms ?? 0), 0);
  const share = (ms: number): number => (total === 0 ? 0 : (ms / total) * 100);
  const bars = steps.map((step, index) => ({ ...step, from: share(steps.slice(0, index).reduce((sum, { ms }) => sum + (ms ?? 0), 0)) }));
  return (
    <ol className={classes['steps']} aria-label="Steps of the test">
      {bars.map(({ step, result, ms, detail, from }) => {
        const { Icon, word } = marks[result];
        return (
          <li key={step} className={`${classes['step']} ${classes[result]}`}>
            <Icon size={16} className={classes['icon'] ?? ''} role="img" aria-label={word} />
            <span className={classes['name']}>{stepWords[step]}</span>
            <span className={classes['track']} aria-hidden>
              {ms !== null && <span className={classes['bar']} style={{ left: `${from}%`, width: `${Math.max(share(ms), 0.75)}%` }} />}
            </span>
            <span className={classes['ms']}>{ms === null ? '' : tookText(ms)}</span>
            <span className={classes['detail']}>{sentenceOf(detail)}</span>
          </li>
        );
      })}
    </ol>
  );
}

function Certificate({ certificate }: { readonly certificate: NonNullable<UpstreamTest['certificate']> }) {
  const { issuer, valid_to, days_left: days, names, protocol, cipher } = certificate;
  const rows = [
    ['Issued by', issuer],
    ['Expires', `${valid_to.slice(0, 10)}, ${days < 0 ? `${-days} days ago` : `in ${days} ${days === 1 ? 'day' : 'days'}`}`],
    ['For', names.length === 0 ? certificate.subject : names.join(', ')],
    ['Spoken', [protocol, cipher].filter((part) => part !== null).join(', ')],
  ] as const;
  return (
    <dl className={classes['facts']} aria-label="Certificate">
      {rows
        .filter(([, value]) => value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

function More({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  const [opened, { toggle }] = useDisclosure(false);
  return (
    <div>
      <UnstyledButton className={classes['more']} aria-expanded={opened} onClick={toggle}>
        <IconChevronRight size={16} aria-hidden className={opened ? (classes['opened'] ?? '') : ''} />
        {label}
      </UnstyledButton>
      <Collapse expanded={opened}>
        <div className={classes['inside']}>{children}</div>
      </Collapse>
    </div>
  );
}
