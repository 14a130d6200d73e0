import { Anchor, Badge, Group, List, Stack, Text, Title } from '@mantine/core';
import {
  IconArrowRight,
  IconBan,
  IconCircleCheck,
  IconCircleMinus,
  IconKey,
  IconLockOpen,
  IconPlayerPause,
  type Icon,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Explanation } from '../../api/admin-schema.ts';
import { CommandLine } from '../../components/command-line.tsx';
import { Notice } from '../../components/notice.tsx';
import { sentenceOf } from '../../components/sentence-of.ts';
import classes from './explanation-view.module.css';
import { MessageText, TransformSteps } from './preview-result.tsx';

type Outcome = Explanation['candidates'][number]['outcome'];

/** In the order of a request's way: verdict, match, admission, changes, what goes out. */
export function ExplanationView({ explanation }: { readonly explanation: Explanation }) {
  const { verdict, status, code, hint, notes, request, curl, steps, route, response_headers: own } = explanation;
  return (
    <Stack gap="lg">
      <Notice kind={status === null ? 'success' : status < 400 ? 'success' : 'danger'} title={verdict}>
        {hint !== null && <Text size="sm">{hint}</Text>}
        {code !== null && (
          <Text size="sm">
            The answer is {status} with the code {code}.
          </Text>
        )}
      </Notice>
      <Part title="Match">
        <Text size="sm" c="dimmed">
          Matched as {explanation.method} {explanation.path} on host {explanation.host === '' ? '(none)' : explanation.host}, at revision{' '}
          {explanation.revision}.
        </Text>
        <Candidates explanation={explanation} />
      </Part>
      {route !== null && (
        <Part title="Admission">
          <Admission explanation={explanation} />
        </Part>
      )}
      {request !== null && (
        <Part title="What is changed">
          <TransformSteps steps={steps} />
        </Part>
      )}
      {request !== null && (
        <Part title="What the upstream gets">
          {explanation.upstream !== null && (
            <Text size="sm">
              Sent to{' '}
              <Anchor component={Link} to={`/upstreams/${explanation.upstream_id ?? ''}`} size="sm" underline="always">
                {explanation.upstream}
              </Anchor>
              ; credentials are shown as ***.
            </Text>
          )}
          <MessageText title="Request" first={`${request.method} ${request.url}`} headers={request.headers} body={request.body} />
          {curl !== null && <CommandLine text={curl} what="the curl command" />}
        </Part>
      )}
      {own.length > 0 && (
        <Part title="What the client gets">
          <MessageText title="Headers" first={String(status)} headers={own} body={null} />
        </Part>
      )}
      {notes.length > 0 && (
        <Part title="Notes">
          <List size="sm">
            {notes.map((note) => (
              <List.Item key={note}>{note}</List.Item>
            ))}
          </List>
        </Part>
      )}
    </Stack>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="surface" aria-label={title}>
      <Stack p={{ base: 'md', sm: 'lg' }} gap="sm">
        <Title order={2}>{title}</Title>
        {children}
      </Stack>
    </section>
  );
}

const outcomes: Readonly<Record<Outcome, { readonly word: string; readonly icon: Icon }>> = {
  wins: { word: 'Wins', icon: IconCircleCheck },
  beaten: { word: 'Beaten', icon: IconCircleMinus },
  disabled: { word: 'Disabled', icon: IconPlayerPause },
  method: { word: 'Other method', icon: IconBan },
  header: { word: 'Other headers', icon: IconBan },
  host: { word: 'Other host', icon: IconBan },
  path: { word: 'Other path', icon: IconBan },
  host_and_path: { word: 'Other host and path', icon: IconBan },
};

function Candidates({ explanation: { candidates, others } }: { readonly explanation: Explanation }) {
  return (
    <>
      {candidates.length === 0 && <Text size="sm">No route comes near.</Text>}
      <ol className={classes['candidates']} aria-label="Routes, in the order in which they are preferred">
        {candidates.map(({ id, name, outcome, detail }) => {
          const { word, icon: Icon } = outcomes[outcome];
          return (
            <li key={id} className={classes['candidate']} data-outcome={outcome}>
              <Icon size={18} aria-hidden className={classes['icon']} />
              <div className={classes['about']}>
                <Group gap="xs">
                  <Anchor component={Link} to={`/routes/${id}`} size="sm" fw={600}>
                    {name}
                  </Anchor>
                  <Badge size="sm" variant="default" tt="none" fw={500}>
                    {word}
                  </Badge>
                </Group>
                <Text size="sm" c="dimmed">
                  {sentenceOf(detail)}
                </Text>
              </div>
            </li>
          );
        })}
      </ol>
      {others.length > 0 && (
        <Text size="sm" c="dimmed">
          And {others.map(({ outcome, count }) => `${count} more: ${outcomes[outcome].word.toLowerCase()}`).join('; ')}.
        </Text>
      )}
    </>
  );
}

function Admission({
  explanation: { key_required, key_sent, key, key_id, rate_limit_per_minute: limit, stage, reason },
}: {
  readonly explanation: Explanation;
}) {
  const isRefused = stage === 'admit';
  const Icon = isRefused ? IconBan : key_required === true ? IconKey : IconLockOpen;
  const said =
    key_required !== true
      ? 'The route is open: no API key is asked for, and no rate limit counts.'
      : key_sent === false
        ? 'The route needs an API key, and none was sent.'
        : key === null
          ? 'The route needs an API key; the one that was sent is not known here.'
          : `The route needs an API key, and “${key}” was sent.`;
  return (
    <Group gap="sm" align="flex-start" wrap="nowrap">
      <Icon size={18} aria-hidden className={classes['icon']} />
      <div>
        <Text size="sm">{said}</Text>
        {isRefused && reason !== null && <Text size="sm">{reason}</Text>}
        {key_id !== null && (
          <Text size="sm" c="dimmed">
            {limit === null
              ? 'It has no rate limit.'
              : `Its limit is ${limit.toLocaleString('en')} requests a minute; how much of it is left is not looked at.`}{' '}
            <Anchor component={Link} to={`/keys/${key_id}`} size="sm" underline="always">
              The key <IconArrowRight size={12} aria-hidden />
            </Anchor>
          </Text>
        )}
      </div>
    </Group>
  );
}
