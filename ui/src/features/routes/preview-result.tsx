import { Badge, Group, List, Stack, Text, Title, VisuallyHidden } from '@mantine/core';
import type { RoutePreview } from '../../api/admin-schema.ts';
import { Notice } from '../../components/notice.tsx';
import classes from './preview-result.module.css';

type Step = RoutePreview['steps'][number];

/** Every step, before and after. */
export function TransformSteps({ steps }: { readonly steps: readonly Step[] }) {
  if (steps.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        Nothing is changed: the message goes on as it came.
      </Text>
    );
  }
  return (
    <ol className={classes['steps']} aria-label="Steps">
      {steps.map((step, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- steps have nothing else that tells them apart
        <li key={index} className={classes['step']}>
          <Group gap="xs" wrap="nowrap" align="flex-start">
            <Badge size="sm" variant="default" tt="none" fw={500} className={classes['badge'] ?? ''}>
              {step.message === 'request' ? '→' : '←'} {step.part}
            </Badge>
            <Text size="sm" className={classes['detail'] ?? ''}>
              {step.detail}
            </Text>
          </Group>
          {step.before !== step.after && (
            <div className={classes['change']}>
              {step.before !== null && (
                <div className={classes['before']}>
                  <VisuallyHidden>before: </VisuallyHidden>
                  <span aria-hidden>− </span>
                  {step.before === '' ? '(nothing)' : step.before}
                </div>
              )}
              {step.after !== null && (
                <div className={classes['after']}>
                  <VisuallyHidden>after: </VisuallyHidden>
                  <span aria-hidden>+ </span>
                  {step.after === '' ? '(nothing)' : step.after}
                </div>
              )}
            </div>
          )}
        </li>
      ))}
    </ol>
  );
}

/** A message as it stands on the wire, more or less. */
export function MessageText({ title, first, headers, body }: MessageTextProps) {
  const text = [first, ...headers.map(({ name, value }) => `${name}: ${value}`), ...(body === null ? [] : ['', body])].join('\n');
  return (
    <div>
      <Title order={3} size="sm" mb={4}>
        {title}
      </Title>
      <pre className={classes['message']}>{text}</pre>
    </div>
  );
}

export interface MessageTextProps {
  readonly title: string;
  /** Request line, or status. */
  readonly first: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly body: string | null;
}

export interface TakesNoticeProps {
  readonly preview: RoutePreview;
  /** Whether the winner is the draft itself. */
  readonly isOwn: (winner: NonNullable<RoutePreview['winner']>) => boolean;
}

/** Whether the draft takes the sample, and which route would. */
export function TakesNotice({ preview: { matches, winner, error }, isOwn }: TakesNoticeProps) {
  if (!matches) {
    return (
      <Notice kind="warning" title="This route does not take the sample">
        {winner !== null
          ? `Route “${winner.name}” does.`
          : error !== null && error.code !== 'route_not_found'
            ? error.reason
            : 'Neither does another one.'}
      </Notice>
    );
  }
  if (winner !== null && !isOwn(winner)) {
    return (
      <Notice kind="warning" title="The sample fits, but another route takes it">
        Route “{winner.name}” is preferred to this one: the list of routes has their order.
      </Notice>
    );
  }
  if (error !== null) {
    return (
      <Notice kind="danger" title={`The gateway answers ${error.status} ${error.code}`}>
        {error.reason}
      </Notice>
    );
  }
  return <Notice kind="success" title="This route takes the sample" />;
}

/** What is wrong with the draft, where no field shows it. */
export function DraftErrors({ errors }: { readonly errors: readonly { readonly field: string; readonly message: string }[] }) {
  return (
    <Notice kind="warning" title="Not ready yet">
      <List size="sm">
        {errors.map(({ field, message }) => (
          <List.Item key={`${field} ${message}`}>
            {field.replace(/^route\./, '')}: {message}
          </List.Item>
        ))}
      </List>
    </Notice>
  );
}

/** What the upstream gets and what the client gets. */
export function PreviewMessages({ preview: { matches, request, response, steps } }: { readonly preview: RoutePreview }) {
  if (!matches) return null;
  return (
    <Stack gap="md">
      <div>
        <Title order={3} size="sm" mb={4}>
          What changes
        </Title>
        <TransformSteps steps={steps} />
      </div>
      {request !== null && (
        <MessageText
          title="What the upstream gets"
          first={`${request.method} ${request.target}`}
          headers={request.headers}
          body={request.body}
        />
      )}
      {response !== null && (
        <MessageText title="What the client gets" first={String(response.status)} headers={response.headers} body={response.body} />
      )}
    </Stack>
  );
}
