import { styleText } from 'node:util';
import type { CliOutput } from '../cli-ports.ts';

export type StyleName = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';

/** Colours a text, or leaves it as it is where colour is not wanted. */
export type Style = (name: StyleName, text: string) => string;

/** Colour goes to terminals only, and not where NO_COLOR (no-color.org), --no-color or TERM=dumb says otherwise. */
export function styleFor(output: CliOutput, env: Readonly<Record<string, string | undefined>>, wanted: boolean): Style {
  const refused = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  if (!wanted || refused || output.isTTY !== true) return (_name, text) => text;
  return (name, text) => styleText(name, text, { validateStream: false });
}
