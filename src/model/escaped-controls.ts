/** JSON leaves these control characters bare, and terminals act on them; JSON and YAML read the escapes back. */
export function escapedControls(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u007f-\u009f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
