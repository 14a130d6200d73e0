import type { OpenAPIHono } from '@hono/zod-openapi';
import type { AdminEnv } from './admin-env.ts';
import { AdminRouter } from './admin-router.ts';
import { openApiDocument, type OpenApiDocument } from './openapi-document.ts';
import { referencePage, type ReferencePage } from './reference-page.ts';

const tags = ['reference'];

/** `/admin/openapi.json` and `/admin/docs`, made from what `described` collected when they are first asked for. */
export function documentRoutes(described: OpenAPIHono<AdminEnv>, version: string) {
  let document: OpenApiDocument | undefined;
  let page: ReferencePage | undefined;
  return new AdminRouter()
    .add(
      {
        method: 'get',
        path: '/admin/openapi.json',
        operationId: 'getOpenApi',
        summary: 'This description, for programs',
        tags,
        access: 'read',
        responses: { 200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } } },
      },
      (c) => c.json((document ??= openApiDocument(described, version)), 200),
    )
    .add(
      {
        method: 'get',
        path: '/admin/docs',
        operationId: 'getReference',
        summary: 'This description, for people',
        tags,
        access: 'read',
        responses: { 200: { description: 'A page.', content: { 'text/html': { schema: { type: 'string' } } } } },
      },
      (c) => {
        page ??= referencePage((document ??= openApiDocument(described, version)));
        c.header('Content-Security-Policy', page.contentSecurityPolicy);
        return c.html(page.html, 200);
      },
    );
}
