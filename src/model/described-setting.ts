import { z } from 'zod';

/** A setting as `apigate settings show` and the admin API show it: what a running gateway was started with. */
export const describedSettingSchema = z
  .strictObject({
    key: z.string().meta({ description: 'Its key in a settings file.', example: 'server_port' }),
    flag: z.string().nullable().meta({ description: 'Of `apigate serve`; null when it has none.', example: '--port' }),
    environment: z.string().meta({ description: 'Its variable; with `_FILE` after it, the name of a file that holds the value.' }),
    value: z
      .union([z.string(), z.number(), z.boolean(), z.array(z.string())])
      .nullable()
      .meta({ description: 'As it could be written in a settings file; of a secret a fixed mask; null means unset.' }),
    origin: z.string().meta({ description: '`default`, `flag --port`, `environment APIGATE_SERVER_PORT`, `/etc/apigate.yaml line 3`.' }),
    help: z.string().meta({ description: 'What it is for.' }),
    default: z.string().meta({ description: 'What holds when it is not set, in words.' }),
    secret: z.boolean().meta({ description: 'Whether its value is never shown.' }),
  })
  .meta({ id: 'Setting', description: 'A setting that the gateway was started with, and where its value came from.' });

export type ShownSetting = z.output<typeof describedSettingSchema>;
