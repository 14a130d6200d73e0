/** What the form of an upstream calls the API's fields. */
const words: Readonly<Record<string, string>> = {
  base_url: '“Base URL”',
  timeout_ms: '“Timeout”',
  auth_type: '“Authentication”',
  auth_header: '“Header name”',
  auth_value: 'the credential',
  tls_ca: '“CA certificates”',
  tls_server_name: '“TLS server name”',
};

/** What the gateway says of an upstream, in the words of the form rather than of the API: "raise “Timeout”". */
export function inFieldWords(text: string): string {
  return text.replaceAll(/\b[a-z]+(?:_[a-z]+)+\b/g, (name) => words[name] ?? name);
}
