/**
 * The states in which something may be while it is being changed: between the sending of a change and its answer both the
 * old state and the new one. Who looks for a while sees all states that there were meanwhile, and each of them explains
 * what came of it. Nothing else does: a change that was answered is live.
 */
export class PossibleStates<State> {
  #now: Set<State>;
  readonly #windows = new Set<Set<State>>();

  constructor(state: State) {
    this.#now = new Set([state]);
  }

  get now(): ReadonlySet<State> {
    return this.#now;
  }

  /** A change begins: it may already be so, and may not be so yet. */
  begin(next: State): void {
    this.#now.add(next);
    for (const window of this.#windows) window.add(next);
  }

  /** The change was answered: it is so, and nothing else. */
  settle(next: State): void {
    this.begin(next);
    this.#now = new Set([next]);
  }

  /** All states from now on until `close`. */
  open(): Window<State> {
    const states = new Set(this.#now);
    this.#windows.add(states);
    return { states, close: () => void this.#windows.delete(states) };
  }
}

export interface Window<State> {
  readonly states: ReadonlySet<State>;
  /** No later state is of interest. */
  close(): void;
}
