import { type Document, isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseAllDocuments, type Scalar } from 'yaml';
import type { Source } from './read-sources.ts';

/** A finding about a text, where it is. */
export interface Problem {
  readonly label: string;
  /** From 1; 0 where no line is to blame. */
  readonly line: number;
  /** `routes[2].upstream`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

/** One document of a source, as plain values. */
export interface ParsedDocument {
  readonly label: string;
  /** From 1; 0 when it is the only one of its source. */
  readonly number: number;
  readonly value: unknown;
  /** The line of what lies at a path, or of the nearest thing around it. */
  readonly lineOf: (path: readonly string[]) => number;
}

/** With more than these the first ones are told; one mistake often makes many. */
const mostSyntaxErrors = 20;
/** None of our objects is deeper than a handful of levels. */
const deepest = 64;
/** Values that aliases stand for, all together: a few lines of them can stand for billions. */
const mostAliased = 100_000;

/**
 * Reads YAML 1.2 (JSON is YAML too): any number of documents, empty ones passed over. Anchors are fine in moderation; tags,
 * duplicate keys, YAML 1.1 and numbers that JSON does not have are problems. Messages never quote a value.
 */
export function parseDocuments({ label, text }: Source): {
  readonly documents: readonly ParsedDocument[];
  readonly problems: readonly Problem[];
} {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, resolveKnownTags: false, logLevel: 'silent' });
  const problems: Problem[] = [];
  const documents: ParsedDocument[] = [];
  const found = 'empty' in parsed ? [] : parsed;
  const several = found.filter(({ contents }) => !isEmpty(contents)).length > 1;
  for (const document of found) {
    const wrong = [...document.errors, ...document.warnings].map((error) => ({
      line: lines.linePos(error.pos[0]).line,
      message: messageOf(error),
    }));
    if (document.directives?.yaml.version === '1.1') wrong.push({ line: 1, message: 'is YAML 1.1; only YAML 1.2 is read' });
    for (const each of wrong.slice(0, mostSyntaxErrors)) problems.push({ label, path: '', ...each });
    if (wrong.length > 0 || isEmpty(document.contents)) continue;

    const reader = new ValueReader(document, (node, message) => {
      problems.push({ label, line: lineOfNode(lines, node), path: '', message });
    });
    documents.push({
      label,
      number: several ? documents.length + 1 : 0,
      value: reader.read(document.contents),
      lineOf: (path) => lineOfNode(lines, nodeAt(document, path)),
    });
  }
  return { documents, problems };
}

function isEmpty(contents: unknown): boolean {
  return contents === null || (isScalar(contents) && contents.value === null);
}

function messageOf({ code, message }: { readonly code: string; readonly message: string }): string {
  if (code === 'RESOURCE_EXHAUSTION') return 'is nested too deeply';
  if (code === 'DUPLICATE_KEY') return 'the same key stands twice in one object';
  if (code === 'TAG_RESOLVE_FAILED') return 'tags (!…) are not understood';
  return `is not valid YAML: ${message}`;
}

/** Turns nodes into what JSON can hold. Not the library's own toJS: it lets circles and NaN through. */
class ValueReader {
  readonly #document: Document;
  readonly #report: (node: unknown, message: string) => void;
  #aliased = 0;
  #stopped = false;

  constructor(document: Document, report: (node: unknown, message: string) => void) {
    this.#document = document;
    this.#report = report;
  }

  read(node: unknown, depth = 0, inAlias = false): unknown {
    if (this.#stopped) return null;
    if (depth > deepest) return this.#stop(node, `is nested deeper than ${deepest} levels, or holds itself`);
    if (inAlias && (this.#aliased += 1) > mostAliased)
      return this.#stop(node, `has aliases (*…) that stand for more than ${mostAliased} values`);
    if (isAlias(node)) return this.read(node.resolve(this.#document), depth + 1, true);
    if (isSeq(node)) return node.items.map((item) => this.read(item, depth + 1, inAlias));
    if (isMap(node)) {
      // Defines even `__proto__` as a field like any other.
      return Object.fromEntries(node.items.map(({ key, value }) => [this.#key(key), this.read(value, depth + 1, inAlias)]));
    }
    if (!isScalar(node)) return null;
    if (typeof node.value === 'number' && !Number.isFinite(node.value))
      this.#report(node, 'must be a number that JSON has, neither infinite nor .nan');
    return node.value;
  }

  #key(key: unknown): string {
    if (isScalar(key)) {
      if (key.value === '<<') this.#report(key, 'merge keys (<<) are YAML 1.1 and not understood: write the fields out');
      return keyText(key);
    }
    this.#report(key, 'keys must be plain text');
    return '';
  }

  #stop(node: unknown, message: string): null {
    this.#stopped = true;
    this.#report(node, message);
    return null;
  }
}

/** What lies at a path: the key of a field, so that its line is the one where the field is written. */
function nodeAt(document: Document, path: readonly string[]): unknown {
  let at: unknown = document.contents;
  let shown: unknown = at;
  for (const part of path) {
    if (isAlias(at)) at = at.resolve(document);
    if (isMap(at)) {
      const pair = at.items.find(({ key }) => isScalar(key) && keyText(key) === part);
      if (!isPair(pair)) break;
      shown = pair.key;
      at = pair.value;
    } else if (isSeq(at) && Number(part) < at.items.length) {
      at = at.items[Number(part)];
      shown = at;
    } else break;
  }
  return shown;
}

/** As it is written where it is no text: `1`, `null`. */
function keyText({ value, source }: Scalar): string {
  return typeof value === 'string' ? value : (source ?? String(value));
}

function lineOfNode(lines: LineCounter, node: unknown): number {
  const range = (node as Partial<Node> | null)?.range;
  return range === undefined || range === null ? 0 : lines.linePos(range[0]).line;
}
