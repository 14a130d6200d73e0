import { testPathProblem } from './upstream-test.ts';

/** How an upstream is asked, by itself, whether it is well. */
export interface HealthCheck {
  /** Goes behind base_url's path. */
  readonly path: string;
  /** From the start of one check to that of the next. */
  readonly intervalMs: number;
  /** Longest wait for a connection, and for the answer. */
  readonly timeoutMs: number;
  /** Statuses that are a good answer: see statusRangesProblem. */
  readonly status: string;
}

/** An upstream's fields that say whether and how it is checked; null where it is not. */
export function healthCheckOf(upstream: {
  readonly health_check_path: string | null;
  readonly health_check_interval_ms: number;
  readonly health_check_timeout_ms: number;
  readonly health_check_status: string;
}): HealthCheck | null {
  return upstream.health_check_path === null
    ? null
    : {
        path: upstream.health_check_path,
        intervalMs: upstream.health_check_interval_ms,
        timeoutMs: upstream.health_check_timeout_ms,
        status: upstream.health_check_status,
      };
}

/** Why a path cannot be checked, in words that complete "health_check_path …"; undefined when it can. */
export function checkPathProblem(path: string): string | undefined {
  return path === '' ? 'must begin with /; null turns the checks off' : testPathProblem(path);
}

const range = /^([2-5]\d\d)(?:-([2-5]\d\d))?$/;

/** Why a text does not say which statuses are good, in words that complete "health_check_status …": `200`, `200-399`, `200-299,401`. */
export function statusRangesProblem(text: string): string | undefined {
  const parts = text.split(',');
  if (text.length > 100) return 'must have at most 100 characters';
  for (const part of parts) {
    const [, low, high] = range.exec(part) ?? [];
    if (low === undefined) return 'must be statuses from 200 to 599 and ranges of them, such as 200-399 or 200-299,401';
    if (high !== undefined && high < low) return `has a range that begins after its end: ${part}`;
  }
  return undefined;
}

/** Whether a status is among those that such a text says. */
export function isAmongStatuses(text: string, status: number): boolean {
  return text.split(',').some((part) => {
    const [, low, high] = range.exec(part) ?? [];
    return low !== undefined && status >= Number(low) && status <= Number(high ?? low);
  });
}
