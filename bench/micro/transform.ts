import { OutputBuffer } from '../../src/http/output-buffer.ts';
import { RequestHead } from '../../src/http/request-head.ts';
import { PathCaptures } from '../../src/gateway/path-captures.ts';
import { BufferedBody } from '../../src/gateway/transform/buffered-body.ts';
import { compileTransform } from '../../src/gateway/transform/compile-transform.ts';
import { TransformFacts } from '../../src/gateway/transform/transform-facts.ts';
import { transformRequest } from '../../src/gateway/transform/transform-request.ts';
import type { RouteConfig } from '../../src/model/gateway-config.ts';
import { routeDefaults } from '../../src/model/route.ts';
import { micro } from './micro.ts';

const settings = { bodyLimit: 1_048_576, environment: new Map<string, string>() };
const subject = {
  method: 'GET',
  host: 'api.test',
  path: '/api/users/7',
  remoteAddress: '10.0.0.1',
  requestId: 'r',
  keyId: '',
  keyPrefix: '',
};
const bytes = Buffer.from(
  'GET /api/users/7?page=2&size=50 HTTP/1.1\r\nHost: api.test\r\nUser-Agent: curl/8\r\nAccept: */*\r\nX-Internal: 1\r\nX-Env: dev\r\nCookie: a=b; c=d\r\nAccept-Encoding: gzip, br\r\n\r\n',
);
const head = new RequestHead({ maxTarget: 8192, maxHead: 16_384, maxFields: 100 });
const out = new OutputBuffer();

function transformOf(fields: Partial<RouteConfig>): NonNullable<ReturnType<typeof compileTransform>> {
  const route: RouteConfig = {
    ...routeDefaults,
    id: 'rt_1',
    name: 'r',
    path_pattern: '/api/*',
    upstream_id: 'up_1',
    managed: false,
    ...fields,
  };
  return compileTransform(route, settings)!;
}

function heads(name: string, fields: Partial<RouteConfig>): void {
  const transform = transformOf(fields);
  micro(name, 200_000, (times) => {
    let length = 0;
    for (let i = 0; i < times; i++) {
      head.fields.dropped.fill(0);
      const transformed = transformRequest(subject, head, transform, '');
      out.clear();
      out.text(transformed.target);
      out.text(transformed.fields);
      length += out.length;
    }
    return length;
  });
}

if (head.parse(bytes, 0, bytes.length) < 0) throw new Error(head.reason);
heads('two header changes', { request_transform: { headers: { set: { 'X-Env': 'prod' }, remove: ['X-Internal'] } } });
heads('two header changes, with variables', {
  request_transform: { headers: { set: { 'X-Env': '${client_ip}' }, add: { 'X-Id': '${request_id}' } } },
});
heads('path rewrite', { path_rewrite: '/v2/$1' });
heads('query set', { request_transform: { query: { set: { page: '1' } } } });

const people = Array.from({ length: 64 }, (_, i) => ({
  id: i,
  name: `Person ${i}`,
  email: `person${i}@example.com`,
  tags: ['a', 'b'],
  address: { city: 'Bern', zip: String(3000 + i) },
  score: i + 0.25,
}));
function bodies(name: string, text: string): void {
  const { response } = transformOf({ response_transform: { body: { json: { mask: ['people.email', 'people.name'] } } } });
  const facts = new TransformFacts(subject, head, PathCaptures.of({ path_pattern: '/', match_type: 'prefix' }), false);
  const body = Buffer.from(text);
  micro(`${name} (${body.length} bytes)`, 2_000, (times) => {
    let length = 0;
    for (let i = 0; i < times; i++) {
      const held = new BufferedBody({
        message: 'response',
        steps: [response[0]!.json!],
        facts,
        encoding: undefined,
        limit: settings.bodyLimit,
      });
      held.add(body, 0, body.length);
      held.transform((result) => (length += (result as Buffer).length));
    }
    return length;
  });
}
bodies('JSON mask of two fields', JSON.stringify({ people }));
bodies('the same with numbers that must be kept as they are', JSON.stringify({ people }).replaceAll('.25', '.250'));
