/** What was wrong: the first few of each kind, and how many there were. */
export class Findings {
  readonly #byKind = new Map<string, { count: number; readonly details: string[] }>();
  readonly #tell: (text: string) => void;

  constructor(tell: (text: string) => void = console.log) {
    this.#tell = tell;
  }

  get count(): number {
    return [...this.#byKind.values()].reduce((sum, { count }) => sum + count, 0);
  }

  get kinds(): string[] {
    return [...this.#byKind.keys()];
  }

  add(kind: string, detail: string): void {
    const known = this.#byKind.get(kind) ?? { count: 0, details: [] };
    this.#byKind.set(kind, known);
    known.count += 1;
    if (known.details.length >= 3) return;
    known.details.push(detail);
    this.#tell(`\nFOUND ${kind}: ${detail}\n`);
  }

  /** A line for each kind. */
  summary(): string[] {
    return [...this.#byKind].map(([kind, { count, details }]) => `${kind} (${count} times): ${details[0]!.slice(0, 600)}`);
  }
}
