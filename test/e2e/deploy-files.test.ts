import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { errorCatalogue } from '../../src/errors/catalogue.ts';
import { readExposition } from '../support/exposition.ts';
import { RawClient } from '../support/raw-client.ts';
import { scopedGateway } from '../support/scoped-gateway.ts';
import { answerOk, startScriptedUpstream } from '../support/scripted-upstream.ts';

interface Dashboard {
  readonly panels: readonly { readonly id: number; readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] };
}

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string; readonly annotations: Readonly<Record<string, string>> }[];
  }[];
}

const dashboard = JSON.parse(readFileSync(new URL('../../deploy/grafana/apigate.json', import.meta.url), 'utf8')) as Dashboard;
const rules = (parse(readFileSync(new URL('../../deploy/prometheus/alerts.yaml', import.meta.url), 'utf8')) as Rules).groups.flatMap(
  (group) => group.rules,
);

/** Names of metrics and the labels that are asked for beside them; `up`, `job` and `instance` are Prometheus's own. */
function asked(expression: string): { name: string; labels: string[] }[] {
  return [...expression.matchAll(/\b((?:apigate|process|nodejs)_[a-z0-9_]+)(?:\{([^}]*)\})?/g)].map(([, name, labels]) => ({
    name: name!,
    labels: [...(labels ?? '').matchAll(/(\w+)\s*(?:=~|!=|!~|=)/g)]
      .map(([, label]) => label!)
      .filter((label) => label !== 'job' && label !== 'instance'),
  }));
}

test('every metric and label that the dashboard and the alert rules name is in /metrics', async (context) => {
  const upstream = await startScriptedUpstream(answerOk);
  context.after(() => upstream.close());
  const gateway = await scopedGateway(context, { upstream: upstream.url });
  await (await fetch(`${gateway.url}/ok`)).arrayBuffer();
  const client = await RawClient.connect(gateway.port);
  assert.equal((await client.request('TRACE')).status, 405);
  client.destroy();
  const families = readExposition(await (await fetch(`${gateway.url}/metrics`)).text());
  const known = new Map<string, Set<string>>();
  for (const sample of [...families.values()].flatMap((family) => family.samples)) {
    const labels = known.get(sample.name) ?? new Set();
    for (const label of Object.keys(sample.labels)) labels.add(label);
    known.set(sample.name, labels);
  }
  const expressions = [
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...dashboard.templating.list.map(({ query }) => (typeof query === 'string' ? query : query.query)),
    ...rules.map(({ expr }) => expr),
  ];
  const wanted = expressions.flatMap(asked);
  assert.ok(wanted.length > 30);
  for (const { name, labels } of wanted) {
    const has = known.get(name);
    assert.ok(has !== undefined, `${name} is in /metrics`);
    for (const label of labels) assert.ok(has.has(label), `${name} has the label ${label}`);
  }
  const codes = Object.keys(errorCatalogue);
  for (const [, patterns] of expressions.flatMap((each) => [...each.matchAll(/code=~"([^"]*)"/g)])) {
    for (const pattern of patterns!.split('|'))
      assert.ok(
        codes.some((code) => new RegExp(`^${pattern}$`).test(code)),
        `a code like ${pattern}`,
      );
  }
});

test('the dashboard and the rules are whole: ids are unique, every alert says what to do', () => {
  assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const { alert, annotations } of rules)
    assert.ok(annotations['summary'] !== undefined && annotations['description'] !== undefined, alert);
});
