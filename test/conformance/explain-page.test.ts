import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import type { Explanation } from '../../src/model/explanation.ts';
import { type Asked, assertAgrees, explain, named } from '../support/explained-request.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';

const path = join(import.meta.dirname, '../../docs/explain.md');
const page = readFileSync(path, 'utf8');
/** Writes what is explained into the page, instead of comparing: for whoever changes the words, to look at the difference. */
const writes = process.env['APIGATE_WRITE_EXPLAINED'] === '1';

const tables = [...page.matchAll(/^### ([^\n]+)\n\n```yaml\n((?:(?!```).)*)```\n\n```text\n(.*?)```/gms)].map(([, title, table, text]) => ({
  title: title!,
  table: table!,
  text: text!,
}));

let gateway: Gateway;
let upstreams: Record<string, ScriptedUpstream>;
const written = new Map<string, string>();

before(async () => {
  upstreams = { a: await startScriptedUpstream(named('a')), b: await startScriptedUpstream(named('b')) };
  gateway = await startGateway({ admin: true });
});

after(async () => {
  const code = await gateway?.stop();
  for (const upstream of Object.values(upstreams ?? {})) await upstream.close();
  assert.equal(code, 0);
  if (!writes) return;
  let text = page;
  for (const [before, now] of written) text = text.replace(`\`\`\`text\n${before}\`\`\``, () => `\`\`\`text\n${now}\`\`\``);
  writeFileSync(path, text);
});

/** A request as the page writes it. */
function askedOf(line: string): Asked {
  const [, method = '', url = '', rest = ''] = /^(\S+) (\S+)(.*)$/.exec(line)!;
  const headers = [...rest.matchAll(/ -H '([^']*?): ([^']*)'/g)].map(([, name, value]) => ({ name: name!, value: value! }));
  const [, host, target] = /^http:\/\/([^/]+)(.*)$/.exec(url) ?? [undefined, 'localhost', url];
  const ownHost = headers.some(({ name }) => name === 'Host');
  return ownHost
    ? { method, target: target, host: headers[0]!.value, headers: headers.slice(1), body: null }
    : { method, target: target, host: host, headers, body: null };
}

/** What is explained, in words. */
function wordsOf({ verdict, candidates, others }: Explanation): string {
  const lines = [verdict, ...candidates.map(({ name, outcome, detail }) => `${outcome === 'wins' ? '>' : '-'} ${name}: ${detail}`)];
  for (const { outcome, count } of others) lines.push(`and ${count} more: ${outcome}`);
  return lines.map((line) => `  ${line}\n`).join('');
}

describe('docs/explain.md: what its tables do is what it says, and what the gateway then does', () => {
  assert.ok(tables.length >= 10, 'the page has too few tables');
  for (const { title, table, text } of tables) {
    test(title, async () => {
      const config = parse(table) as { upstreams?: object[] };
      const own = Object.entries(upstreams).map(([name, { url }]) => ({ name, base_url: url }));
      const draft = { ...config, upstreams: [...own, ...(config.upstreams ?? [])] };
      const requests = text.split('\n').filter((line) => line !== '' && !line.startsWith(' '));
      assert.ok(requests.length > 0);
      const asDraft = await Promise.all(requests.map((line) => explain(gateway, askedOf(line), { config: draft, prune: true })));
      await gateway.admin.must('POST', '/apply?prune=true', draft);
      let explained = '';
      for (const [at, line] of requests.entries()) {
        const asked = askedOf(line);
        const explanation = await explain(gateway, asked);
        explained += `${line}\n${wordsOf(explanation)}`;
        assert.equal(wordsOf(asDraft[at]!), wordsOf(explanation), 'as a draft it is explained differently');
        await assertAgrees(gateway, upstreams, asked, explanation);
      }
      if (writes) written.set(text, explained);
      else assert.equal(explained, text);
    });
  }
});
