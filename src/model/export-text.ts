import { Document, isMap, isScalar, isSeq, visit } from 'yaml';
import { escapedControls } from './escaped-controls.ts';

/** Together they take a few milliseconds, and each makes no difference to the others' text. */
const itemsAtOnce = 16;

/** The gateway config as YAML, the same text for the same config: with a comment where a stored secret is left out. */
export function exportText(config: object): string {
  return [...exportTextParts(config)].join('');
}

/** The same text in parts, in order, each of which is made when it is asked for: whoever has others waiting rests in between. */
export function* exportTextParts(config: object): Generator<string> {
  for (const [at, [key, value]] of Object.entries(config).entries()) {
    if (at > 0) yield '\n';
    const items: readonly unknown[] = Array.isArray(value) ? value : [];
    if (items.length <= itemsAtOnce) {
      yield partText({ [key]: value as unknown });
      continue;
    }
    for (let from = 0; from < items.length; from += itemsAtOnce) {
      const text = partText({ [key]: items.slice(from, from + itemsAtOnce) });
      yield from === 0 ? text : text.slice(text.indexOf('\n') + 1);
    }
  }
}

function partText(part: object): string {
  const document = new Document(part, { aliasDuplicateObjects: false, compat: 'yaml-1.1' });
  for (const { value } of isMap(document.contents) ? document.contents.items : []) {
    if (!isSeq(value)) continue;
    for (const item of value.items) {
      const authType = isMap(item) && !item.has('auth_value') ? item.get('auth_type', true) : undefined;
      if (isScalar(authType)) authType.comment = ' auth_value is stored and not exported; apply keeps it';
    }
  }
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === 'string' && needsEscapes(node.value)) node.type = 'QUOTE_DOUBLE';
    },
  });
  return escapedControls(document.toString({ lineWidth: 0 }));
}

/**
 * Whether a text is only read back as it was between double quotes: control characters, line ends that YAML or editors take for
 * their own, and spaces at the ends of a text of several lines.
 */
function needsEscapes(text: string): boolean {
  return /[^\P{C}\n]|[\u2028\u2029]/u.test(text) || (text.includes('\n') && /^\s|\s\n|\s\s$|[^\S\n]$/.test(text));
}
