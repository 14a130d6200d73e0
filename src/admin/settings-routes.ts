import { z } from 'zod';
import { describedSettingSchema, type ShownSetting } from '../model/described-setting.ts';
import { type Listener, listenerSchema } from '../model/listener.ts';
import { AdminRouter } from './admin-router.ts';
import { jsonAnswer } from './describe-route.ts';

/** What a gateway was started with. */
export interface StartedWith {
  readonly settings: readonly ShownSetting[];
  /** Where it listens, in the order in which people are told. */
  readonly listeners: readonly Listener[];
}

const settingsSchema = z
  .strictObject({
    data: z.array(describedSettingSchema),
    total: z.int(),
    listeners: z.array(listenerSchema).meta({ description: 'Where the gateway takes connections: what came of the settings.' }),
  })
  .meta({ id: 'Settings' });

/** `/admin/settings`: what the gateway was started with. They are read once, so that only a restart changes them. */
export function settingsRoutes({ settings, listeners }: StartedWith) {
  return new AdminRouter().add(
    {
      method: 'get',
      path: '/admin/settings',
      operationId: 'listSettings',
      summary: 'List the settings',
      description:
        'Every setting that the gateway was started with, and where its value came from. Secrets are masked. `listeners` says where clients and admins reach it.',
      tags: ['gateway'],
      access: 'admin',
      responses: { 200: jsonAnswer(settingsSchema, 'All of them.') },
    },
    (c) => c.json({ data: [...settings], total: settings.length, listeners: [...listeners] }, 200),
  );
}
