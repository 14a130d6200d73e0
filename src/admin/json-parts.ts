const itemsAtOnce = 100;

/** What `JSON.stringify` makes of an object, in parts: its long lists some items at a time, each part when it is asked for. */
export function* jsonParts(value: object): Generator<string> {
  let before = '{';
  for (const [name, field] of Object.entries(value) as [string, unknown][]) {
    if (field === undefined) continue;
    yield `${before}${JSON.stringify(name)}:`;
    before = ',';
    if (!Array.isArray(field) || field.length <= itemsAtOnce) {
      yield JSON.stringify(field);
      continue;
    }
    for (let from = 0; from < field.length; from += itemsAtOnce) {
      const items = JSON.stringify(field.slice(from, from + itemsAtOnce));
      yield `${from === 0 ? '[' : ','}${items.slice(1, -1)}`;
    }
    yield ']';
  }
  yield before === '{' ? '{}' : '}';
}
