import { closestName } from '../../model/closest-name.ts';
import { declaredLists, type DeclaredList, declaredOutlineSchema, declaredVersion } from '../../model/declared-config.ts';
import { parseDocuments, type ParsedDocument, type Problem } from './parse-documents.ts';
import type { Source } from './read-sources.ts';

/** All documents as the one that the admin API takes, with the way back from its answers. */
export interface DeclaredInput {
  readonly body: Readonly<Partial<Record<DeclaredList, readonly unknown[]>>>;
  /** What is wrong beyond single objects: the API has not seen it. */
  readonly problems: readonly Problem[];
  /** Whether a text could not be read at all: what the API would say of the rest would mislead. */
  readonly unreadable: boolean;
  /** Where a field of the body (`routes.12.upstream`) stands in the texts. */
  readonly placeOf: (field: string) => Omit<Problem, 'message'>;
}

/** Puts the lists of all documents together, in order. */
export function declaredInput(sources: readonly Source[]): DeclaredInput {
  const problems: Problem[] = [];
  const body: Partial<Record<DeclaredList, unknown[]>> = {};
  const origins: Record<DeclaredList, { readonly document: ParsedDocument; readonly index: number }[]> = {
    upstreams: [],
    routes: [],
    keys: [],
  };
  const documents: ParsedDocument[] = [];
  for (const source of sources) {
    const parsed = parseDocuments(source);
    problems.push(...parsed.problems);
    documents.push(...parsed.documents);
  }
  const unreadable = problems.length > 0;
  if (documents.length === 0 && !unreadable) {
    const labels = sources.map(({ label }) => label).join(', ');
    problems.push({ label: labels, line: 0, path: '', message: 'declares nothing: write upstreams, routes or keys' });
  }

  for (const document of documents) {
    const { value, label, lineOf } = document;
    const wrong = (field: string, message: string): void =>
      void problems.push({
        label,
        line: lineOf(field === '' ? [] : [field]),
        path: pathIn(document, field === '' ? [] : [field]),
        message,
      });
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      wrong('', `must be an object with ${declaredLists.join(', ')}`);
      continue;
    }
    for (const [field, content] of Object.entries(value)) {
      if (field === 'version') {
        if (content !== declaredVersion) wrong(field, `must be ${declaredVersion}`);
      } else if (!isList(field)) {
        const closest = closestName(field, Object.keys(declaredOutlineSchema.shape));
        wrong(field, closest === undefined ? 'is not a known field' : `is not a known field; did you mean ${closest}?`);
      } else if (!Array.isArray(content)) {
        wrong(field, 'must be a list; write [] for an empty one');
      } else {
        (body[field] ??= []).push(...(content as unknown[]));
        for (const index of content.keys()) origins[field].push({ document, index });
      }
    }
  }

  return {
    body,
    problems,
    unreadable,
    placeOf(field) {
      const [list = '', number = '', ...rest] = field.split('.');
      const origin = isList(list) ? origins[list][Number(number)] : undefined;
      if (origin === undefined) return { label: '', line: 0, path: field };
      const path = [list, String(origin.index), ...rest];
      return { label: origin.document.label, line: origin.document.lineOf(path), path: pathIn(origin.document, path) };
    },
  };
}

/** `gateway.yaml:12: routes[2].upstream: …` */
export function problemText({ label, line, path, message }: Problem): string {
  const place = line === 0 ? label : `${label}:${line}`;
  return [place, path, message].filter((part) => part !== '').join(': ');
}

function pathIn(document: ParsedDocument, path: readonly string[]): string {
  const text = path.map((part, index) => (/^\d+$/.test(part) ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
  return document.number === 0 ? text : ['document ' + document.number, text].filter((part) => part !== '').join(', ');
}

function isList(field: string): field is DeclaredList {
  return (declaredLists as readonly string[]).includes(field);
}
