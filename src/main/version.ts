import { readFileSync } from 'node:fs';

/** The version in package.json, two folders up both in a checkout and in a published package. */
export const version: string = (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
  .version;
