import type { MiddlewareHandler } from 'hono';
import type { AdminEnv } from './admin-env.ts';

/** Headers of every answer of the admin plane: nothing is cached, framed, sniffed, or read by another site. */
export const securityHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
} as const;

/** Adds them, and the request's id, to whatever is answered. */
export function addSecurityHeaders(): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    await next();
    secure(c.res, c.env.requestId);
  };
}

/** Adds them to one answer; a header that it has already stays. */
export function secure(response: Response, requestId: string): Response {
  response.headers.set('X-Request-Id', requestId);
  for (const [name, value] of Object.entries(securityHeaders)) {
    if (!response.headers.has(name)) response.headers.set(name, value);
  }
  return response;
}
