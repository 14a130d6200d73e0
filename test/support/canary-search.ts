/** A secret that was planted, and may be seen nowhere. */
export interface Canary {
  /** What it is: `master key`. */
  readonly kind: string;
  readonly value: string;
}

/** A place that was looked at. */
export interface Searched {
  /** What it is: `the database`, `GET /metrics`. */
  readonly where: string;
  readonly bytes: Buffer | string;
}

/**
 * Looks for canaries in every form that a secret may take on its way out: as it is, in base64 wherever it may begin in
 * what was encoded, in hexadecimal, escaped for URLs, for JSON and for HTML.
 * @returns a line for each finding: what was found where, and in which form
 */
export function findCanaries(canaries: readonly Canary[], searched: readonly Searched[]): string[] {
  const found: string[] = [];
  for (const canary of canaries) {
    const forms = formsOf(canary.value);
    for (const { where, bytes } of searched) {
      const text = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
      for (const [form, pattern] of forms) if (text.includes(pattern)) found.push(`${canary.kind} in ${where}, ${form}`);
    }
  }
  return found;
}

/** The forms of a value by name. */
export function formsOf(value: string): ReadonlyMap<string, Buffer> {
  const forms = new Map<string, Buffer>();
  for (const encoding of ['utf8', 'latin1'] as const) {
    const bytes = Buffer.from(value, encoding);
    forms.set(`as it is (${encoding})`, bytes);
    forms.set(`in hexadecimal (${encoding})`, Buffer.from(bytes.toString('hex')));
    forms.set(`in capital hexadecimal (${encoding})`, Buffer.from(bytes.toString('hex').toUpperCase()));
    for (const offset of [0, 1, 2]) {
      for (const alphabet of ['base64', 'base64url'] as const) {
        // Only the characters that no neighbour has a part in.
        const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
          .toString(alphabet)
          .replaceAll('=', '');
        const from = Math.ceil((offset * 8) / 6);
        const to = Math.floor(((offset + bytes.length) * 8) / 6);
        forms.set(`in ${alphabet} at ${offset} (${encoding})`, Buffer.from(encoded.slice(from, to)));
      }
    }
  }
  forms.set('escaped for URLs', Buffer.from(encodeURIComponent(value)));
  forms.set('escaped for forms', Buffer.from(new URLSearchParams({ x: value }).toString().slice(2)));
  forms.set('escaped for JSON', Buffer.from(JSON.stringify(value).slice(1, -1)));
  forms.set('escaped for JSON twice', Buffer.from(JSON.stringify(JSON.stringify(value)).slice(3, -3)));
  forms.set(
    'escaped for JSON in ASCII',
    Buffer.from(
      JSON.stringify(value)
        .slice(1, -1)
        .replaceAll(/[^\x20-\x7e]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`),
    ),
  );
  forms.set('escaped for HTML', Buffer.from(value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')));
  return forms;
}
