/** `2027-01-31T12:00:00`, in the browser's time zone: what ISO 8601 calls local time. */
export function localTime(date: Date): string {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** `14:03:05`, in the browser's time zone, of milliseconds since 1970. */
export function clockText(at: number): string {
  return localTime(new Date(at)).slice(11);
}
