import { visibleText } from '../settings/visible-text.ts';

/** A word as a POSIX shell reads it back; what would disturb the terminal is made visible first. */
export function shellQuote(word: string): string {
  const visible = visibleText(word);
  return /^[\w@%+=:,./-]+$/.test(visible) ? visible : `'${visible.replaceAll("'", "'\\''")}'`;
}
