import type { Admission } from './admit-request.ts';

/**
 * Response fields that tell a client how its rate limit stands, each with its line end: the customary X-RateLimit ones
 * (Reset in seconds from now), `RateLimit` and `RateLimit-Policy` as in draft-ietf-httpapi-ratelimit-headers (structured
 * fields: quota q and window w, remaining r and seconds t), and `Retry-After` on a refusal.
 */
export function rateLimitFields(admission: Admission): string {
  const limit = admission.key.rateLimit;
  const { remaining, resetSeconds, retryAfterSeconds } = admission;
  const fields =
    `X-RateLimit-Limit: ${limit}\r\nX-RateLimit-Remaining: ${remaining}\r\nX-RateLimit-Reset: ${resetSeconds}\r\n` +
    `RateLimit-Policy: "default";q=${limit};w=60\r\nRateLimit: "default";r=${remaining};t=${resetSeconds}\r\n`;
  return retryAfterSeconds === 0 ? fields : `${fields}Retry-After: ${retryAfterSeconds}\r\n`;
}
