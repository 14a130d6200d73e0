import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';

/** The built admin UI, in memory: what is not in this list cannot be asked for, whatever the path says. */
export interface UiFiles {
  /** By path behind `/ui/`: `assets/main-Bx3f.js`. */
  readonly files: ReadonlyMap<string, UiFile>;
  /** index.html in the parts between which a nonce goes. */
  readonly page: readonly string[];
}

/** Reads the built UI; undefined where there is none. */
export type ReadUi = () => Promise<UiFiles | undefined>;

export interface UiFile {
  readonly type: string;
  /** Whether its name changes with its content. */
  readonly hashed: boolean;
  /** Without an encoding, and what the build made smaller. */
  readonly variants: Readonly<Partial<Record<'identity' | 'gzip' | 'br', UiVariant>>>;
}

export interface UiVariant {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Strong: names these very bytes. */
  readonly etag: string;
}

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
const encodings: Readonly<Record<string, 'br' | 'gzip'>> = { '.br': 'br', '.gz': 'gzip' };
/** Stands in index.html where the nonce goes: ui/vite.config.ts. */
const placeholder = '__CSP_NONCE__';

/** Reads what the build left in `folder`; undefined where the UI is not built. */
export async function readUiFiles(folder: string): Promise<UiFiles | undefined> {
  const html = await readFile(join(folder, 'index.html'), 'utf8').catch(() => undefined);
  if (html === undefined) return undefined;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map<string, { type: string; hashed: boolean; variants: Partial<Record<'identity' | 'gzip' | 'br', UiVariant>> }>();
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/');
    const encoding = encodings[extname(path)] ?? 'identity';
    const name = encoding === 'identity' ? path : path.slice(0, -extname(path).length);
    const type = types[extname(name)];
    if (type === undefined) continue;
    const bytes = new Uint8Array(await readFile(join(folder, path)));
    const file = files.get(name) ?? { type, hashed: name.startsWith('assets/'), variants: {} };
    file.variants[encoding] = { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` };
    files.set(name, file);
  }
  return { files, page: html.split(placeholder) };
}

/** The page with a nonce of its own, and the policy that goes with it. */
export function pageWithNonce({ page }: UiFiles): { readonly html: string; readonly policy: string } {
  const nonce = randomBytes(18).toString('base64');
  return { html: page.join(nonce), policy: uiPolicy(nonce) };
}

/**
 * The strictest under which the UI works. Scripts come from files of ours alone. Components put style elements into the
 * page for what depends on the theme: those carry the nonce. There are no style attributes in markup; what scripts set
 * through the CSSOM is not governed by the policy (CSP Level 3, section 6.1.14).
 */
function uiPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
