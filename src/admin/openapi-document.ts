import type { OpenAPIHono } from '@hono/zod-openapi';
import type { AdminEnv } from './admin-env.ts';

export type OpenApiDocument = ReturnType<OpenAPIHono<AdminEnv>['getOpenAPI31Document']>;

/** The admin API in OpenAPI 3.1, generated from the schemas that validate. */
export function openApiDocument(router: OpenAPIHono<AdminEnv>, version: string): OpenApiDocument {
  router.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: 'session',
    description: 'Set by POST /admin/login. Requests that change something must come from the same site.',
  });
  router.openAPIRegistry.registerComponent('securitySchemes', 'token', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API token (`agt_…`), made with POST /admin/tokens or "apigate tokens create".',
  });
  return router.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'APIGate admin API',
      version,
      description:
        'Manages upstreams, routes, API keys, API tokens and admins. A write that answered 2xx is live: every worker serves it. Errors are problem+json (RFC 9457) with a stable `code`.',
    },
    servers: [{ url: '/' }],
  });
}
