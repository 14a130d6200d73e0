import { Code, List, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import { pathExamplesOf } from './path-examples.ts';
import { DraftErrors, TakesNotice } from './preview-result.tsx';
import type { RouteValues } from './route-values.ts';
import classes from './routes.module.css';
import type { PreviewState } from './use-route-preview.ts';

export interface PathCheckProps {
  readonly values: RouteValues;
  readonly preview: PreviewState;
  readonly sampleUrl: string;
  readonly onSampleUrl: (url: string) => void;
  readonly isOwn: (winner: { readonly id: string; readonly name: string }) => boolean;
}

/** What the patterns take, by examples and by a URL to try. */
export function PathCheck({ values, preview, sampleUrl, onSampleUrl, isOwn }: PathCheckProps) {
  const { takes, leaves } = pathExamplesOf(values.path_pattern.trim(), values.match_type);
  return (
    <section className={`surface ${classes['half']} ${classes['beside']}`} aria-labelledby="check" aria-busy={preview.isStale}>
      <Stack p="md">
        <Title order={2} id="check">
          What it takes
        </Title>
        {takes.length > 0 && (
          <List size="sm" spacing={4} listStyleType="none" aria-label="Examples">
            {takes.map((path) => (
              <List.Item key={path} icon={<IconCheck size={16} color="var(--tone-success)" aria-hidden />}>
                takes <Code className={classes['pattern'] ?? ''}>{path}</Code>
              </List.Item>
            ))}
            {leaves.map((path) => (
              <List.Item key={path} icon={<IconX size={16} color="var(--tone-danger)" aria-hidden />}>
                not <Code className={classes['pattern'] ?? ''}>{path}</Code>
              </List.Item>
            ))}
          </List>
        )}
        {values.match_type === 'regex' && (
          <Text size="sm" c="dimmed">
            An expression is found anywhere in the path unless ^ and $ anchor it. Try it with a URL:
          </Text>
        )}
        <TextInput
          label="Try a URL"
          description={`The gateway is asked as you type${values.headers.length > 0 ? ', with the headers above' : ''}; nothing is sent.`}
          spellCheck={false}
          autoComplete="off"
          value={sampleUrl}
          onChange={(event) => onSampleUrl(event.currentTarget.value)}
        />
        <div aria-live="polite">
          {preview.missing !== undefined ? (
            <Text size="sm" c="dimmed">
              {preview.missing}
            </Text>
          ) : preview.problem !== undefined ? (
            <DraftErrors
              errors={
                preview.problem.errors.length > 0
                  ? preview.problem.errors
                  : [{ field: preview.problem.title, message: preview.problem.message }]
              }
            />
          ) : (
            preview.preview !== undefined && <TakesNotice preview={preview.preview} isOwn={isOwn} />
          )}
        </div>
      </Stack>
    </section>
  );
}
