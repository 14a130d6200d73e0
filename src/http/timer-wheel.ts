/** Something that has one deadline at a time. Embed it in the connection that owns it: no object per request. */
export class Deadline {
  /** Milliseconds on the wheel's clock; Infinity when there is none. */
  dueAt = Infinity;
  slot = -1;
  previous: Deadline | null = null;
  next: Deadline | null = null;
  readonly owner: DeadlineOwner;

  constructor(owner: DeadlineOwner) {
    this.owner = owner;
  }
}

export interface DeadlineOwner {
  /** The deadline has passed. It is disarmed already and may be armed again. */
  onDeadline(deadline: Deadline): void;
}

/** A power of two. */
const slotCount = 1024;
const unused = new Deadline({ onDeadline: () => {} });

/**
 * One coarse timer for all connections of a worker. Moving a deadline later, which is what happens on every
 * read, only writes a number: the deadline stays in its slot and is looked at again when that comes round.
 * Due times are met within one tick. The clock is monotonic, so wall-clock jumps change nothing.
 */
export class TimerWheel {
  /** Milliseconds, monotonic, as of the last tick or `refresh`. */
  now: number;
  private readonly tickMs: number;
  private readonly slots: (Deadline | null)[] = Array.from<Deadline | null>({ length: slotCount }).fill(null);
  private tick: number;
  private timer: NodeJS.Timeout | null = null;
  private readonly batch: Deadline[] = [];
  private waited = false;

  constructor(tickMs = 50) {
    this.tickMs = tickMs;
    this.now = performance.now();
    this.tick = Math.floor(this.now / tickMs);
  }

  start(): void {
    this.timer = setInterval(() => this.advance(performance.now()), this.tickMs);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  refresh(): number {
    this.now = performance.now();
    return this.now;
  }

  /** Sets the deadline to `delayMs` from now, instead of any it had. */
  arm(deadline: Deadline, delayMs: number): void {
    this.armAt(deadline, this.now + delayMs);
  }

  armAt(deadline: Deadline, dueAt: number): void {
    deadline.dueAt = dueAt;
    const due = Math.max(Math.ceil(dueAt / this.tickMs), this.tick + 1);
    if (deadline.slot >= 0) {
      // In its slot already, and that one comes round no later: nothing to move.
      // By mask: of a negative number, and ticks outgrow the slots after a minute, `%` gives a negative one.
      const waits = (deadline.slot - this.tick - 1) & (slotCount - 1);
      if (this.tick + 1 + waits <= due) return;
      this.unlink(deadline);
    }
    this.link(deadline, Math.min(due, this.tick + slotCount - 1) % slotCount);
  }

  /** Takes the deadline back. It stays in its slot until that comes round, unless `remove` is called. */
  disarm(deadline: Deadline): void {
    deadline.dueAt = Infinity;
  }

  /** Takes the deadline back and out of the wheel, so that its owner can be collected. */
  remove(deadline: Deadline): void {
    deadline.dueAt = Infinity;
    if (deadline.slot >= 0) this.unlink(deadline);
  }

  /** Moves the clock. Public for tests; `start` calls it on a timer. */
  advance(now: number): void {
    const stalled = !this.waited && now - this.now > this.tickMs * 10;
    this.now = now;
    // After a stall of the event loop the kernel may hold answers that came in time: read those first, expire then. Once only:
    // a loop that is always this late must still let go of what is overdue.
    this.waited = stalled;
    if (stalled) return;
    const target = Math.floor(now / this.tickMs);
    // More than a whole turn behind: every slot once is enough.
    if (target - this.tick > slotCount) this.tick = target - slotCount;
    while (this.tick < target) {
      this.tick++;
      this.expire(this.tick % slotCount);
    }
  }

  private expire(slot: number): void {
    // Unhook the whole slot first: owners may arm or disarm any deadline while they are called.
    const batch = this.batch;
    let count = 0;
    for (let each = this.slots[slot] ?? null; each !== null;) {
      const next: Deadline | null = each.next;
      each.slot = -1;
      each.previous = null;
      each.next = null;
      batch[count++] = each;
      each = next;
    }
    this.slots[slot] = null;
    for (let index = 0; index < count; index++) {
      const deadline = batch[index]!;
      batch[index] = unused;
      if (deadline.slot >= 0) continue;
      if (deadline.dueAt <= this.now) {
        deadline.dueAt = Infinity;
        deadline.owner.onDeadline(deadline);
      } else if (deadline.dueAt !== Infinity) {
        this.armAt(deadline, deadline.dueAt);
      }
    }
  }

  private link(deadline: Deadline, slot: number): void {
    const first = this.slots[slot] ?? null;
    deadline.slot = slot;
    deadline.previous = null;
    deadline.next = first;
    if (first !== null) first.previous = deadline;
    this.slots[slot] = deadline;
  }

  private unlink(deadline: Deadline): void {
    if (deadline.previous !== null) deadline.previous.next = deadline.next;
    else if (deadline.slot >= 0) this.slots[deadline.slot] = deadline.next;
    if (deadline.next !== null) deadline.next.previous = deadline.previous;
    deadline.slot = -1;
    deadline.previous = null;
    deadline.next = null;
  }
}
