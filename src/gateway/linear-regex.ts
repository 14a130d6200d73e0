import { RE2JS, RE2JSException } from 're2js';

/** A regular expression of a route: RE2 syntax, matched in time linear in the text. */
export type LinearRegex = RE2JS;

const maxSourceLength = 1000;
/** Instructions of the compiled program; `[0-9]{4}` has six. */
const maxProgramSize = 1000;
/** Longest path a client may send by default. */
const longestText = 8192;
const maxMatchMs = 1;
/** To read groups takes another machine, which has no cache of states. */
const maxCaptureMs = 10;
/** What takes so long twice needs no further sample. */
const hopelessMs = 20;

/** Throws RE2JSException where `checkRegex` finds a syntax error. */
export function compileRegex(source: string, ignoreCase = false): LinearRegex {
  return RE2JS.compile(source, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
}

/** What was found of expressions lately: to try one takes milliseconds. Bounded, the oldest goes first. */
const known = new Map<string, string | null>();
const maxKnown = 10_000;

/** What is wrong with a regular expression, or null. */
export function checkRegex(source: string): string | null {
  let found = known.get(source);
  if (found !== undefined) return found;
  found = triedRegex(source);
  if (source.length > maxSourceLength) return found;
  for (const oldest of known.keys()) {
    if (known.size < maxKnown) break;
    known.delete(oldest);
  }
  known.set(source, found);
  return found;
}

function triedRegex(source: string): string | null {
  if (source === '') return 'must not be empty';
  if (source.length > maxSourceLength) return `must not be longer than ${maxSourceLength} characters`;
  let regex: RE2JS;
  try {
    regex = compileRegex(source);
    if (regex.programSize() > maxProgramSize) return 'is too large: reduce the counts in {…} repetitions';
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    const what = error.message.replace(/^error parsing regexp: /, '');
    const hint = /\(\?[=!<]/.test(source) || /\\[1-9]/.test(source) ? ' (lookaround and backreferences do not exist in RE2 syntax)' : '';
    return `is not a valid regular expression: ${what}${hint}`;
  }
  return slowestText(regex, source) > maxMatchMs
    ? `is too slow on long paths: it may take over ${maxMatchMs} ms; avoid counted repetitions such as .{100} behind .*`
    : null;
}

// Milliseconds that this thread has worked: what others do on the machine meanwhile must not make an expression look slow.
function threadTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Why an expression's groups take too long to be read from a path, or null. The expression has passed checkRegex. */
export function captureCostProblem(source: string): string | null {
  const slowest = slowestText(compileRegex(source), source, maxCaptureMs, (regex, text) => regex.matcher(text).find());
  return slowest > maxCaptureMs ? `is too slow on long paths to read its groups: it may take over ${maxCaptureMs} ms` : null;
}

/**
 * Milliseconds of the slowest kind of long text, each kind judged by its quickest of several samples: what one sample
 * teaches the engine's cache of states should not excuse the next text, and what the machine did meanwhile should not blame it.
 */
function slowestText(
  regex: RE2JS,
  source: string,
  enough = maxMatchMs,
  match = (tried: RE2JS, text: string): boolean => tried.test(text),
): number {
  const literals = [...new Set(source.replaceAll(/[^a-zA-Z0-9/_-]/g, ''))].slice(0, 12);
  const common = literals.find((character) => character !== '/') ?? 'a';
  const alphabets = [[common], [common, '~'], ['/', common], [...literals, '/', 'a', '0']];
  let slowest = 0;
  let seed = 1;
  for (const alphabet of alphabets) {
    let quickest = Infinity;
    for (let sample = 0; sample < 5 && quickest > enough / 2; sample++) {
      const start = sample % 2 === 0 ? '/' : literals.join('').slice(0, 20);
      const characters: string[] = [start];
      for (let i = 0; i < longestText; i++) {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
        characters.push(alphabet[(seed >>> 8) % alphabet.length]!);
      }
      const text = characters.join('');
      const before = threadTime();
      match(regex, text);
      quickest = Math.min(quickest, threadTime() - before);
      if (sample > 0 && quickest > hopelessMs) return quickest;
    }
    slowest = Math.max(slowest, quickest);
    if (slowest > enough) break;
  }
  return slowest;
}
