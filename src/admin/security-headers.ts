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

/** Adds them, and the request's id, to whatever is answered; a header that the answer has already stays. */
export function addSecurityHeaders(): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    await next();
    c.res.headers.set('X-Request-Id', c.env.requestId);
    for (const [name, value] of Object.entries(securityHeaders)) {
      if (!c.res.headers.has(name)) c.res.headers.set(name, value);
    }
  };
}
