import type { UpstreamConfig } from '../../model/gateway-config.ts';

export const mask = '********';

/** Shorter parts than this are found in too many texts to be looked for. */
const shortestPart = 4;

/** Takes an upstream's credential out of what that upstream answers: services that show a request's headers are not rare. */
export class CredentialMask {
  private readonly forms: readonly string[];
  private readonly pattern: RegExp | null;

  constructor(config: Pick<UpstreamConfig, 'auth_type' | 'credential'>) {
    this.forms = formsOf(config);
    this.pattern =
      this.forms.length === 0 ? null : new RegExp(this.forms.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'gi');
  }

  /** The text without the credential in any form that is known to come back: as it is, in Base64, percent-encoded, in JSON or HTML. */
  hide(text: string): string {
    return this.pattern === null ? text : text.replace(this.pattern, mask);
  }

  /** As `hide`, for the first part of a longer text: what may be the beginning of the credential at its end goes too. */
  hideInPart(text: string): string {
    const hidden = this.hide(text);
    const lower = hidden.toLowerCase();
    let cut = 0;
    for (const form of this.forms) {
      const start = form.toLowerCase();
      for (let length = Math.min(start.length - 1, lower.length); length > cut; length--) {
        if (lower.endsWith(start.slice(0, length))) cut = length;
      }
    }
    return cut === 0 ? hidden : hidden.slice(0, -cut);
  }
}

function formsOf({ auth_type: type, credential }: Pick<UpstreamConfig, 'auth_type' | 'credential'>): string[] {
  if (credential.kind !== 'value' || type === 'none') return [];
  const { value } = credential;
  const password = type === 'basic' ? value.slice(value.indexOf(':') + 1) : '';
  const parts = password.length >= shortestPart ? [value, password] : [value];
  const forms = parts.flatMap((part) => [
    part,
    // The bytes that were sent, and those that a service makes of them which takes them for UTF-8.
    Buffer.from(part, 'latin1').toString('base64').replace(/=+$/, ''),
    Buffer.from(part, 'utf8').toString('base64').replace(/=+$/, ''),
    Buffer.from(part, 'latin1').toString('base64url'),
    encodeURIComponent(part),
    JSON.stringify(part).slice(1, -1),
    htmlOf(part),
  ]);
  // The longest first: a form may stand inside of another.
  return [...new Set(forms)].toSorted((a, b) => b.length - a.length);
}

function htmlOf(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');
}
