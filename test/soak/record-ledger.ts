import { outcomes } from '../support/invariants.ts';
import type { Findings } from './soak-findings.ts';

/** Records come in batches: an answer without one for longer than this has none, in milliseconds. */
const recordTime = 10_000;
/** How long a second record of a request would still be noticed, at least. */
const memoryTime = 120_000;

interface Awaited {
  readonly at: number;
  readonly status: number | undefined;
  /** Outcomes that fit what the client saw; any when not given. */
  readonly outcomes?: readonly string[];
}

/**
 * I6: each request that was answered has exactly one record in the access log, which tells what the client saw. Requests
 * are told apart by the nonce in their path, or by their id.
 */
export class RecordLedger {
  readonly #findings: Findings;
  readonly #awaited = new Map<string, Awaited>();
  /** Records that nobody has asked for yet. */
  readonly #early = new Map<string, Readonly<Record<string, unknown>>>();
  /** Ids of requests that have a record, in two generations. */
  #recorded = new Set<string>();
  #recordedBefore = new Set<string>();
  #generationAt = 0;
  records = 0;
  matched = 0;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** A request was answered, so that its record must come. */
  expect(key: string, status: number | undefined, allowed?: readonly string[]): void {
    const awaited = { at: performance.now(), status, ...(allowed === undefined ? {} : { outcomes: allowed }) };
    const record = this.#early.get(key);
    if (record === undefined) {
      this.#awaited.set(key, awaited);
      return;
    }
    this.#early.delete(key);
    this.#compare(key, awaited, record);
  }

  /** One line of the gateway's log; those that are no record are passed over. */
  line(line: Readonly<Record<string, unknown>>, now = performance.now()): void {
    const { request_id: id, outcome, path } = line;
    if (typeof id !== 'string' || typeof outcome !== 'string') return;
    this.records += 1;
    if (now - this.#generationAt > memoryTime) {
      this.#generationAt = now;
      this.#recordedBefore = this.#recorded;
      this.#recorded = new Set();
    }
    if (this.#recorded.has(id) || this.#recordedBefore.has(id)) this.#findings.add('I6 two records', JSON.stringify(line));
    this.#recorded.add(id);
    if (!outcomes.includes(outcome)) this.#findings.add('I6 unknown outcome', JSON.stringify(line));
    const nonce = typeof path === 'string' ? nonceOf(path) : undefined;
    const key = nonce ?? id;
    const awaited = this.#awaited.get(key);
    if (awaited === undefined) this.#early.set(key, line);
    else {
      this.#awaited.delete(key);
      this.#compare(key, awaited, line);
    }
  }

  /** Finds records that are missing; now and then. `all`: those that could still come too. */
  look(now = performance.now(), all = false): void {
    for (const [key, { at, status }] of this.#awaited) {
      if (!all && now - at < recordTime) break;
      this.#awaited.delete(key);
      this.#findings.add('I6 no record', `${key}, answered with ${status}`);
    }
    // Of requests that got no answer, or whose answer nobody looked at.
    if (this.#early.size > 20_000) for (const key of [...this.#early.keys()].slice(0, 10_000)) this.#early.delete(key);
  }

  #compare(key: string, awaited: Awaited, record: Readonly<Record<string, unknown>>): void {
    this.matched += 1;
    if (awaited.status !== undefined && record['status'] !== awaited.status)
      this.#findings.add('I6 a record that tells otherwise', `${key} was answered with ${awaited.status}: ${JSON.stringify(record)}`);
    if (awaited.outcomes !== undefined && !awaited.outcomes.includes(String(record['outcome'])))
      this.#findings.add('I6 an outcome that does not fit', `${key}, not ${awaited.outcomes.join(' or ')}: ${JSON.stringify(record)}`);
  }
}

/** Nonces stand at the end of paths, behind `~`. */
export function nonceOf(path: string): string | undefined {
  return /~([0-9a-z-]+)$/.exec(path)?.[1];
}
