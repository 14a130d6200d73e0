export interface HeaderLine {
  readonly name: string;
  readonly value: string;
}

/** Headers as people type them, one a line. A string says what is wrong. */
export function readHeaderLines(text: string): readonly HeaderLine[] | string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const headers: HeaderLine[] = [];
  for (const line of lines) {
    const [, name, value] = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*:(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return `Write one header a line, as “Name: value”; this is none: ${line.trim()}`;
    headers.push({ name, value: value.trim() });
  }
  return headers;
}

/** As the preview takes them: a list where a name comes more than once. */
export function headersByName(lines: readonly HeaderLine[]): Record<string, string | string[]> {
  const groups = Map.groupBy(lines, ({ name }) => name);
  return Object.fromEntries(
    [...groups].map(([name, of]) => [name, of.length === 1 ? of[0]!.value : of.map(({ value }) => value)] as const),
  );
}
