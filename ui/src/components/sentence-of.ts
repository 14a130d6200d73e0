/** Causes, hints and messages of fields are told in lower case, for the log: as they stand on a page. */
export function sentenceOf(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}
