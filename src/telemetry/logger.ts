import { styleText } from 'node:util';
import { pino } from 'pino';
import { escapeText, isoTime, type LineLevel, lineLevels, type LogFormat, type LogLevel } from './log-text.ts';

/**
 * What a line may tell besides its message. The list is closed and values are plain, so that an object which happens to hold
 * headers or a credential can never be logged whole. A field that is not listed is named in `unlisted`, without its value.
 */
const allowedFields: ReadonlySet<string> = new Set([
  'actor',
  'actor_label',
  'address',
  'cert',
  'code',
  'count',
  'database',
  'error',
  'file',
  'hint',
  'host',
  'key',
  'key_id',
  'kind',
  'listeners',
  'method',
  'ms',
  'name',
  'node',
  'path',
  'pid',
  'port',
  'reason',
  'remote',
  'request_id',
  'revision',
  'route',
  'route_id',
  'served',
  'setting',
  'signal',
  'source',
  'stack',
  'status',
  'upstream',
  'upstream_id',
  'version',
  'worker',
  'workers',
]);

/**
 * The operational log: starts, changes, failures; requests have the access log. Fields come first, as with pino. `err` takes
 * whatever was thrown and becomes `error` (its message and its causes') and, at level error, `stack`.
 */
export interface Logger extends Readonly<Record<LineLevel, (fields: object, message: string) => void>> {
  readonly level: LogLevel;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Takes whole lines, each with its line end. */
  readonly sink: { write(line: string): unknown };
  /** Colours for text on a terminal. */
  readonly color?: boolean;
}

export function createLogger(options: LoggerOptions): Logger {
  const emit = options.format === 'json' ? jsonEmitter(options) : textEmitter(options);
  const least = options.level === 'silent' ? lineLevels.length : lineLevels.indexOf(options.level);
  const at = (level: LineLevel) => {
    if (lineLevels.indexOf(level) < least) return () => {};
    return (fields: object, message: string): void => {
      let plain: PlainFields;
      try {
        plain = plainFields(level, fields);
      } catch {
        // A value that cannot even be looked at must not take the line with it, let alone the process.
        plain = { unlisted: 'a value that cannot be read' };
      }
      emit(level, message, plain);
    };
  };
  return { level: options.level, trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** The line that a LogSink tells of dropped ones with. */
export function droppedNotice(format: LogFormat, lines: number, epochMs: number): string {
  const message = `${lines} log lines dropped: standard output was not read fast enough`;
  return format === 'json'
    ? `{"level":"warn","time":"${isoTime(epochMs)}","msg":"${message}","count":${lines}}\n`
    : `${isoTime(epochMs)} warn  ${message}\n`;
}

type PlainFields = Readonly<Record<string, string | number | boolean | null>>;
type Emit = (level: LineLevel, message: string, fields: PlainFields) => void;

function jsonEmitter(options: LoggerOptions): Emit {
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${isoTime(Date.now())}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    // JSON leaves the second block of control characters as it is; a terminal would obey them. They only occur within strings.
    { write: (line: string) => void options.sink.write(line.replaceAll(/[\u007f-\u009f\u2028\u2029]/g, unicodeEscape)) },
  );
  return (level, message, fields) => logger[level](fields, message);
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function textEmitter(options: LoggerOptions): Emit {
  return (level, message, fields) => {
    let line = `${isoTime(Date.now())} ${paint(level.padEnd(5), level, options.color === true)} ${escapeText(message, maxText)}`;
    for (const [name, value] of Object.entries(fields)) {
      if (name === 'stack') continue;
      const text = escapeText(String(value), maxText);
      line += ` ${name}=${/[\s"=]|^$/.test(text) ? `"${text}"` : text}`;
    }
    // The stack is the one thing that reads better in lines of its own.
    const stack = fields['stack'];
    if (typeof stack === 'string') for (const part of stack.split('\n')) line += `\n    ${escapeText(part, maxText)}`;
    options.sink.write(`${line}\n`);
  };
}

function paint(text: string, level: LineLevel, color: boolean): string {
  if (!color || level === 'info') return text;
  return styleText(level === 'error' ? 'red' : level === 'warn' ? 'yellow' : 'gray', text, { validateStream: false });
}

const maxText = 8192;
const maxListed = 32;

function plainFields(level: LineLevel, fields: object): PlainFields {
  const plain: Record<string, string | number | boolean | null> = {};
  const unlisted: string[] = [];
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    if (name === 'err') {
      const { message, stack } = describeThrown(value);
      plain['error'] = cut(message);
      if (level === 'error' && stack !== undefined) plain['stack'] = cut(stack);
    } else if (!allowedFields.has(name)) {
      unlisted.push(name);
    } else if (typeof value === 'string') {
      plain[name] = cut(value);
    } else if (typeof value === 'number' || typeof value === 'boolean' || value === null) {
      plain[name] = value;
    } else if (Array.isArray(value) && value.every((member) => typeof member === 'string')) {
      plain[name] = cut(value.slice(0, maxListed).join(', '));
    } else if (value !== undefined) {
      unlisted.push(name);
    }
  }
  if (unlisted.length > 0) plain['unlisted'] = cut(unlisted.join(', '));
  return plain;
}

function describeThrown(thrown: unknown): { message: string; stack: string | undefined } {
  const messages: string[] = [];
  let stack: string | undefined;
  for (
    let cause = thrown;
    cause !== undefined && cause !== null && messages.length < 5;
    cause = cause instanceof Error ? cause.cause : undefined
  ) {
    const message = cause instanceof Error ? cause.message || cause.name : typeof cause === 'string' ? cause : `a thrown ${typeof cause}`;
    if (messages.at(-1) !== message) messages.push(message);
    // The innermost one says where it happened.
    if (cause instanceof Error) stack = cause.stack;
  }
  return { message: messages.join(': '), stack };
}

function cut(text: string): string {
  return text.length > maxText ? `${text.slice(0, maxText)}...` : text;
}
