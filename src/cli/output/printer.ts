import { escapedControls } from '../../model/escaped-controls.ts';
import { visibleText } from '../../settings/visible-text.ts';
import type { CliOutput, CliPorts } from '../cli-ports.ts';
import { displayWidth } from './display-width.ts';
import { formatTable, type Column } from './format-table.ts';
import { styleFor, type Style } from './style.ts';

export const outputFormats = ['table', 'json', 'yaml', 'name'] as const;
export type OutputFormat = (typeof outputFormats)[number];

export type Item = Readonly<Record<string, unknown>>;

/** What is printed where: data on standard output, everything said about it on standard error. */
export class Printer {
  readonly format: OutputFormat;
  private readonly stdout: CliOutput;
  private readonly stderr: CliOutput;
  private readonly dataStyle: Style;
  private readonly noteStyle: Style;

  constructor(ports: CliPorts, format: OutputFormat, color: boolean) {
    this.format = format;
    this.stdout = ports.stdout;
    this.stderr = ports.stderr;
    this.dataStyle = styleFor(ports.stdout, ports.env, color);
    this.noteStyle = styleFor(ports.stderr, ports.env, color);
  }

  /** Colours for standard output. */
  get style(): Style {
    return this.dataStyle;
  }

  /** Text on standard output, as it is but for what would command the terminal. */
  data(text: string): void {
    this.stdout.write(withoutCommands(text));
  }

  /** A line for the person, on standard error. */
  note(line: string): void {
    this.stderr.write(`${withoutCommands(line)}\n`);
  }

  warn(line: string): void {
    this.note(`${this.noteStyle('yellow', 'Warning:')} ${line}`);
  }

  error(line: string): void {
    this.note(`${this.noteStyle('red', 'Error:')} ${line}`);
  }

  /** `nameField` is what `-o name` prints. */
  async list<T extends Item>(items: readonly T[], columns: () => Promise<readonly Column<T>[]>, nameField: string): Promise<void> {
    if (this.format === 'name') this.data(items.map((item) => `${visibleText(String(item[nameField]))}\n`).join(''));
    else if (this.format !== 'table') this.data(await this.serialised(items));
    else this.data(formatTable(await columns(), items, this.width(), this.dataStyle));
  }

  async one(item: Item, nameField: string): Promise<void> {
    if (this.format === 'name') this.data(`${visibleText(String(item[nameField]))}\n`);
    else if (this.format !== 'table') this.data(await this.serialised(item));
    else this.data(this.fields(item));
  }

  /** Of the terminal; undefined where there is none, or none that knows its size (then it says 0). */
  private width(): number | undefined {
    return this.stdout.isTTY === true ? this.stdout.columns || undefined : undefined;
  }

  /** One line per field, names aligned. */
  private fields(item: Item): string {
    const width = Math.max(...Object.keys(item).map(displayWidth));
    return Object.entries(item)
      .map(([name, value]) => `${this.dataStyle('bold', visibleText(name).padEnd(width))}  ${fieldText(value)}\n`)
      .join('');
  }

  private async serialised(value: unknown): Promise<string> {
    const text =
      this.format === 'yaml' ? (await import('yaml')).stringify(value, { lineWidth: 0 }) : `${JSON.stringify(value, undefined, 2)}\n`;
    return escapedControls(text);
  }
}

/**
 * The last look at what is printed: a server may answer with text where a number or a key should be. Line ends, tabs and the colours
 * of style.ts stay; any other control character is written out.
 */
function withoutCommands(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  return text.replace(/\u001b\[\d{1,2}m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (found) =>
    found.length > 1 ? found : visibleText(found),
  );
}

function fieldText(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  if (Array.isArray(value))
    return value.length === 0
      ? '-'
      : value.map((item) => (typeof item === 'object' ? visibleText(JSON.stringify(item)) : fieldText(item))).join(', ');
  if (typeof value !== 'string') return visibleText(JSON.stringify(value));
  if (!value.startsWith('-----BEGIN ')) return visibleText(value);
  const lines = value.trimEnd().split('\n');
  return `${visibleText(lines[0] ?? '')} … (${lines.length} lines)`;
}
