import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { useGateway } from '../support/harness.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/transformations.md'), 'utf8');
const examples = [...page.matchAll(/```yaml\n(.*?)```\n\n```text\n(.*?)```/gs)].map(([, route, messages]) => ({
  route: route!,
  messages: messages!,
}));

interface Message {
  readonly start: string;
  readonly headers: Record<string, string>;
  readonly body: string | null;
}

/** What stands below `client sends:` and the like. */
function messagesOf(text: string): Partial<Record<string, Message>> {
  const parts = text.split(/^(client sends|upstream gets|upstream answers|client gets):\n/m).slice(1);
  const found: Record<string, Message> = {};
  for (let index = 0; index < parts.length; index += 2) {
    const [head = '', body] = parts[index + 1]!.trimEnd().split('\n\n');
    const [start = '', ...fields] = head.split('\n');
    found[parts[index]!] = {
      start,
      headers: Object.fromEntries(fields.map((field) => field.split(': ') as [string, string])),
      body: body ?? null,
    };
  }
  return found;
}

interface Shown {
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly body: string | null;
}

/** The fields that the page shows are there; those that went in and are not shown are gone. */
function assertMessage(shown: Shown, expected: Message, incoming: Message): void {
  const value = (name: string): string | undefined =>
    shown.headers.find((header) => header.name.toLowerCase() === name.toLowerCase())?.value;
  for (const [name, text] of Object.entries(expected.headers)) assert.equal(value(name), text, name);
  for (const name of Object.keys(incoming.headers)) {
    if (expected.headers[name] === undefined && name !== 'Host') assert.equal(value(name), undefined, name);
  }
  assert.equal(shown.body, expected.body);
}

const harness = useGateway({ admin: true });

describe('docs/transformations.md: its examples do what it says', () => {
  assert.ok(examples.length >= 4, 'the page has no examples');
  for (const [index, { route, messages }] of examples.entries()) {
    test(`example ${index + 1}`, async () => {
      const upstream = await harness.gateway.admin.must('POST', '/upstreams', { name: `page-${index}`, base_url: 'http://backend.test' });
      const {
        'client sends': sent,
        'upstream gets': forwarded,
        'upstream answers': answered,
        'client gets': returned,
      } = messagesOf(messages);
      assert.ok(sent !== undefined);
      const [method, url] = sent.start.split(' ');
      const shown = await harness.gateway.admin.must('POST', '/routes/preview', {
        route: { ...(parse(route) as object), upstream_id: upstream['id'] },
        request: { method, url, headers: sent.headers, body: sent.body },
        ...(answered === undefined ? {} : { response: { status: Number(answered.start), headers: answered.headers, body: answered.body } }),
      });
      assert.equal(shown['error'], null);
      if (forwarded !== undefined) {
        const request = shown['request'] as Shown & { readonly method: string; readonly target: string };
        assert.equal(`${request.method} ${request.target}`, forwarded.start);
        assertMessage(request, forwarded, sent);
      }
      assert.equal(answered === undefined, returned === undefined);
      if (answered !== undefined && returned !== undefined) {
        const response = shown['response'] as Shown & { readonly status: number };
        assert.equal(String(response.status), returned.start);
        assertMessage(response, returned, answered);
      }
    });
  }
  test('the variables that it lists exist', async () => {
    const upstream = await harness.gateway.admin.must('POST', '/upstreams', { name: 'variables', base_url: 'http://backend.test' });
    const rows = page.slice(page.indexOf('## Variables'), page.indexOf('## JSON bodies')).split('\n');
    const variables = rows.filter((row) => row.startsWith('| `')).flatMap((row) => row.match(/\$\{[^}]+\}|\$1/g) ?? []);
    assert.ok(variables.length >= 15);
    const set = Object.fromEntries(variables.filter((name) => !name.startsWith('${env.')).map((name, index) => [`X-${index}`, name]));
    const shown = await harness.gateway.admin.must('POST', '/routes/preview', {
      route: { path_pattern: '/v/{NAME}', upstream_id: upstream['id'], request_transform: { headers: { set } } },
      request: { url: '/v/1' },
    });
    assert.equal(shown['error'], null);
  });
});
