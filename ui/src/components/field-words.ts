/** What the form of an upstream calls the API's fields, where their names do not say it: “raise timeout_ms” does. */
const words: Readonly<Record<string, string>> = {
  base_url: '“Base URL”',
  auth_type: '“Authentication”',
  auth_header: '“Header name”',
  auth_value: 'the credential',
  tls_ca: '“CA certificates”',
  tls_server_name: '“TLS server name”',
};

/** What the gateway says of an upstream, in the words of the form rather than of the API: "check “Base URL”". */
export function inFieldWords(text: string): string {
  return text.replaceAll(/\b[a-z]+(?:_[a-z]+)+\b/g, (name) => words[name] ?? name);
}
