import type { UpstreamConfig } from '../../model/gateway-config.ts';
import { testAnotherPath } from '../../model/upstream-problems.ts';
import type { ProbeResult } from '../../model/upstream-test.ts';
import type { AnswerFailure, AnswerHead, AnswerReport } from './ask-upstream.ts';
import { type Problem, problemOf } from './explain-dial.ts';
import { type CredentialMask, mask } from './mask-credential.ts';

export interface AskedUpstream {
  readonly config: UpstreamConfig;
  /** `10.0.0.5:8080` */
  readonly place: string;
  /** Name of the credential's field; '' for none. */
  readonly credentialName: string;
  readonly waitMs: number;
}

/** What a missing, broken or unwelcome answer means; null for one that is fine. */
export function explainAnswer(report: AnswerReport, asked: AskedUpstream, masking: CredentialMask): Problem | null {
  const { head, failure } = report;
  if (head === null) return explainFailure(failure!, asked, masking);
  if (speaksOfTls(report)) return problemOf('tls_expected', `base_url says http, but ${asked.place} says that it speaks TLS.`);
  if (failure?.kind === 'timeout')
    return problemOf('answer_timeout', `The head of an answer came (${head.status}), but ${failure.reason} (deadline exceeded).`);
  if (failure !== null) return problemOf('connection_reset', `The answer began (${head.status}), but it broke off: ${failure.reason}.`);
  return explainStatus(head, asked, masking);
}

/** What is worth knowing of an answer that is no problem. */
export function answerNotes(head: AnswerHead, path: string, masking: CredentialMask): string[] {
  const location = head.fields.get('location');
  if (head.status >= 300 && head.status < 400 && location !== undefined)
    return [
      `It answers ${head.status} and sends to ${masking.hide(location)}: clients get that answer as it is. If all of the API moved, change base_url.`,
    ];
  if (head.status === 404)
    return ['It answers 404 for this path, so the service can be reached.', ...(path === '' ? [testAnotherPath] : [])];
  return [];
}

/** What a test shows of an answer, the credential masked wherever it comes back. */
export function describeAnswer(report: AnswerReport, masking: CredentialMask): ProbeResult['answer'] {
  if (report.head === null) return null;
  const { status, reason, fields } = report.head;
  const shown = (name: string): string | null => {
    const value = fields.get(name);
    return value === undefined ? null : masking.hide(value).slice(0, 500);
  };
  return {
    status,
    reason: masking.hide(reason).slice(0, 100),
    server: shown('server'),
    content_type: shown('content-type'),
    location: shown('location'),
    body_start: bodyStart(report, masking),
  };
}

const excerptLength = 300;

function bodyStart({ head, body, bodyIsWhole }: AnswerReport, masking: CredentialMask): string | null {
  const coding = head?.fields.get('content-encoding')?.toLowerCase() ?? 'identity';
  if (body.length === 0 || coding !== 'identity') return null;
  // Where the bytes were cut, the last character may be incomplete: that is no reason not to show the rest.
  const text = new TextDecoder('utf-8').decode(body, { stream: !bodyIsWhole });
  // oxlint-disable-next-line no-control-regex -- control characters are what tells text from other things
  if (/[\u0000-\u0008\u000e-\u001a\u001c-\u001f\ufffd]/.test(text)) return null;
  const hidden = bodyIsWhole ? masking.hide(text) : masking.hideInPart(text);
  return hidden.length > excerptLength ? `${hidden.slice(0, excerptLength)}…` : hidden;
}

function explainFailure(failure: AnswerFailure, { place, waitMs, config }: AskedUpstream, masking: CredentialMask): Problem {
  if (failure.kind === 'timeout') {
    const longer = config.timeout_ms > waitMs ? `; requests wait up to the upstream's timeout_ms, ${config.timeout_ms} ms` : '';
    return problemOf('answer_timeout', `No answer within ${waitMs} ms (deadline exceeded)${longer}.`);
  }
  if (failure.code === 'upstream_invalid_response') {
    if (isTlsRecord(failure.received)) return problemOf('tls_expected', `base_url says http, but ${place} speaks TLS.`);
    return problemOf(
      'not_http',
      `The answer of ${place} is not HTTP/1.1: ${failure.reason}. It begins with: ${firstBytes(failure.received, masking)}`,
    );
  }
  if (failure.received.length > 0) return problemOf('connection_reset', `The answer of ${place} broke off in its head.`);
  return failure.endedInOrder
    ? problemOf('empty_reply', `${place} closed the connection without an answer.`)
    : problemOf('connection_reset', `${place} reset the connection without an answer.`);
}

function explainStatus(head: AnswerHead, { config, credentialName }: AskedUpstream, masking: CredentialMask): Problem | null {
  const { status } = head;
  if (status === 508 && /\bproxy_loop_detected\b/.test(head.fields.get('proxy-status') ?? ''))
    return problemOf('leads_to_gateway', 'The request came back to this gateway by way of another proxy, which went round in a circle.');
  if (status === 401 || status === 403) {
    if (credentialName === '')
      return problemOf('credential_wanted', `It answers ${status}, and no credential is set for this upstream (auth_type none).`);
    const sent = `${credentialName}: ${config.auth_type === 'header' ? '' : `${config.auth_type === 'basic' ? 'Basic' : 'Bearer'} `}${mask}`;
    const guess =
      status === 401 ? 'the credential is likely wrong or expired' : 'the credential is likely wrong, or not allowed to do this';
    return problemOf('credential_rejected', `It answers ${status} although the credential was sent (${sent}): ${guess}.`);
  }
  const location = head.fields.get('location') ?? '';
  if (status >= 300 && status < 400 && signInPage.test(location))
    return problemOf(
      'sign_in_redirect',
      `It answers ${status} and sends to ${masking.hide(location).slice(0, 500)}: a page for people, not an API.`,
    );
  if (status >= 500) return problemOf('error_answer', `It answers ${status}: the service can be reached, but fails itself.`);
  return null;
}

const signInPage = /(?:^|[/.?&=_-])(?:log-?in|sign-?in|sign-?on|sso|auth|oauth2?|authenticate|authorize|saml2?)(?:[/.?&=_-]|$)/i;

/** Servers say so in words when plain HTTP comes to their HTTPS port: nginx, Go, Apache, HAProxy. */
function speaksOfTls({ head, body }: AnswerReport): boolean {
  return head!.status === 400 && /https (?:port|server)|ssl-enabled server|plain http/i.test(body.subarray(0, 2_000).latin1Slice());
}

/** An alert (21) or a handshake (22) of SSL 3 to TLS 1.3: RFC 8446 section 5.1. */
export function isTlsRecord(bytes: Buffer): boolean {
  return (bytes[0] === 21 || bytes[0] === 22) && bytes[1] === 3;
}

function firstBytes(bytes: Buffer, masking: CredentialMask): string {
  const text = bytes.subarray(0, 60).latin1Slice();
  // oxlint-disable-next-line no-control-regex -- as above
  if (!/[^\x20-\x7e\r\n\t]/.test(text)) return masking.hideInPart(text.trimEnd());
  return `bytes ${bytes
    .subarray(0, 16)
    .toString('hex')
    .replaceAll(/(..)(?=.)/g, '$1 ')}`;
}
