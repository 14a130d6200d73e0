import { z } from 'zod';

/** What can be had at a listener: the proxied APIs, and the admin API with its UI. */
export const planes = ['traffic', 'admin'] as const;

/** An address that the gateway takes connections on. */
export const listenerSchema = z
  .strictObject({
    scheme: z.enum(['http', 'https']),
    host: z
      .string()
      .meta({ description: 'Address that it listens on; `0.0.0.0` and `::` are all addresses of the machine.', example: '0.0.0.0' }),
    port: z.int().meta({ example: 8080 }),
    planes: z
      .array(z.enum(planes))
      .meta({ description: 'What can be had there: the proxied APIs (`traffic`), and the admin API with its UI (`admin`).' }),
  })
  .meta({ id: 'Listener' });

export type Listener = z.output<typeof listenerSchema>;
