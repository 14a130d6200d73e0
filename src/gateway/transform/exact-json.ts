/** Node.js 24 has these; the type library does not know them yet. */
interface RawJson {
  readonly rawJSON: string;
}
const json = JSON as unknown as {
  rawJSON(text: string): RawJson;
  isRawJSON(value: unknown): value is RawJson;
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
};

/**
 * Parses JSON so that it can be written again with every number as it was: `1.0`, `12345678901234567890` and `1e400` do not
 * survive as numbers of JavaScript, and become objects that print their own source. Of two equal keys the last one stays;
 * `__proto__` is a key like others. @throws SyntaxError
 */
export function parseExactJson(text: string): unknown {
  if (!mayLoseDigits.test(text)) return JSON.parse(text);
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? json.rawJSON(source) : value,
  );
}

/** Whether a value is an object or list that has members of its own; a number kept as its source is none. */
export function isContainer(value: unknown): value is Record<string, unknown> | unknown[] {
  return typeof value === 'object' && value !== null && !json.isRawJSON(value);
}

// Sixteen digits or a dot among them, an exponent, a fraction that ends in 0, a very small fraction, minus zero. Also finds such
// things within strings, which costs time and changes nothing.
const mayLoseDigits = /[0-9.]{16}|[0-9][eE][-+0-9]|\.[0-9]*0(?![0-9])|0\.0{6}|-0/;
