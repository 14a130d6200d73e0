import { Autocomplete, Button, Group, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState, type SyntheticEvent } from 'react';
import type { Explanation } from '../../api/admin-schema.ts';
import type { ApiProblem } from '../../api/api-problem.ts';
import { callApi } from '../../api/call-api.ts';
import { useClientOrigin } from '../../components/client-origin.ts';
import { CommandLine } from '../../components/command-line.tsx';
import { FormProblem } from '../../components/form-problem.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { shellQuote } from '../../components/shell-quote.ts';
import { ExplanationView } from './explanation-view.tsx';
import { readHeaderLines, type HeaderLine } from './header-lines.ts';

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly HeaderLine[];
  readonly body: string;
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

/** What would become of a request, and why. Nothing is sent. Method and URL are in the address; headers, which may hold keys, are not. */
export function TryRequestPage() {
  const search = useSearch({ from: '/shell/routes/try' });
  const navigate = useNavigate();
  const origin = useClientOrigin();
  const [method, setMethod] = useState(search.method ?? 'GET');
  const [url, setUrl] = useState(search.url ?? '');
  const [headers, setHeaders] = useState('');
  const [body, setBody] = useState('');
  const [headerProblem, setHeaderProblem] = useState<string>();
  const [asked, setAsked] = useState<Asked | undefined>(
    search.url === undefined ? undefined : { method: search.method ?? 'GET', url: search.url, headers: [], body: '' },
  );
  const explaining = useQuery<Explanation, ApiProblem>({
    queryKey: ['explain', asked],
    queryFn: async ({ signal }) =>
      (
        await callApi(
          'post',
          '/admin/explain',
          {
            json: {
              method: asked!.method,
              url: asked!.url,
              headers: [...asked!.headers],
              ...(asked!.body === '' ? {} : { body: asked!.body }),
            },
          },
          { signal },
        )
      ).value,
    enabled: asked !== undefined,
    placeholderData: (before) => before,
    staleTime: 0,
    // With its keys it is nobody's business any longer.
    gcTime: 0,
    retry: false,
  });
  const ask = (event: SyntheticEvent): void => {
    event.preventDefault();
    const read = readHeaderLines(headers);
    setHeaderProblem(typeof read === 'string' ? read : undefined);
    if (typeof read === 'string') return;
    const next = { method: method.trim() === '' ? 'GET' : method.trim(), url: url.trim(), headers: read, body };
    void navigate({ to: '/routes/try', search: { method: next.method, url: next.url }, replace: true });
    if (JSON.stringify(next) === JSON.stringify(asked)) void explaining.refetch();
    else setAsked(next);
  };
  const fieldError = (field: string): string | undefined =>
    explaining.error?.errors.find((error) => error.field === field || error.field.startsWith(`${field}.`))?.message;
  return (
    <>
      <PageHeader
        title="Try a request"
        description="Which route takes it, why the others do not, and what the upstream would get. Told by the gateway's own code; nothing is sent."
      />
      <Stack gap="lg">
        <form onSubmit={ask} noValidate className="surface">
          <Stack p={{ base: 'md', sm: 'lg' }}>
            <Group align="flex-end" gap="xs">
              <Autocomplete w={120} label="Method" data={methods} value={method} onChange={setMethod} error={fieldError('method')} />
              <TextInput
                flex="1 1 18rem"
                label="URL"
                placeholder={`${origin}/orders/42?full=1`}
                spellCheck={false}
                autoComplete="off"
                value={url}
                onChange={(event) => setUrl(event.currentTarget.value)}
                error={fieldError('url')}
              />
              <Button type="submit" loading={explaining.isFetching} disabled={url.trim() === ''}>
                Explain
              </Button>
            </Group>
            <Group align="flex-start" gap="md" grow preventGrowOverflow={false}>
              <Textarea
                miw={240}
                label="Headers"
                description="One a line. A whole API key is looked up and never shown."
                placeholder={'X-API-Key: ak_…\nX-API-Version: 2'}
                autosize
                minRows={2}
                maxRows={10}
                spellCheck={false}
                value={headers}
                onChange={(event) => setHeaders(event.currentTarget.value)}
                error={headerProblem ?? fieldError('headers')}
              />
              <Textarea
                miw={240}
                label="Body"
                description="As text."
                placeholder={'{ "name": "Ann" }'}
                autosize
                minRows={2}
                maxRows={10}
                spellCheck={false}
                value={body}
                onChange={(event) => setBody(event.currentTarget.value)}
                error={fieldError('body')}
              />
            </Group>
          </Stack>
        </form>
        <div aria-live="polite" aria-busy={explaining.isFetching}>
          {explaining.error !== null && <FormProblem problem={explaining.error} shown={['method', 'url', 'body']} />}
          {explaining.error === null && explaining.data !== undefined && <ExplanationView explanation={explaining.data} />}
        </div>
        {asked !== undefined && (
          <div>
            <Text size="sm" fw={600} mb={4}>
              The same on the command line
            </Text>
            <CommandLine text={commandOf(asked)} what="the command" />
          </div>
        )}
      </Stack>
    </>
  );
}

/** A key that was typed is left out: commands end up in histories. */
function commandOf({ method, url, headers, body }: Asked): string {
  const words = ['apigate explain', shellQuote(method), shellQuote(url)];
  for (const { name, value } of headers) {
    words.push('-H', shellQuote(`${name}: ${value.replaceAll(/ak_[0-9a-f]{8,}/g, 'ak_…')}`));
  }
  if (body !== '') words.push('-d', shellQuote(body));
  return words.join(' ');
}
