import type { WorkerListener } from '../gateway/worker-protocol.ts';
import type { Settings } from '../settings/settings.ts';
import { urlOf } from './url-of.ts';

export interface Banner {
  readonly settings: Settings;
  readonly listeners: readonly WorkerListener[];
  /** The admin plane's own listener; null where it shares the traffic port. */
  readonly adminListener: { readonly host: string; readonly port: number } | null;
  /** Given while there is no admin yet. */
  readonly setupCode: string | undefined;
  readonly demo: boolean;
}

/** What a person reads at start: where the gateway is, how to make the first admin, and what to try next. */
export function bannerOf({ settings, listeners, adminListener, setupCode, demo }: Banner): string {
  const first = listeners[0]!;
  const traffic = urlOf(first.host, first.port, first.tls !== null);
  const admin = adminListener === null ? traffic : urlOf(adminListener.host, adminListener.port, false);
  const lines = ['', `  APIGate is ready on ${traffic}`, `  Admin UI:  ${admin}/ui/`, `  Admin API: ${admin}/admin`];
  if (setupCode !== undefined) {
    lines.push(
      '',
      `  There is no admin yet. One-time set-up code: ${setupCode}`,
      '  Make the first admin in a browser:',
      // What is behind # never leaves the browser.
      `    ${admin}/ui/setup#code=${setupCode}`,
      '  or from a terminal:',
      `    ${setupCommand(admin, setupCode)}`,
    );
  }
  lines.push('', '  Try next:', `    ${nextCommand(settings, traffic, demo)}`, '');
  return `${lines.join('\n')}\n`;
}

function setupCommand(admin: string, code: string): string {
  return `curl ${admin}/admin/setup -H 'Content-Type: application/json' -d '{"code":"${code}","email":"you@example.com","password":"a long password"}'`;
}

function nextCommand(settings: Settings, traffic: string, demo: boolean): string {
  if (demo) return `curl ${traffic}/hello`;
  if (settings.defaultUpstream?.public === true) return `curl ${traffic}/`;
  return 'npx apigate upstreams create --name my-api --url https://api.example.com';
}
