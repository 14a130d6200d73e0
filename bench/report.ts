import type { Machine } from './measure/machine.ts';
import { median, summarise, type CaseResult, type Summary } from './measure/results.ts';
import { targets } from './targets.ts';

export interface About extends Machine {
  readonly begun: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly commit: string;
  /** Whether cases of earlier runs are among the results. */
  readonly severalRuns: boolean;
}

/** The whole of RESULTS.md. */
export function report(about: About, results: readonly CaseResult[]): string {
  const versions = Object.entries(about.versions).map(([name, version]) => `${name} ${version}`);
  return `# Results of the benchmark

Written by \`npm run bench\`. ${about.begun.slice(0, 10)}, commit ${about.commit}, Node.js ${about.node}; ${about.processor}, ${about.cores} cores, ${about.memoryGiB} GiB, Linux ${about.kernel}.
${versions.join(', ')}.

The gateway has one core for itself; load generator and upstream (nginx, one worker) have the other. All gateways keep upstream connections, add
X-Forwarded-For, -Proto, -Host and X-Request-Id, and log every request to /dev/null. CPU is user and system time of all the gateway's
processes for each request under a closed load (wrk). Medians of ${about.rounds} rounds of ${about.seconds} s, in each of which every gateway had its turn; windows in which others used
the machine were taken again. p50 and p99 are from an open load (random arrivals, bench/measure/open-load.ts) at half of the rate that nginx reached; "behind" could not keep up with it.
× is the ratio to nginx in the same run: bare times mean nothing on another machine.${about.severalRuns ? '\nThe cases were taken in more than one run, each as a whole; date, commit and rounds are those of the last.' : ''}

## Targets

${targetTable(results)}

## Cases

${results.map((result) => `### ${result.name}: ${result.title}\n\n${caseTable(result)}\n`).join('\n')}`;
}

/** One case for the terminal. */
export function caseText(result: CaseResult): string {
  return `\n${result.name}: ${result.title}\n${caseTable(result)}\n`;
}

function caseTable(result: CaseResult): string {
  if (result.loads.length === 0) {
    const nginx = median(result.figures.find(({ gateway }) => gateway === 'nginx')?.figures ?? []);
    return table(
      ['gateway', result.unit, '×', 'lowest', 'highest'],
      result.figures.map(({ gateway, figures }) => {
        const middle = median(figures);
        return [gateway, short(middle), ratio(middle, nginx), short(Math.min(...figures)), short(Math.max(...figures))];
      }),
    );
  }
  const summaries = result.loads.map(summarise);
  const nginx = summaries.find(({ gateway }) => gateway === 'nginx');
  const latency = (summary: Summary, value: number): string =>
    Number.isNaN(value) ? '' : `${short(value)}${summary.keptUp ? '' : ' (behind)'}`;
  return table(
    ['gateway', 'CPU µs/request', '×', 'requests/s', '×', 'p50 µs', 'p99 µs', '×', 'memory MiB', 'of its core', 'quiet windows'],
    summaries.map((each) => [
      each.gateway,
      short(each.cpuMicros),
      ratio(each.cpuMicros, nginx?.cpuMicros),
      each.rate.toFixed(0),
      ratio(each.rate, nginx?.rate),
      latency(each, each.p50),
      latency(each, each.p99),
      Number.isNaN(each.p99) ? '' : ratio(each.p99, nginx?.p99),
      each.residentMiB.toFixed(0),
      `${(each.gatewayShare * 100).toFixed(0)} %`,
      `${each.quietWindows} of ${each.windows}`,
    ]),
  );
}

function targetTable(results: readonly CaseResult[]): string {
  const rows = targets.map(({ text, limit, measure }) => {
    const value = measure(results);
    const met = limit.most !== undefined ? value <= limit.most : value >= limit.least;
    return [
      text,
      limit.most !== undefined ? `≤ ${limit.most}` : `≥ ${limit.least}`,
      Number.isNaN(value) ? 'not measured' : short(value),
      Number.isNaN(value) ? '' : met ? 'yes' : '**no**',
    ];
  });
  return table(['target', 'wanted', 'measured', 'met'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

function ratio(value: number, of: number | undefined): string {
  return of === undefined || Number.isNaN(of) ? '' : short(value / of);
}

/** Three digits or so. */
function short(value: number): string {
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}
