import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The page on upstreams, where it lies beside the checkout. */
export const upstreamsPagePath = resolve(import.meta.dirname, '../../../shared/seed/Upstreams.md');

/** The page's text, or undefined where it is not at hand. */
export function readUpstreamsPage(): string | undefined {
  return existsSync(upstreamsPagePath) ? readFileSync(upstreamsPagePath, 'utf8') : undefined;
}

/** What the page prints in fences, in its order, but for the picture. */
export const printedBlocks: readonly string[] = [
  'auth_type: none',
  'auth_type: bearer\nauth_value_encrypted: <your-token>',
  'auth_type: header\nauth_header: X-API-Key\nauth_value_encrypted: <your-key>',
  'auth_type: basic\nauth_value_encrypted: <username:password>',
  `# Basic upstream
apigate upstreams create \\
  --name "my-api" \\
  --url "https://api.example.com"

# With authentication
apigate upstreams create \\
  --name "my-api" \\
  --url "https://api.example.com" \\
  --auth-type bearer \\
  --auth-value "secret-token"

# With timeouts
apigate upstreams create \\
  --name "my-api" \\
  --url "https://api.example.com" \\
  --timeout 30000 \\
  --max-idle-conns 100`,
  `curl -X POST http://localhost:8080/admin/upstreams \\
  -H "Content-Type: application/json" \\
  -H "Cookie: session=YOUR_SESSION" \\
  -d '{
    "name": "my-api",
    "base_url": "https://api.example.com",
    "timeout_ms": 30000,
    "auth_type": "bearer",
    "auth_value": "secret-token",
    "enabled": true
  }'`,
  `# CLI
apigate upstreams list

# API
curl http://localhost:8080/admin/upstreams`,
  `# CLI
apigate upstreams get <id>

# API
curl http://localhost:8080/admin/upstreams/<id>`,
  `# CLI
apigate upstreams update <id> --timeout 60000

# API
curl -X PUT http://localhost:8080/admin/upstreams/<id> \\
  -H "Content-Type: application/json" \\
  -d '{"timeout_ms": 60000}'`,
  `# CLI
apigate upstreams delete <id>

# API
curl -X DELETE http://localhost:8080/admin/upstreams/<id>`,
  `# Good
apigate upstreams create --name "payments-service" ...
apigate upstreams create --name "user-api-v2" ...

# Bad
apigate upstreams create --name "api1" ...
apigate upstreams create --name "backend" ...`,
  `# Fast endpoints (< 1s expected)
--timeout 5000

# Standard endpoints (1-5s expected)
--timeout 30000

# Long-running operations
--timeout 120000`,
  `# Separate services
apigate upstreams create --name "auth-service" --url "https://auth.internal"
apigate upstreams create --name "user-service" --url "https://users.internal"
apigate upstreams create --name "order-service" --url "https://orders.internal"`,
  'Error: dial tcp: connection refused',
  'Error: context deadline exceeded',
  'Error: x509: certificate signed by unknown authority',
];

/** The properties that the page's table lists, with their types and what it says of each. */
export const printedProperties: readonly (readonly [name: string, type: string, description: string])[] = [
  ['id', 'string', 'Unique identifier (auto-generated)'],
  ['name', 'string', 'Human-readable name (required)'],
  ['description', 'string', 'Upstream description'],
  ['base_url', 'string', 'Backend URL (required)'],
  ['timeout_ms', 'int', 'Request timeout in milliseconds (default: 30000)'],
  ['max_idle_conns', 'int', 'Connection pool size (default: 100)'],
  ['idle_conn_timeout_ms', 'int', 'Idle connection timeout (default: 90000)'],
  ['auth_type', 'enum', 'Authentication type'],
  ['auth_header', 'string', 'Custom auth header name'],
  ['auth_value', 'string', 'Auth value (write-only, set via API but not returned)'],
  ['enabled', 'bool', 'Whether upstream is active'],
  ['created_at', 'timestamp', 'Creation time'],
  ['updated_at', 'timestamp', 'Last update time'],
];

/** The fenced blocks of a Markdown text without its pictures. */
export function blocksOf(markdown: string): string[] {
  return [...markdown.matchAll(/^```\w*\n([\s\S]*?)\n```$/gm)].map(([, text]) => text!).filter((text) => !text.includes('┌'));
}

/** The rows of the table whose first heading is `heading`. */
export function rowsOf(markdown: string, heading: string): string[][] {
  const lines = markdown.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

/** The commands of a block: its comments left out, lines that a backslash joins kept together. */
export function commandsOf(block: string): string[] {
  return block
    .split(/\n(?=#|apigate |curl |--)|\n\n/)
    .map((part) => part.trim())
    .filter((part) => part !== '' && !part.startsWith('#'));
}
