import { GatewayError } from '../errors/gateway-error.ts';
import type { AdminContext } from './admin-env.ts';
import { parseStrictJson } from './strict-json.ts';

const mebibyte = 1024 * 1024;
/** A whole gateway config: 10,000 routes with conditions and descriptions fit. */
const largerLimits: ReadonlyMap<string, number> = new Map([
  ['/admin/apply', 10 * mebibyte],
  ['/admin/explain', 10 * mebibyte],
]);

/** Largest body in bytes at a path. */
export function bodyLimitAt(path: string): number {
  return largerLimits.get(path) ?? mebibyte;
}

/**
 * Reads and parses the body.
 * @throws GatewayError `unsupported_media_type`, `payload_too_large`, `malformed_json`
 */
export async function readJson(c: AdminContext): Promise<unknown> {
  const type = /^\s*application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;
  if (!type.test(c.req.header('content-type') ?? '')) throw new GatewayError('unsupported_media_type');
  const coding = c.req.header('content-encoding');
  if (coding !== undefined && coding.toLowerCase() !== 'identity') {
    throw new GatewayError('unsupported_media_type', { detail: 'Send the body without a Content-Encoding.' });
  }
  return parseStrictJson(await readBody(c.req.raw, bodyLimitAt(c.req.path)));
}

/** As readJson, where a request without a body is the empty object. */
export async function readOptionalJson(c: AdminContext): Promise<unknown> {
  const header = (name: string): string | undefined => c.req.header(name);
  const empty =
    (header('content-length') ?? '0') === '0' && header('transfer-encoding') === undefined && header('content-type') === undefined;
  return empty ? {} : await readJson(c);
}

async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new GatewayError('invalid_request', { detail: 'The body did not arrive whole.', cause });
    });
    if (done) return Buffer.concat(chunks);
    size += value.byteLength;
    if (size > limit) {
      await reader.cancel().catch(() => undefined);
      throw new GatewayError('payload_too_large');
    }
    chunks.push(value);
  }
}
