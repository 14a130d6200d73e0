import { Button, Group, List, Stack, Text, Title } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { PageSkeleton } from '../../app/page-skeleton.tsx';
import { problemOf } from '../../api/api-problem.ts';
import { revisionKey } from '../../api/query-client.ts';
import { CommandLine } from '../../components/command-line.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { Notice } from '../../components/notice.tsx';
import { sentenceOf } from '../../components/sentence-of.ts';
import classes from './export-tab.module.css';
import { readExport } from './read-export.ts';

/** The gateway config as a declarative file: the way from the UI back to files. */
export function ExportTab() {
  const { data, error, refetch } = useQuery({
    // Begins with the revision's key, so that it follows every change.
    queryKey: [...revisionKey, 'export'],
    queryFn: ({ signal }) => readExport(signal),
  });
  if (data === undefined)
    return error === null ? <PageSkeleton /> : <ErrorState problem={problemOf(error)} onRetry={() => void refetch()} />;
  return (
    <Stack>
      <Text maw="70ch">
        Upstreams, routes and API keys as a file that can be kept under version control and applied again, here or on another gateway.
      </Text>
      {data.warnings.length > 0 && (
        <Notice kind="warning" title="Secrets are left out">
          <List size="sm">
            {data.warnings.map((warning) => (
              <List.Item key={warning}>{sentenceOf(warning)}</List.Item>
            ))}
          </List>
        </Notice>
      )}
      <Group gap="xs">
        <Button leftSection={<IconDownload size={16} aria-hidden />} onClick={() => download(data.text)}>
          Download gateway.yaml
        </Button>
        <CopyButton text={data.text} what="the gateway config" size="sm" />
      </Group>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
      <pre className={classes['file']} tabIndex={0} role="region" aria-label="gateway.yaml">
        {data.text}
      </pre>
      <Title order={2}>Back again</Title>
      <CommandLine
        text={'apigate export > gateway.yaml\napigate apply -f gateway.yaml --dry-run\napigate apply -f gateway.yaml'}
        what="the commands"
      />
    </Stack>
  );
}

function download(text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/yaml' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'gateway.yaml';
  link.click();
  // Once the browser has taken it.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
