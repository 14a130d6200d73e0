import { isKeptNumber } from './exact-json.ts';

const hidden = '***';

/**
 * A scalar as it may be shown: `u***@d***.com`, `+1***890`, first and last character of other strings (none of those shorter
 * than three), `"***"` for numbers and booleans. null says nothing and stays.
 */
export function maskScalar(value: unknown): unknown {
  if (value === null) return null;
  return typeof value === 'string' && !isKeptNumber(value) ? maskText(value) : hidden;
}

function maskText(text: string): string {
  // What is masked already stays so: masks run before and after renames.
  if (text === '' || text === hidden) return text;
  const at = text.lastIndexOf('@');
  if (at > 0 && at < text.length - 1 && !/\s/.test(text)) return maskAddress(text.slice(0, at), text.slice(at + 1));
  if (text.startsWith('+')) {
    if (/^\+[0-9]\*{3}[0-9]{3}$/.test(text)) return text;
    const digits = /^\+[0-9][0-9 ().-]*[0-9]$/.test(text) ? text.replace(/[^0-9]/g, '') : '';
    if (digits.length >= 7) return `+${digits[0]}${hidden}${digits.slice(-3)}`;
  }
  const first = firstCharacter(text);
  const last = lastCharacter(text);
  return first.length + last.length >= text.length ? hidden : first + hidden + last;
}

function firstCharacter(text: string): string {
  return text.slice(0, text.codePointAt(0)! > 0xffff ? 2 : 1);
}

function lastCharacter(text: string): string {
  return text.slice((text.codePointAt(text.length - 2) ?? 0) > 0xffff ? -2 : -1);
}

function maskAddress(local: string, domain: string): string {
  const dot = domain.lastIndexOf('.');
  const ending = dot > 0 && dot < domain.length - 1 ? domain.slice(dot) : '';
  return `${firstCharacter(local)}${hidden}@${firstCharacter(domain)}${hidden}${ending}`;
}
