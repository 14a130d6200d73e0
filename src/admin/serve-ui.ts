import type { MiddlewareHandler } from 'hono';
import { GatewayError } from '../errors/gateway-error.ts';
import type { AdminContext, AdminEnv } from './admin-env.ts';
import { pageWithNonce, type ReadUi, type UiFile, type UiFiles, type UiVariant } from './ui-files.ts';

const base = '/ui/';

/**
 * Answers `/ui/` and all below it from the built UI: files by their exact path, the page for every other path (the UI
 * has its own routes), and `/` by leading there. Without a build it says what to run.
 */
export function serveUi(read: ReadUi): MiddlewareHandler<AdminEnv> {
  // Read when somebody looks, once: a gateway that nobody looks at starts sooner.
  let reading: Promise<UiFiles | undefined> | undefined;
  return async (c, next) => {
    const { path, method } = c.req;
    if (path !== '/' && path !== '/ui' && !path.startsWith(base)) return next();
    if (method !== 'GET' && method !== 'HEAD') {
      throw new GatewayError('method_not_allowed', { detail: 'This path takes GET, HEAD.' });
    }
    // Relative: whatever stands in front of us may have another name and scheme.
    if (path === '/' || path === '/ui') return new Response(null, { status: 303, headers: { Location: base } });
    reading ??= read().catch((error: unknown) => {
      reading = undefined;
      throw error;
    });
    const ui = await reading;
    if (ui === undefined) return notBuilt();
    const name = path.slice(base.length);
    const file = ui.files.get(name);
    if (file !== undefined) return fileAnswer(c, file);
    if (name.startsWith('assets/')) {
      throw new GatewayError('not_found', { detail: 'There is no such file; after an upgrade, reload the page.' });
    }
    return pageAnswer(ui);
  };
}

/** Never 304: the nonce of a kept page would not be the one of the new policy. */
function pageAnswer(ui: UiFiles): Response {
  const { html, policy } = pageWithNonce(ui);
  return new Response(html, {
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(html)),
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': policy,
    },
  });
}

function fileAnswer(c: AdminContext, file: UiFile): Response {
  const [encoding, variant] = chosenVariant(file, c.req.header('accept-encoding') ?? '');
  const headers: Record<string, string> = {
    'Cache-Control': file.hashed ? 'public, max-age=31536000, immutable' : 'no-cache',
    ETag: variant.etag,
    Vary: 'Accept-Encoding',
  };
  if (isKnown(c.req.header('if-none-match'), variant.etag)) return new Response(null, { status: 304, headers });
  if (encoding !== 'identity') headers['Content-Encoding'] = encoding;
  headers['Content-Type'] = file.type;
  headers['Content-Length'] = String(variant.bytes.length);
  return new Response(variant.bytes, { headers });
}

/** RFC 9110 section 12.5.3, as far as we have a choice: the smallest that the client takes. */
function chosenVariant({ variants }: UiFile, accepted: string): [string, UiVariant] {
  for (const encoding of ['br', 'gzip'] as const) {
    const variant = variants[encoding];
    if (variant !== undefined && accepts(accepted, encoding)) return [encoding, variant];
  }
  return ['identity', variants.identity!];
}

function accepts(field: string, encoding: string): boolean {
  const weights = new Map(
    field.split(',').map((item) => {
      const [name = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
      const weight = parameters.find((parameter) => parameter.startsWith('q='));
      return [name, weight === undefined ? 1 : Number(weight.slice(2))];
    }),
  );
  return (weights.get(encoding) ?? weights.get('*') ?? 0) > 0;
}

/** RFC 9110 section 13.1.2: weak comparison. */
function isKnown(field: string | undefined, etag: string): boolean {
  return field?.split(',').some((item) => item.trim() === '*' || item.trim().replace(/^W\//, '') === etag) ?? false;
}

function notBuilt(): Response {
  const text =
    'The admin UI is not built.\n\nIn a checkout run "npm run setup" and start the gateway again.\n' +
    'Everything works without it: see "npx apigate --help", and /admin/docs for the REST API.\n';
  return new Response(text, { status: 503, headers: { 'Content-Type': 'text/plain; charset=utf-8' } });
}
