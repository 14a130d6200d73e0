import { createHash } from 'node:crypto';
import type { OpenApiDocument } from './openapi-document.ts';

/** A page for people, with the headers that it needs. */
export interface ReferencePage {
  readonly html: string;
  readonly contentSecurityPolicy: string;
}

/** Renders the admin API's description as one static page: no script, nothing loaded from elsewhere. */
export function referencePage(document: OpenApiDocument): ReferencePage {
  const operations = operationsOf(document);
  const tags = [...new Set(operations.map(({ tag }) => tag))];
  const contents = tags.map((tag) => `<li><a href="#${escaped(tag)}">${escaped(tag)}</a></li>`).join('');
  const sections = tags
    .map((tag) =>
      sectionOf(
        document,
        tag,
        operations.filter((operation) => operation.tag === tag),
      ),
    )
    .join('');
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(document.info.title)}</title><style>${style}</style></head>
<body><header><h1>${escaped(document.info.title)} <small>${escaped(document.info.version)}</small></h1>
<p>${prose(document.info.description ?? '')}</p><p>For programs: <a href="/admin/openapi.json">/admin/openapi.json</a></p>
<nav><ul>${contents}</ul></nav></header><main>${sections}</main></body></html>
`;
  const hash = createHash('sha256').update(style).digest('base64');
  return {
    html,
    contentSecurityPolicy: `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  };
}

const style = `
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:60rem;margin:0 auto;padding:1rem}
h2{border-bottom:1px solid;text-transform:capitalize}article{margin:2rem 0}code{font:.9em ui-monospace,monospace}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #8884}
nav ul{display:flex;flex-wrap:wrap;gap:1rem;list-style:none;padding:0}.method{font-weight:bold;text-transform:uppercase}`;

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly tag: string;
  readonly description: Described;
}

/** As much of OpenAPI as the page shows. */
interface Described {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema?: JsonSchema;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: JsonSchema }>> };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, { readonly schema?: JsonSchema }>> }>
  >;
}

interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

function operationsOf(document: OpenApiDocument): Operation[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Described>).map(([method, description]) => ({
      method,
      path,
      tag: description.tags?.[0] ?? 'other',
      description,
    })),
  );
}

function sectionOf(document: OpenApiDocument, tag: string, operations: readonly Operation[]): string {
  return `<section id="${escaped(tag)}"><h2>${escaped(tag)}</h2>${operations.map((operation) => articleOf(document, operation)).join('')}</section>`;
}

function articleOf(document: OpenApiDocument, { method, path, description }: Operation): string {
  const id = escaped(description.operationId ?? `${method}-${path}`);
  return `<article id="${id}"><h3><a href="#${id}"><code><span class="method">${escaped(method)}</span> ${escaped(path)}</code></a> ${escaped(description.summary ?? '')}</h3>
<p>${prose(description.description ?? '')}</p>${parametersOf(description)}${bodyOf(document, description)}${answersOf(description)}</article>`;
}

function parametersOf({ parameters = [] }: Described): string {
  if (parameters.length === 0) return '';
  const rows = parameters.map((parameter) => {
    const description = parameter.description ?? parameter.schema?.description ?? '';
    return rowOf([code(parameter.name), escaped(parameter.in), typeOf(parameter.schema ?? {}), prose(description)]);
  });
  return `<h4>Parameters</h4>${tableOf(['Name', 'In', 'Type', ''], rows)}`;
}

function bodyOf(document: OpenApiDocument, { requestBody }: Described): string {
  const schema = requestBody?.content['application/json']?.schema;
  if (schema === undefined) return '';
  const { properties = {}, required = [] } = resolved(document, schema);
  const rows = Object.entries(properties).map(([name, property]) =>
    rowOf([code(name), typeOf(property), required.includes(name) ? 'required' : '', prose(property.description ?? '')]),
  );
  return `<h4>Body (JSON)</h4>${tableOf(['Field', 'Type', '', ''], rows)}`;
}

function answersOf({ responses }: Described): string {
  const rows = Object.entries(responses).map(([status, answer]) => {
    const schema = Object.values(answer.content ?? {})[0]?.schema;
    return rowOf([code(status), schema === undefined ? '' : typeOf(schema), prose(answer.description)]);
  });
  return `<h4>Answers</h4>${tableOf(['Status', 'Body', ''], rows)}`;
}

function resolved(document: OpenApiDocument, schema: JsonSchema): JsonSchema {
  const name = schema.$ref?.split('/').at(-1);
  return name === undefined ? schema : (document.components?.schemas?.[name] ?? {});
}

function typeOf(schema: JsonSchema): string {
  if (schema.$ref !== undefined) return escaped(schema.$ref.split('/').at(-1) ?? '');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.map((choice) => typeOf(choice)).join(' or ');
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(', ');
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`;
  const types = [schema.type ?? 'any'].flat().join(' or ');
  const { minimum = schema.minLength, maximum = schema.maxLength } = schema;
  const range = minimum === undefined && maximum === undefined ? '' : ` (${minimum ?? ''}–${maximum ?? ''})`;
  const preset = schema.default === undefined ? '' : `, default ${code(JSON.stringify(schema.default))}`;
  return escaped(schema.format ?? types) + escaped(range) + preset;
}

function tableOf(heads: readonly string[], rows: readonly string[]): string {
  return `<table><thead><tr>${heads.map((head) => `<th>${escaped(head)}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

/** Cells are HTML already. */
function rowOf(cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

function code(text: string): string {
  return `<code>${escaped(text)}</code>`;
}

/** Text whose `backquoted` parts are code. */
function prose(text: string): string {
  return text
    .split('`')
    .map((part, index) => (index % 2 === 1 ? code(part) : escaped(part)))
    .join('');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');
}
