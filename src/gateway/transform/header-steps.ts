import type { HeaderFields } from '../../http/header-fields.ts';
import type { NamedSteps } from '../../model/transformation.ts';
import { foldedName, type ProtectionContext, protectionOf } from './protected-fields.ts';
import { compileTemplate, headerText, type Template, type TemplateScope } from './template.ts';
import type { TransformFacts } from './transform-facts.ts';

/** One change to a message's fields; steps are done in their order. */
export interface HeaderStep {
  readonly act: 'remove' | 'set' | 'add';
  /** As it is written. */
  readonly name: string;
  readonly folded: string;
  /** null for `remove`. */
  readonly value: Template | null;
  /** The whole field with its line end where the value never changes, '' for `remove`; null where it is made for each message. */
  readonly line: string | null;
}

/** A field that a transformation writes. */
export interface AddedField {
  readonly folded: string;
  /** With its line end. */
  readonly line: string;
}

/** Compiles `remove`, `set` and `add`, in this order. `note` hears of each fault, with its path below `at`. */
export function compileHeaders(
  steps: NamedSteps | undefined,
  scope: TemplateScope,
  protection: Omit<ProtectionContext, 'removes'>,
  at: string,
  note: (field: string, message: string) => void,
): readonly HeaderStep[] {
  const compiled: HeaderStep[] = [];
  for (const [index, name] of (steps?.remove ?? []).entries()) {
    const problem = protectionOf(name, { ...protection, removes: true });
    if (problem !== null) note(`${at}.remove.${index}`, problem);
    else compiled.push({ act: 'remove', name, folded: foldedName(name), value: null, line: '' });
  }
  for (const act of ['set', 'add'] as const) {
    for (const [name, text] of Object.entries(steps?.[act] ?? {})) {
      const problem = protectionOf(name, { ...protection, removes: false });
      const value = compileTemplate(text, scope);
      if (problem !== null) note(`${at}.${act}.${name}`, problem);
      if (typeof value === 'string') note(`${at}.${act}.${name}`, value);
      else if (problem === null) compiled.push({ act, name, folded: foldedName(name), value, line: constantLine(name, value) });
    }
  }
  return compiled;
}

/**
 * Marks the fields that go as dropped and appends what is written to `added`. Whoever writes the head copies what is left, byte
 * for byte. @throws TransformFailure
 */
export function applyHeaders(fields: HeaderFields, steps: readonly HeaderStep[], facts: TransformFacts, added: AddedField[]): void {
  for (const { act, name, folded, value, line: constant } of steps) {
    // Before anything is dropped: the value may be made from the field it replaces.
    const line = constant ?? `${name}: ${headerText(value!, facts)}\r\n`;
    if (act !== 'add') {
      for (let index = 0; index < fields.count; index++) if (isNamed(fields, index, folded)) fields.dropped[index] = 1;
      for (let index = added.length - 1; index >= 0; index--) if (added[index]!.folded === folded) added.splice(index, 1);
    }
    if (line !== '') added.push({ folded, line });
  }
}

function constantLine(name: string, { parts }: Template): string | null {
  const [only = ''] = parts;
  // With a control character in it, each message fails: see headerText.
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  return parts.length > 1 || typeof only !== 'string' || /[\u0000-\u0008\u000a-\u001f\u007f]/.test(only) ? null : `${name}: ${only}\r\n`;
}

/** Names that a message no longer has as it came, as dropNamed takes them: its trailers must not bring them back. */
export function replacedNames(steps: readonly HeaderStep[]): readonly string[] {
  return steps.filter(({ act }) => act !== 'add').map(({ folded }) => folded);
}

/** Whether a field has that name, in any case and with `_` for `-`: CGI-like backends take one for the other. */
export function isNamed(fields: HeaderFields, index: number, folded: string): boolean {
  const start = fields.nameStart[index]!;
  if (fields.nameEnd[index]! - start !== folded.length) return false;
  for (let offset = 0; offset < folded.length; offset++) {
    let byte = fields.bytes[start + offset]!;
    if (byte >= 0x41 && byte <= 0x5a) byte |= 0x20;
    else if (byte === 0x5f) byte = 0x2d;
    if (byte !== folded.charCodeAt(offset)) return false;
  }
  return true;
}

/** Marks all fields of these names as dropped. */
export function dropNamed(fields: HeaderFields, folded: readonly string[]): void {
  for (let index = 0; index < fields.count; index++) {
    for (const name of folded) if (isNamed(fields, index, name)) fields.dropped[index] = 1;
  }
}
