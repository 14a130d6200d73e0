import { Buffer } from 'node:buffer';
import type { AuthType } from './upstream.ts';

export const authValueMaxBytes = 16_384;

/**
 * Why a credential cannot be sent as it is, in words that complete "the value …", or undefined when it can.
 * Header values are what RFC 9110 section 5.5 allows, in Latin-1; basic is `username:password` (RFC 7617).
 */
export function authValueProblem(type: AuthType, value: string): string | undefined {
  if (value === '') return 'must not be empty';
  if (Buffer.byteLength(value) > authValueMaxBytes) return `must not be longer than ${authValueMaxBytes} bytes`;
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  if (/[\r\n\0]/.test(value)) return 'must not contain line ends or NUL';
  // oxlint-disable-next-line no-control-regex -- as above
  if (/[\u0001-\u0008\u000b-\u001f\u007f]/.test(value)) return 'must not contain control characters';
  if (/[^\u0000-\u00ff]/.test(value)) return 'must not contain characters outside Latin-1';
  if (/^[ \t]|[ \t]$/.test(value)) return 'must not begin or end with a space';
  if (type === 'basic' && !value.includes(':')) return 'must be username:password, with a colon';
  return undefined;
}

/**
 * Why a header cannot carry an upstream's credential, or undefined when it can: it must be a header name
 * (RFC 9110 section 5.1), and none that frames or routes the message or that the gateway writes itself.
 */
export function authHeaderProblem(name: string): string | undefined {
  if (name.length > 100) return 'must have at most 100 characters';
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) return 'is not a header name';
  const lower = name.toLowerCase().replaceAll('_', '-');
  if (refusedHeaders.has(lower) || lower.startsWith('x-forwarded-')) {
    return `cannot be ${name}: that header frames or routes the message, or the gateway writes it itself`;
  }
  return undefined;
}

const refusedHeaders = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
  'http2-settings',
  'expect',
  'date',
  'via',
  'forwarded',
  'x-request-id',
  'x-key-id',
  'traceparent',
  'tracestate',
]);
