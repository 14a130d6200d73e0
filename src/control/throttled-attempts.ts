import { GatewayError } from '../errors/gateway-error.ts';
import { accessAudit, type AuditedActor } from './access-audit.ts';
import type { AccessContext } from './access-context.ts';
import { AttemptRefused } from './attempt-throttle.ts';

/** Who attempted what. */
export interface AttemptedAct {
  /** What the audit log calls the refusal: `session.sign_in_throttled`, … */
  readonly action: string;
  readonly actor: AuditedActor;
  /** The account that it was for, as it was given. */
  readonly email?: string;
}

/**
 * Does the work of an attempt, and tells the audit log where that is refused because there were too many before.
 * @throws what `work` throws
 */
export async function tellIfThrottled<T>(context: AccessContext, act: AttemptedAct, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'too_many_attempts') {
      const refusedBy = error instanceof AttemptRefused ? error.by : undefined;
      const by = refusedBy === undefined ? 'queue' : refusedBy.kind === 'place' ? 'account' : refusedBy.kind;
      // Told when it can be: the answer is the same without it.
      await context.throttled
        .count(`${act.action} ${by} ${refusedBy?.value}`, (refused) => write(context, act, by, refused))
        .catch(() => undefined);
    }
    throw error;
  }
}

async function write(context: AccessContext, { action, actor, email }: AttemptedAct, by: string, refused: number): Promise<void> {
  await context.store.write(async (tx) => {
    // As with failures, what was typed for an unknown account is not recorded. From one address there may have been many accounts.
    const admin = email === undefined || by !== 'account' ? undefined : await tx.admins.byEmail(email);
    const detail = { refused, by };
    await accessAudit(tx, context.clock(), actor, { action, type: 'admin', id: admin?.id ?? '', name: admin?.email ?? '', detail });
  });
}

/** Keeps what can be repeated at no cost from filling the audit log. */
export interface ThrottledAttempts {
  /**
   * The first of its key is written at once. Those that come within a minute of an entry are written in one, at the minute's end,
   * with their number and as the last of them.
   */
  count(key: string, write: (refused: number) => Promise<void>): Promise<void>;
}

interface Minute {
  refused: number;
  write: (refused: number) => Promise<void>;
}

/**
 * Memory and entries are bounded by the throttle: a key refuses for a minute at most after an attempt that failed, which is in the
 * audit log itself.
 * @param minute milliseconds
 */
export function createThrottledAttempts(minute = 60_000): ThrottledAttempts {
  const minutes = new Map<string, Minute>();

  const begin = async (key: string, refused: number, write: Minute['write']): Promise<void> => {
    minutes.set(key, { refused: 0, write });
    setTimeout(() => end(key), minute).unref();
    await write(refused);
  };
  const end = (key: string): void => {
    const ended = minutes.get(key);
    minutes.delete(key);
    if (ended !== undefined && ended.refused > 0) begin(key, ended.refused, ended.write).catch(() => undefined);
  };

  return {
    async count(key, write) {
      const known = minutes.get(key);
      if (known === undefined) return await begin(key, 1, write);
      known.refused += 1;
      known.write = write;
    },
  };
}
