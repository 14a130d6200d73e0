/**
 * Text from elsewhere, safe to print on a terminal: control characters (escape sequences, line breaks) and characters
 * that reorder or hide their neighbours are written out, as `\n` or `\u001b`.
 */
export function visibleText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/g, (character) => {
    const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
    return short ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
