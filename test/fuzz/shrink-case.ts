import type { FuzzCase } from './fuzz-case.ts';

const mostAttempts = 250;
const mostTime = 40_000;

/** A smaller case that still fails, by leaving out ever smaller parts of its bytes (delta debugging). */
export async function shrinkCase(fuzz: FuzzCase, fails: (candidate: FuzzCase) => Promise<boolean>): Promise<FuzzCase> {
  const end = performance.now() + mostTime;
  let attempts = 0;
  const still = async (candidate: FuzzCase): Promise<boolean> => {
    attempts += 1;
    return attempts <= mostAttempts && performance.now() < end && (await fails(candidate));
  };
  let smallest = fuzz;
  const whole = { ...fuzz, cuts: [], gapMs: 0 };
  if (await still(whole)) smallest = whole;
  for (let part = Math.ceil(smallest.bytes.length / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2)) {
    let at = 0;
    while (at < smallest.bytes.length) {
      const candidate = without(smallest, at, part);
      if (await still(candidate)) smallest = candidate;
      else at += part;
    }
  }
  return smallest;
}

function without(fuzz: FuzzCase, at: number, part: number): FuzzCase {
  const bytes = Buffer.concat([fuzz.bytes.subarray(0, at), fuzz.bytes.subarray(at + part)]);
  return { ...fuzz, bytes, cuts: fuzz.cuts.map((cut) => (cut > at ? Math.max(at, cut - part) : cut)) };
}
