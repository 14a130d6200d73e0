import { normalisePath } from '../../src/gateway/normalise-path.ts';
import { emptyRouteTable } from '../../src/gateway/match/route-table.ts';
import type { RouteConfig } from '../../src/model/gateway-config.ts';
import { route } from '../../src/gateway/match/route-fixture.ts';
import { micro } from './micro.ts';

/** Paths as they come from a socket: fresh strings, not constants. */
function paths(make: (i: number) => string): string[] {
  return Array.from({ length: 4096 }, (_, i) => Buffer.from(make((i * 2_654_435_761) >>> 8)).latin1Slice());
}

function measure(
  name: string,
  routes: RouteConfig[],
  requests: string[],
  host = 'api.example.com',
  headers: Record<string, string> = {},
): void {
  const table = emptyRouteTable<RouteConfig>().with(routes);
  const request = { method: 'GET', host, path: '', header: (lower: string) => headers[lower] };
  micro(name, 400_000, (times) => {
    let found = 0;
    for (let i = 0; i < times; i++) {
      request.path = requests[i & 4095]!;
      if (table.match(request) !== null) found++;
    }
    if (found !== times) throw new Error(`${times - found} of ${times} not found`);
    return found;
  });
}

for (const count of [10, 1000, 10_000]) {
  const prefixes = Array.from({ length: count }, (_, i) => route({ path_pattern: `/api/v1/service${i}` }));
  measure(
    `${count} prefix routes, path of 5 segments`,
    prefixes,
    paths((i) => `/api/v1/service${i % count}/items/${i % 1000}`),
  );
}
const many = 10_000;
measure(
  '10,000 exact routes',
  Array.from({ length: many }, (_, i) => route({ path_pattern: `/api/v1/service${i}`, match_type: 'exact' })),
  paths((i) => `/api/v1/service${i % many}`),
);
measure(
  '10,000 hosts',
  Array.from({ length: many }, (_, i) => route({ path_pattern: '/', host_pattern: i === 7 ? 'api.example.com' : `h${i}.example.com` })),
  paths((i) => `/api/v1/service${i % many}`),
);
measure(
  '10,000 routes with a {parameter}',
  Array.from({ length: many }, (_, i) => route({ path_pattern: `/api/service${i}/{id}/items` })),
  paths((i) => `/api/service${i % many}/${i % 77}/items/5`),
);
measure(
  '10,000 prefix routes and a fallback, with methods',
  [
    ...Array.from({ length: many }, (_, i) => route({ path_pattern: `/api/v1/service${i}`, methods: ['GET', 'POST'] })),
    route({ path_pattern: '/' }),
  ],
  paths((i) => `/api/v1/service${i % many}/items/${i % 1000}`),
);
measure(
  '1 regex route',
  [route({ path_pattern: '^/api/v[0-9]+/', match_type: 'regex' })],
  paths((i) => `/api/v1/service${i % many}`),
);
measure(
  '1 route with a header condition',
  [route({ path_pattern: '/', headers: [{ name: 'X-Version', value: '2', is_regex: false, required: true }] })],
  paths((i) => `/api/v1/service${i % many}`),
  'api.example.com',
  { 'x-version': '2' },
);

const plain = paths((i) => `/api/v1/service${i % many}/items/${i % 1000}`);
const encoded = paths((i) => `/api/v1/%73ervice${i % many}//items/${i % 1000}`);
for (const [name, list] of [
  ['plain', plain],
  ['with something to do', encoded],
] as const) {
  micro(`normalisePath, ${name}`, 1_000_000, (times) => {
    let length = 0;
    for (let i = 0; i < times; i++) length += normalisePath(list[i & 4095]!)!.length;
    return length;
  });
}

const big = Array.from({ length: many }, (_, i) => route({ path_pattern: `/api/v1/service${i}` }));
const start = performance.now();
const table = emptyRouteTable<RouteConfig>().with(big);
console.log(`building 10,000 routes: ${(performance.now() - start).toFixed(1)} ms`);
micro('one changed route of 10,000', 20_000, (times) => {
  let changed = table;
  for (let i = 0; i < times; i++) changed = changed.with([big[i % many]!]);
  return changed;
});
