/**
 * Times a small function: prints the median over seven rounds, in nanoseconds per call. `run` does `times` calls and
 * answers with something that depends on them, so that nothing can be optimised away.
 */
export function micro(name: string, times: number, run: (times: number) => unknown): void {
  run(Math.min(times, 50_000));
  const rounds: number[] = [];
  for (let round = 0; round < 7; round++) {
    const start = process.hrtime.bigint();
    sink = run(times);
    rounds.push(Number(process.hrtime.bigint() - start) / times);
  }
  const median = rounds.toSorted((a, b) => a - b)[3]!;
  console.log(`${name.padEnd(64)} ${median.toFixed(median < 100 ? 1 : 0).padStart(8)} ns`);
}

let sink: unknown;
process.on('exit', () => sink === Symbol.iterator && console.log());
