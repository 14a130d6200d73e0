/** JSON values as YAML 1.2, in blocks. Strings that could be read as anything else are quoted as JSON has them, which YAML takes. */
export function yamlOf(value: unknown): string {
  return `${blockOf(value, '').trimStart()}\n`;
}

function blockOf(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []';
    return value
      .map((item: unknown) => {
        const inner = blockOf(item, `${indent}  `);
        // A list or an object begins beside its dash.
        return `\n${indent}- ${inner.startsWith('\n') ? inner.slice(indent.length + 3) : inner.trimStart()}`;
      })
      .join('');
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    if (entries.length === 0) return ' {}';
    return entries.map(([name, inner]) => `\n${indent}${scalarOf(name)}:${blockOf(inner, `${indent}  `)}`).join('');
  }
  return ` ${scalarOf(value)}`;
}

function scalarOf(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  const isPlain = /^[A-Za-z/$][\w ./${}-]*$/.test(value) && !/ $|^(?:true|false|null|yes|no|on|off|y|n)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}
