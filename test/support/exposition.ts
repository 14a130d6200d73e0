import assert from 'node:assert/strict';

export interface MetricFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: MetricSample[];
}

export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Reads the Prometheus text format, version 0.0.4, as strictly as its description allows, and fails the test where it is broken:
 * a sample without its family, a family twice or torn apart, two samples of the same labels, a histogram that shrinks.
 */
export function readExposition(text: string): ReadonlyMap<string, MetricFamily> {
  assert.ok(text.endsWith('\n'), 'the last line ends');
  const families = new Map<string, MetricFamily>();
  let help: readonly string[] = [];
  let current = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const [, helpName, helpText] = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line) ?? [];
    const [, typeName, type] = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary)$/.exec(line) ?? [];
    if (helpName !== undefined) {
      assert.doesNotMatch(helpText!.replaceAll(/\\\\|\\n/g, ''), /\\/, `an escape that there is not: ${line}`);
      help = [helpName, helpText!];
    } else if (typeName !== undefined) {
      assert.equal(help[0], typeName, `HELP before TYPE of ${typeName}`);
      assert.ok(!families.has(typeName), `${typeName} is declared once`);
      families.set(typeName, { type: type!, help: help[1]!, samples: [] });
      current = typeName;
    } else {
      const sample = readSample(line);
      const family = families.get(current);
      assert.ok(family, `a sample without a family: ${line}`);
      const suffixes = { histogram: /_(?:bucket|sum|count)$/, summary: /_(?:sum|count)$/ }[family.type];
      assert.equal(suffixes === undefined ? sample.name : sample.name.replace(suffixes, ''), current, `in its family: ${line}`);
      assert.ok(family.type !== 'counter' || (sample.value >= 0 && current.endsWith('_total')), `a counter: ${line}`);
      family.samples.push(sample);
    }
  }
  for (const [name, family] of families) checkFamily(name, family);
  return families;
}

/** The value of the one sample of this name with exactly these labels. */
export function sampleValue(
  families: ReadonlyMap<string, MetricFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const samples = [...families.values()].flatMap((family) => family.samples);
  const found = samples.filter((sample) => sample.name === name && keyOf(sample) === keyOf({ name, labels }));
  assert.equal(
    found.length,
    1,
    `${name} ${JSON.stringify(labels)} among ${samples
      .filter((each) => each.name === name)
      .map(keyOf)
      .join('\n')}`,
  );
  return found[0]!.value;
}

function readSample(line: string): MetricSample {
  const [, name, inBraces, value] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  assert.ok(name !== undefined && value !== undefined, `a sample: ${line}`);
  const number = value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value);
  assert.ok(!Number.isNaN(number), `a number: ${line}`);
  const labels: Record<string, string> = {};
  let rest = inBraces ?? '';
  while (rest !== '') {
    const [all, label, text] = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/.exec(rest) ?? [];
    assert.ok(all !== undefined && label !== undefined && text !== undefined, `labels: ${line}`);
    assert.ok(!(label in labels), `a label twice: ${line}`);
    labels[label] = text.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
    rest = rest.slice(all.length);
  }
  return { name, labels, value: number };
}

function keyOf({ name, labels }: Pick<MetricSample, 'name' | 'labels'>): string {
  return `${name} ${JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))}`;
}

function checkFamily(name: string, { type, samples }: MetricFamily): void {
  assert.equal(new Set(samples.map(keyOf)).size, samples.length, `${name}: no two samples of the same labels`);
  if (type !== 'histogram') return;
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  assert.equal(buckets.at(-1)?.labels['le'], '+Inf', `${name} ends in +Inf`);
  for (const [at, bucket] of buckets.slice(1).entries()) assert.ok(bucket.value >= buckets[at]!.value, `${name} never shrinks`);
  assert.equal(buckets.at(-1)?.value, samples.find((sample) => sample.name === `${name}_count`)?.value, `${name}_count`);
}
