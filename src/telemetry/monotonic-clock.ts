/**
 * Milliseconds on the operating system's monotonic clock, with one zero for all threads of the process.
 * `performance.now()` starts at zero in each thread and wall clocks jump: neither can be shared between workers.
 */
export function monotonicMs(): number {
  return performance.now() + offset;
}

const [seconds, nanoseconds] = process.hrtime();
const offset = seconds * 1000 + nanoseconds / 1e6 - performance.now();
