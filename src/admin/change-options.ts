import type { ChangeOptions } from '../control/etag.ts';
import type { AdminContext } from './admin-env.ts';

/** What a change's headers ask beyond its body. */
export function changeOptions(c: AdminContext): ChangeOptions {
  const ifMatch = c.req.header('if-match');
  return ifMatch === undefined ? {} : { ifMatch };
}
