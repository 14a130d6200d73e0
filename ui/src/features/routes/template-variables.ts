/** A variable of templates, as docs/transformations.md lists them. */
export interface TemplateVariable {
  /** What stands in the braces; one that ends in a dot wants a name behind it. */
  readonly name: string;
  readonly description: string;
}

const always: readonly TemplateVariable[] = [
  { name: 'path', description: 'Path of the request as it came' },
  { name: 'method', description: 'Method of the request as it came' },
  { name: 'host', description: 'Host, in lower case, without port' },
  { name: 'header.', description: 'A header of the request: header.NAME' },
  { name: 'query.', description: 'A query parameter: query.NAME' },
  { name: 'client_ip', description: "The client's address" },
  { name: 'request_id', description: 'As in X-Request-Id' },
  { name: 'uuid', description: 'A random UUID, the same for the whole request' },
  { name: 'timestamp', description: 'Seconds since 1970' },
  { name: 'iso_time', description: 'The time in ISO 8601' },
  { name: 'api_key_id', description: 'Id of the API key; empty on open routes' },
  { name: 'api_key_prefix', description: 'Visible beginning of the API key' },
  { name: 'env.', description: 'An environment variable that APIGATE_TRANSFORM_ENV names' },
  { name: 'user_id', description: 'Empty until there are users' },
  { name: 'user_email', description: 'Empty until there are users' },
  { name: 'plan_name', description: 'Empty until there are plans' },
];

/** What a template may name on a route with such a path pattern: what the pattern captures first. */
export function variablesFor(pattern: string): TemplateVariable[] {
  const names = [...pattern.matchAll(/\{([A-Za-z_]\w*)\}|\(\?P?<([A-Za-z_]\w*)>/g)].map(([, segment, group]) => segment ?? group);
  const captured = names.map((name) => ({ name: `pathParams.${name}`, description: 'What the path pattern captured' }));
  return [...captured, ...always];
}

/** What is being typed at the caret, if it is a variable: `${hea` → where its name begins, and "hea". */
export function variableAt(text: string, caret: number): { readonly start: number; readonly typed: string } | undefined {
  const [, typed] = /\$\{([\w.-]*)$/.exec(text.slice(0, caret)) ?? [];
  return typed === undefined ? undefined : { start: caret - typed.length, typed };
}

/** The text with a variable put in the place of what was typed of it, and where the caret goes then. */
export function complete(text: string, caret: number, name: string): { readonly text: string; readonly caret: number } {
  const at = variableAt(text, caret);
  if (at === undefined) return { text, caret };
  const rest = text.slice(caret);
  // What follows of the name, and its brace, is replaced too; a name that is yet to be typed leaves the brace behind the caret.
  const after = rest.replace(/^[\w.-]*\}?/, '');
  const before = text.slice(0, at.start) + name;
  return { text: `${before}}${after}`, caret: before.length + (name.endsWith('.') ? 0 : 1) };
}
