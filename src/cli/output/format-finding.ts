import type { DoctorFinding } from '../../model/doctor-finding.ts';
import { visibleText } from '../../settings/visible-text.ts';
import type { Style, StyleName } from './style.ts';

const words: Readonly<Record<DoctorFinding['result'], readonly [string, StyleName]>> = {
  ok: ['ok     ', 'green'],
  warning: ['warning', 'yellow'],
  broken: ['broken ', 'red'],
  skipped: ['skipped', 'dim'],
};

/** A finding for people: what it is about and what was found in one line, how to mend it in the next. */
export function formatFinding({ check, result, found, mend }: DoctorFinding, style: Style): string {
  const [word, colour] = words[result];
  const line = `${style(colour, word)}  ${style('bold', visibleText(check))}: ${visibleText(found)}\n`;
  return mend === null ? line : `${line}         → ${visibleText(mend)}\n`;
}
