/** What is told at the end: how often what happened, and how long it took. */
export class SoakFigures {
  readonly #counts = new Map<string, Map<string, number>>();
  /** Milliseconds of answers that an upstream gave at once, the latest hundred thousand. */
  readonly #latencies: number[] = [];
  #next = 0;
  readonly worst = new Map<string, number>();
  /** Requests that passed with the key that has a limit. */
  limitedPassed = 0;

  count(group: string, what: string): void {
    const counts = this.#counts.get(group) ?? new Map<string, number>();
    this.#counts.set(group, counts);
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }

  total(group: string): number {
    return [...(this.#counts.get(group)?.values() ?? [])].reduce((sum, count) => sum + count, 0);
  }

  of(group: string, what: string): number {
    return this.#counts.get(group)?.get(what) ?? 0;
  }

  latency(kind: string, ms: number): void {
    this.worst.set(kind, Math.max(this.worst.get(kind) ?? 0, ms));
    if (kind !== 'request') return;
    this.#latencies[this.#next] = ms;
    this.#next = (this.#next + 1) % 100_000;
  }

  quantile(q: number): number {
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
  }

  /** A line for each group. */
  lines(): string[] {
    return [...this.#counts].map(
      ([group, counts]) =>
        `${group}: ${this.total(group)} (${[...counts]
          .toSorted((a, b) => b[1] - a[1])
          .map(([what, count]) => `${what}: ${count}`)
          .join(', ')})`,
    );
  }
}
