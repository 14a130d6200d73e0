// Writes the pages that are made from the code: `npm run docs`. A test fails when one is behind.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeErrors } from './describe-errors.ts';
import { describeSettings } from './describe-settings.ts';
import { describeUpstreamProblems } from './describe-upstream-problems.ts';

/** The pages, with their text as the code has it now. */
export const writtenPages: Readonly<Record<string, () => string>> = {
  'failure-modes.md': describeErrors,
  'settings.md': describeSettings,
  'troubleshooting.md': describeUpstreamProblems,
};

export const docsFolder = join(import.meta.dirname, '..', 'docs');

if (import.meta.main) {
  for (const [name, text] of Object.entries(writtenPages)) writeFileSync(join(docsFolder, name), text());
}
