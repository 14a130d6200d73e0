import { X509Certificate } from 'node:crypto';

/** From this many days before its end on, a certificate is warned of. */
const warnDays = 14;
const day = 86_400_000;

/** What the operator should know of a certificate's dates, or null. `cert` is PEM, with the served certificate first; `now` milliseconds since the epoch. */
export function certificateWarning(cert: string, now: number): string | null {
  const { validFrom, validTo } = new X509Certificate(cert);
  const begin = Date.parse(validFrom);
  const end = Date.parse(validTo);
  if (end <= now) return `the certificate of the HTTPS listener expired on ${new Date(end).toISOString()}: clients refuse it`;
  if (begin > now) return `the certificate of the HTTPS listener is not valid before ${new Date(begin).toISOString()}: clients refuse it`;
  if (end - now >= warnDays * day) return null;
  const days = Math.floor((end - now) / day);
  const left = days === 0 ? 'in less than a day' : days === 1 ? 'in 1 day' : `in ${days} days`;
  return `the certificate of the HTTPS listener expires ${left}, on ${new Date(end).toISOString()}: renew it`;
}
