let second = 0;
let field = '';

/** `Date: …` with its line end (RFC 9110 section 6.6.1), made once a second. */
export function dateField(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    field = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
  }
  return field;
}
