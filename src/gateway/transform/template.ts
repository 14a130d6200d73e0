import { closestName } from '../../model/closest-name.ts';
import type { PathCaptures } from '../path-captures.ts';
import { bytesOfText, percentEncoded, queryDecoded, textOfBytes } from './byte-text.ts';
import type { TransformFacts } from './transform-facts.ts';
import { TransformFailure } from './transform-failure.ts';

/** Variables of the environment by name. */
export type TransformEnvironment = Pick<ReadonlyMap<string, string>, 'get' | 'keys'>;

/** What templates of one route may name. */
export interface TemplateScope {
  readonly captures: PathCaptures;
  /** Variables of the environment that transformations may read, with their values. */
  readonly environment: TransformEnvironment;
  /** Lower-case names of request fields that templates read; gathered while they are compiled. */
  readonly headers: Set<string>;
  /** Whether a template reads the query; set while they are compiled. */
  query: boolean;
  /** Whether a template reads captures; set while they are compiled. */
  capturesUsed: boolean;
}

interface Variable {
  /** As it is written, for messages. */
  readonly name: string;
  read(facts: TransformFacts): string;
  /** Part of the request's path: percent-encoded already. */
  readonly isPath: boolean;
}

/** A text with variables, ready to be filled in. Literal parts are bytes: see byte-text.ts. */
export interface Template {
  readonly parts: readonly (string | Variable)[];
}

/**
 * Reads `${name}`, `$1` and `$$` (a dollar sign); any other dollar sign is itself. A string says what is wrong.
 */
export function compileTemplate(text: string, scope: TemplateScope): Template | string {
  const parts: (string | Variable)[] = [];
  let literal = '';
  let at = 0;
  for (;;) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) break;
    literal += text.slice(at, dollar);
    const next = text[dollar + 1];
    if (next === '$') {
      literal += '$';
      at = dollar + 2;
      continue;
    }
    const name = next === '{' ? nameAt(text, dollar + 2) : (/^[0-9]+/.exec(text.slice(dollar + 1))?.[0] ?? '');
    if (name === null) return 'has a ${ without its }; write $${ for the characters themselves';
    if (name === '' && next !== '{') {
      literal += '$';
      at = dollar + 1;
      continue;
    }
    const variable = next === '{' ? variableOf(name, scope) : captureOf(name, scope);
    if (typeof variable === 'string') return variable;
    if (literal !== '') parts.push(bytesOfText(literal));
    literal = '';
    parts.push(variable);
    at = next === '{' ? dollar + name.length + 3 : dollar + name.length + 1;
  }
  literal += text.slice(at);
  if (literal !== '') parts.push(bytesOfText(literal));
  return { parts };
}

/** Fills a template in for a field value. @throws TransformFailure where the value could not stand in a header */
export function headerText(template: Template, facts: TransformFacts): string {
  const value = filled(template, facts, asIs);
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) throw new TransformFailure(500, 'a header value would contain a control character');
  return value;
}

/** Fills a template in as text, for JSON. @throws TransformFailure */
export function plainText(template: Template, facts: TransformFacts): string {
  return textOfBytes(filled(template, facts, asIs));
}

/** Fills a template in for a query parameter, not encoded yet. @throws TransformFailure */
export function parameterText(template: Template, facts: TransformFacts): string {
  return filled(template, facts, (value, variable) => (variable.isPath ? queryDecoded(value.replaceAll('+', '%2B')) : value));
}

/** Fills a template in for a request target: what is not of the path already is percent-encoded. @throws TransformFailure */
export function targetText(template: Template, facts: TransformFacts): string {
  return filled(template, facts, (value, variable) => (variable.isPath ? value : percentEncoded(value)));
}

function filled(template: Template, facts: TransformFacts, encode: (value: string, variable: Variable) => string): string {
  let text = '';
  for (const part of template.parts) {
    if (typeof part === 'string') {
      text += part;
      continue;
    }
    const value = part.read(facts);
    if (hasLineEnd(value)) throw new TransformFailure(500, `the value of ${part.name} contains a line end or NUL`);
    text += encode(value, part);
  }
  return text;
}

function asIs(value: string): string {
  return value;
}

function hasLineEnd(value: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  return /[\r\n\u0000]/.test(value);
}

function nameAt(text: string, start: number): string | null {
  const end = text.indexOf('}', start);
  return end < 0 ? null : text.slice(start, end);
}

function captureOf(digits: string, scope: TemplateScope): Variable | string {
  const { captures } = scope;
  const number = Number(digits);
  scope.capturesUsed = true;
  if (number >= 1 && number <= captures.numbered) return pathVariable(`$${digits}`, (facts) => facts.captured(number - 1));
  const has =
    captures.numbered === 0 ? 'captures nothing by number' : `has only $1${captures.numbered > 1 ? ` to $${captures.numbered}` : ''}`;
  return `uses $${digits}, but the path pattern ${has}; write $$${digits} for the characters themselves`;
}

function pathVariable(name: string, read: (facts: TransformFacts) => string): Variable {
  return { name, read, isPath: true };
}

const simple: Readonly<Record<string, (facts: TransformFacts) => string>> = {
  uuid: (facts) => facts.uuid,
  timestamp: (facts) => String(Math.floor(facts.now / 1000)),
  iso_time: (facts) => new Date(facts.now).toISOString(),
  client_ip: (facts) => facts.subject.remoteAddress,
  // Empty until there are users.
  user_id: () => '',
  user_email: () => '',
  plan_name: () => '',
  api_key_id: (facts) => facts.subject.keyId,
  api_key_prefix: (facts) => facts.subject.keyPrefix,
  request_id: (facts) => facts.subject.requestId,
  path: (facts) => facts.subject.path,
  method: (facts) => facts.subject.method,
  host: (facts) => facts.subject.host,
};
const families = ['header.', 'query.', 'env.', 'pathParams.'];

function variableOf(name: string, scope: TemplateScope): Variable | string {
  const written = `\${${name}}`;
  const read = Object.hasOwn(simple, name) ? simple[name] : undefined;
  if (read !== undefined) return { name: written, read, isPath: name === 'path' };
  const dot = name.indexOf('.') + 1;
  const of = name.slice(dot);
  switch (name.slice(0, dot)) {
    case 'header.':
      return headerVariable(written, of, scope);
    case 'query.':
      if (of === '') return `uses ${written}: which parameter?`;
      scope.query = true;
      return { name: written, read: (facts) => facts.parameter(bytesOfText(of)), isPath: false };
    case 'env.':
      return environmentVariable(written, of, scope);
    case 'pathParams.': {
      scope.capturesUsed = true;
      const slot = scope.captures.named.get(of);
      if (slot !== undefined) return pathVariable(written, (facts) => facts.captured(slot));
      return `uses ${written}, but the path pattern has no {${of}}${meant(
        `pathParams.${of}`,
        [...scope.captures.named.keys()].map((key) => `pathParams.${key}`),
      )}`;
    }
    default:
      return `uses the unknown variable ${written}${dot > 0 ? meant(name.slice(0, dot), families) : meant(name, [...Object.keys(simple), ...families])}`;
  }
}

function headerVariable(written: string, header: string, scope: TemplateScope): Variable | string {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(header)) return `uses ${written}, which is not a header name`;
  const lower = header.toLowerCase();
  if (lower === 'x-api-key' || lower === 'proxy-authorization') return `uses ${written}: that credential is for the gateway alone`;
  scope.headers.add(lower);
  return { name: written, read: (facts) => facts.header(lower), isPath: false };
}

function environmentVariable(written: string, name: string, scope: TemplateScope): Variable | string {
  const value = scope.environment.get(name);
  if (value === undefined)
    return `uses ${written}, but ${name} is not in APIGATE_TRANSFORM_ENV${meant(
      `env.${name}`,
      [...scope.environment.keys()].map((key) => `env.${key}`),
    )}`;
  const bytes = bytesOfText(value);
  return { name: written, read: () => bytes, isPath: false };
}

function meant(name: string, known: readonly string[]): string {
  const closest = closestName(name, known);
  return closest === undefined ? '' : `; did you mean \${${closest}${closest.endsWith('.') ? 'NAME' : ''}}?`;
}
