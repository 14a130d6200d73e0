/** One thing that the doctor looked at. */
export interface DoctorFinding {
  /** What was looked at: `database`, `upstream my-api`. */
  readonly check: string;
  readonly result: 'ok' | 'warning' | 'broken' | 'skipped';
  /** What was found, in one sentence without a full stop at its end. */
  readonly found: string;
  /** How to mend it; null where nothing is to be done. */
  readonly mend: string | null;
}

export function fine(check: string, found: string): DoctorFinding {
  return { check, result: 'ok', found, mend: null };
}

export function warning(check: string, found: string, mend: string): DoctorFinding {
  return { check, result: 'warning', found, mend };
}

export function broken(check: string, found: string, mend: string): DoctorFinding {
  return { check, result: 'broken', found, mend };
}

export function skipped(check: string, found: string, mend: string | null = null): DoctorFinding {
  return { check, result: 'skipped', found, mend };
}
