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
  if (text === '' || text === hidden || /^\+[0-9]\*{3}[0-9]{3}$/.test(text)) return text;
  const at = text.lastIndexOf('@');
  if (at > 0 && at < text.length - 1 && !/\s/.test(text)) return maskAddress(text.slice(0, at), text.slice(at + 1));
  if (/^\+[0-9][0-9 ().-]*[0-9]$/.test(text)) {
    const digits = text.replace(/[^0-9]/g, '');
    if (digits.length >= 7) return `+${digits[0]}${hidden}${digits.slice(-3)}`;
  }
  const characters = Array.from(text);
  return characters.length < 3 ? hidden : `${characters[0]}${hidden}${characters.at(-1)}`;
}

function maskAddress(local: string, domain: string): string {
  const dot = domain.lastIndexOf('.');
  const ending = dot > 0 && dot < domain.length - 1 ? domain.slice(dot) : '';
  return `${Array.from(local)[0]}${hidden}@${Array.from(domain)[0]}${hidden}${ending}`;
}
