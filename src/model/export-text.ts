import { Document, isMap, isScalar, isSeq, visit } from 'yaml';
import { escapedControls } from './escaped-controls.ts';

/** The gateway config as YAML, the same text for the same config: with a comment where a stored secret is left out. */
export function exportText(config: object): string {
  const document = new Document(config, { aliasDuplicateObjects: false, compat: 'yaml-1.1' });
  if (isMap(document.contents)) {
    for (const [at, { key, value }] of document.contents.items.entries()) {
      if (at > 0 && isScalar(key)) key.spaceBefore = true;
      if (!isSeq(value)) continue;
      for (const item of value.items) {
        const authType = isMap(item) && !item.has('auth_value') ? item.get('auth_type', true) : undefined;
        if (isScalar(authType)) authType.comment = ' auth_value is stored and not exported; apply keeps it';
      }
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
