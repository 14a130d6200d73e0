/** URL of a listener as a person on this machine would type it. */
export function urlOf(host: string, port: number, secure: boolean): string {
  const anywhere = host === '0.0.0.0' || host === '::' || host === '';
  const name = anywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  const standard = secure ? 443 : 80;
  return `${secure ? 'https' : 'http'}://${name}${port === standard ? '' : `:${port}`}`;
}
