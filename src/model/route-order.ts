import { z } from 'zod';
import type { RouteId } from './ids.ts';
import { routeSchema } from './route-schema.ts';
import type { Route } from './route.ts';

/** A route by what people call it. */
interface NamedRoute {
  readonly id: RouteId;
  readonly name: string;
}

/** A route in its place among all. */
export interface PlacedRoute {
  /** 1 is tried first; null for a disabled route, which is shown where it would stand. */
  readonly position: number | null;
  readonly route: Route;
  /** Name of its upstream. */
  readonly upstream: string;
  /** A route that takes every request which this one could. */
  readonly beaten_by: NamedRoute | null;
  /** Routes that never get a request because of this one; the first few of them. */
  readonly beats: readonly NamedRoute[];
  readonly beats_count: number;
  readonly warnings: readonly string[];
}

const named = z.strictObject({ id: z.templateLiteral(['rt_', z.string()]), name: z.string() });

/** An item of `GET /admin/route-order`. */
export const placedRouteSchema = z
  .strictObject({
    position: z
      .int()
      .nullable()
      .meta({ description: '1 is preferred to all others; null for a disabled route, which stands where it would be.' }),
    route: routeSchema,
    upstream: z.string().meta({ description: 'Name of its upstream.' }),
    beaten_by: named
      .nullable()
      .meta({ description: 'A route that takes every request which this one could take; null where there is none.' }),
    beats: z.array(named).meta({ description: 'Routes that never get a request because of this one, the first five.' }),
    beats_count: z.int().meta({ description: 'How many these are.' }),
    warnings: z.array(z.string()).meta({ description: 'What works but will surprise.' }),
  })
  .meta({ id: 'PlacedRoute', description: 'A route in its place among all.' }) satisfies z.ZodType<PlacedRoute>;
