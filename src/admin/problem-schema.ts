import { z } from 'zod';
import { errorCatalogue } from '../errors/catalogue.ts';

/** The body of every error answer, as src/errors/problem.ts makes it (RFC 9457). */
export const problemSchema = z
  .strictObject({
    type: z.string().meta({ description: '`urn:apigate:error:` and the code.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().meta({ description: 'Stable: programs may test for it.', examples: Object.keys(errorCatalogue).slice(-5) }),
    request_id: z.string().meta({ description: 'The same as in X-Request-Id and in the log.' }),
    errors: z.array(z.strictObject({ field: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });
