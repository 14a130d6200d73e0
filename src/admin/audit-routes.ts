import type { z } from 'zod';
import { type AuditQuery, listAudit } from '../control/audit-log.ts';
import type { AccessContext } from '../control/access-context.ts';
import { auditRecordSchema } from '../model/audit.ts';
import { AdminRouter } from './admin-router.ts';
import { pageAnswer } from './describe-route.ts';
import { auditQuerySchema, readQuery } from './list-query.ts';

/** `/admin/audit` */
export function auditRoutes(context: AccessContext) {
  return new AdminRouter().add(
    {
      method: 'get',
      path: '/admin/audit',
      operationId: 'listAudit',
      summary: 'List the audit log',
      description: 'Every change, every sign-in and every failed one, newest first. Kept for 400 days.',
      tags: ['audit'],
      access: 'admin',
      request: { query: auditQuerySchema },
      responses: { 200: pageAnswer(auditRecordSchema) },
    },
    async (c) => c.json(await listAudit(context.store, auditQueryOf(readQuery(c, auditQuerySchema))), 200),
  );
}

function auditQueryOf({ limit, ...query }: z.output<typeof auditQuerySchema>): AuditQuery {
  const given = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined && value !== '')) as AuditQuery;
  return limit === undefined ? given : { ...given, limit: Number(limit) };
}
