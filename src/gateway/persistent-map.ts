/**
 * An immutable map by string: `set` and `delete` answer with a new map that shares all but a few nodes with the old one,
 * so that a change of one entry costs the same among ten as among ten thousand, and readers of the old map never notice.
 * (A hash array mapped trie.) Lookups can take a part of a longer text as key, by position and hash, without making a string.
 */
export class PersistentMap<V> {
  readonly size: number;
  readonly #root: Node<V> | null;

  private constructor(root: Node<V> | null, size: number) {
    this.#root = root;
    this.size = size;
  }

  static empty<V>(): PersistentMap<V> {
    return new PersistentMap<V>(null, 0);
  }

  get(key: string): V | undefined {
    return this.#root === null ? undefined : this.getHashed(hashOf(key, 0, key.length), key, 0, key.length);
  }

  /** Looks up text[start, end). */
  getPart(text: string, start: number, end: number): V | undefined {
    return this.#root === null ? undefined : this.getHashed(hashOf(text, start, end), text, start, end);
  }

  /** Looks up text[start, end), whose `hashOf` is known already. */
  getHashed(hash: number, text: string, start: number, end: number): V | undefined {
    let node = this.#root;
    let shift = 0;
    while (node !== null) {
      if (node.kind === branch) {
        const bit = 1 << ((hash >>> shift) & 31);
        if ((node.bits & bit) === 0) return undefined;
        node = node.children[popCount(node.bits & (bit - 1))]!;
        shift += 5;
      } else {
        if (node.bits === hash && node.key.length === end - start && text.startsWith(node.key, start)) return node.value;
        node = node.next;
      }
    }
    return undefined;
  }

  set(key: string, value: V): PersistentMap<V> {
    const leaf = leafNode(hashOf(key, 0, key.length), key, value, null);
    if (this.#root === null) return new PersistentMap(leaf, 1);
    const before = this.get(key);
    return new PersistentMap(inserted(this.#root, leaf, 0), before === undefined ? this.size + 1 : this.size);
  }

  delete(key: string): PersistentMap<V> {
    if (this.get(key) === undefined) return this;
    return new PersistentMap(removed(this.#root!, hashOf(key, 0, key.length), key, 0), this.size - 1);
  }

  *entries(): IterableIterator<[key: string, value: V]> {
    const open: Node<V>[] = this.#root === null ? [] : [this.#root];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.kind === branch) open.push(...node.children);
      else for (let leaf: Node<V> | null = node; leaf !== null; leaf = leaf.next) yield [leaf.key, leaf.value!];
    }
  }
}

export const hashStart = 0x811c9dc5 | 0;

/** One more character into a running hash (FNV-1a); give the outcome to `hashEnd` before use as key hash. */
export function hashStep(running: number, character: number): number {
  return Math.imul(running ^ character, 0x01000193);
}

/** Spreads the running hash over all bits: each level of the trie looks at five of them. */
export function hashEnd(running: number): number {
  const mixed = Math.imul(running ^ (running >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}

export function hashOf(text: string, start: number, end: number): number {
  let running = hashStart;
  for (let i = start; i < end; i++) running = hashStep(running, text.charCodeAt(i));
  return hashEnd(running);
}

const branch = 0;
const leaf = 1;

/** One shape for both kinds of node keeps lookups monomorphic. */
interface Node<V> {
  readonly kind: typeof branch | typeof leaf;
  /** Of a branch: which of 32 children exist. Of a leaf: its key's hash. */
  readonly bits: number;
  readonly children: readonly Node<V>[];
  readonly key: string;
  readonly value: V | undefined;
  /** Of a leaf: the next one with the very same hash. */
  readonly next: Node<V> | null;
}

const none: readonly never[] = [];

function leafNode<V>(hash: number, key: string, value: V | undefined, next: Node<V> | null): Node<V> {
  return { kind: leaf, bits: hash, children: none, key, value, next };
}

function branchNode<V>(bits: number, children: readonly Node<V>[]): Node<V> {
  return { kind: branch, bits, children, key: '', value: undefined, next: null };
}

function inserted<V>(node: Node<V>, added: Node<V>, shift: number): Node<V> {
  if (node.kind === leaf) {
    if (node.bits !== added.bits) return split(node, added, shift);
    return leafNode(added.bits, added.key, added.value, withoutKey(node, added.key));
  }
  const bit = 1 << ((added.bits >>> shift) & 31);
  const index = popCount(node.bits & (bit - 1));
  if ((node.bits & bit) === 0) return branchNode(node.bits | bit, node.children.toSpliced(index, 0, added));
  return branchNode(node.bits, node.children.with(index, inserted(node.children[index]!, added, shift + 5)));
}

function split<V>(a: Node<V>, b: Node<V>, shift: number): Node<V> {
  const [ia, ib] = [(a.bits >>> shift) & 31, (b.bits >>> shift) & 31];
  if (ia === ib) return branchNode(1 << ia, [split(a, b, shift + 5)]);
  return branchNode((1 << ia) | (1 << ib), ia < ib ? [a, b] : [b, a]);
}

function removed<V>(node: Node<V>, hash: number, key: string, shift: number): Node<V> | null {
  if (node.kind === leaf) return withoutKey(node, key);
  const bit = 1 << ((hash >>> shift) & 31);
  const index = popCount(node.bits & (bit - 1));
  const child = removed(node.children[index]!, hash, key, shift + 5);
  if (child !== null) {
    // A branch with a single leaf is the leaf: what was grown by splitting shrinks back.
    if (node.children.length === 1 && child.kind === leaf) return child;
    return branchNode(node.bits, node.children.with(index, child));
  }
  if (node.children.length === 1) return null;
  const rest = node.children.toSpliced(index, 1);
  return rest.length === 1 && rest[0]!.kind === leaf ? rest[0]! : branchNode(node.bits & ~bit, rest);
}

function withoutKey<V>(first: Node<V> | null, key: string): Node<V> | null {
  if (first === null) return null;
  if (first.key === key) return first.next;
  return leafNode(first.bits, first.key, first.value, withoutKey(first.next, key));
}

function popCount(bits: number): number {
  bits -= (bits >>> 1) & 0x55555555;
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
