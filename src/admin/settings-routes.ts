import { z } from 'zod';
import { describedSettingSchema, type ShownSetting } from '../model/described-setting.ts';
import { AdminRouter } from './admin-router.ts';
import { jsonAnswer } from './describe-route.ts';

const settingsSchema = z.strictObject({ data: z.array(describedSettingSchema), total: z.int() }).meta({ id: 'Settings' });

/** `/admin/settings`: what the gateway was started with. They are read once, so that only a restart changes them. */
export function settingsRoutes(settings: readonly ShownSetting[]) {
  return new AdminRouter().add(
    {
      method: 'get',
      path: '/admin/settings',
      operationId: 'listSettings',
      summary: 'List the settings',
      description: 'Every setting that the gateway was started with, and where its value came from. Secrets are masked.',
      tags: ['gateway'],
      access: 'admin',
      responses: { 200: jsonAnswer(settingsSchema, 'All of them.') },
    },
    (c) => c.json({ data: [...settings], total: settings.length }, 200),
  );
}
