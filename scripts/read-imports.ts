/** One way in which a module names another one. */
export interface Import {
  /** As written: `../model/ids.ts`, `node:fs`, `hono/cookie`. */
  readonly specifier: string;
  /** 1-based. */
  readonly line: number;
  /** True for `import type` and `export type`: gone at run time. */
  readonly typeOnly: boolean;
  /** `export … from`. */
  readonly reexport: boolean;
}

/** What is written where a dynamic import does not say what it imports. */
export const computedSpecifier = '(computed)';

const statement = /^[ \t]*(import|export)\b([^'"`;=()]*?)\bfrom\s*(['"])([^'"\n]+)\3/gm;
const sideEffectImport = /^[ \t]*import\s*(['"])([^'"\n]+)\1/gm;
const dynamicImport = /\bimport\s*\(\s*(?:(['"])([^'"\n]+)\1|[^)'"\s])/g;
const moduleUrl = /\bnew\s+URL\(((?:[^()]|\([^()]*\))*),\s*import\.meta\.url\s*\)/g;

/**
 * Finds the modules that a source names: static, type-only and dynamic imports, re-exports, and
 * `new URL('./worker.ts', import.meta.url)`, by which workers are started. Works on the text; comments are left out.
 */
export function readImports(source: string): Import[] {
  const text = withoutComments(source);
  const found: Import[] = [];
  const add = (index: number, specifier: string, typeOnly = false, reexport = false): void => {
    found.push({ specifier, line: lineOf(text, index), typeOnly, reexport });
  };
  for (const match of text.matchAll(statement)) {
    const [whole, keyword, names = '', , specifier = ''] = match;
    add(match.index + whole.length, specifier, isTypeOnly(names), keyword === 'export');
  }
  for (const match of text.matchAll(sideEffectImport)) add(match.index + match[0].length, match[2] ?? '');
  for (const match of text.matchAll(dynamicImport)) add(match.index, match[2] ?? computedSpecifier);
  for (const match of text.matchAll(moduleUrl)) {
    for (const [, , path = ''] of (match[1] ?? '').matchAll(/(['"])(\.{1,2}\/[^'"\n]+\.[cm]?[jt]sx?)\1/g)) {
      // `./worker.js` is `./worker.ts` after the build.
      if (!found.some((other) => other.specifier === asSource(path))) add(match.index, asSource(path));
    }
  }
  return found.sort((a, b) => a.line - b.line);
}

/** Whether a module does nothing but pass on what other modules export. */
export function isBarrel(source: string): boolean {
  const text = withoutComments(source);
  if (!readImports(source).some((one) => one.reexport)) return false;
  return (
    text
      .replace(statement, '')
      .replace(/\bexport\s*\*[^;]*;?/g, '')
      .replace(/[;\s]/g, '') === ''
  );
}

function isTypeOnly(names: string): boolean {
  if (/^\s+type\s+[\w{*]/.test(names)) return true;
  const braces = /^\s*\{([^}]*)\}\s*$/.exec(names)?.[1];
  return braces !== undefined && braces.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type '));
}

/** Blanks comments out, keeping every line where it was. Strings with `//` in them keep what is before it, which is enough here. */
function withoutComments(source: string): string {
  return source
    .replace(/^[ \t]*\/\*[\s\S]*?\*\//gm, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|\s)\/\/.*$/gm, (comment) => comment.replace(/[^\n]/g, ' '));
}

function asSource(path: string): string {
  return path.replace(/\.js$/, '.ts');
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
