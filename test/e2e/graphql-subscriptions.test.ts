import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { peer, unlessPeers } from '../support/peers.ts';
import { useWebSocketRoute } from '../support/websocket-route.ts';
import { startWsServer, wsImplementation, type WsPeerServer } from '../support/ws-peer.ts';

const skip = unlessPeers();
const route = await useWebSocketRoute();

/** What is used here of `graphql` and `graphql-ws`. */
interface GraphqlPackage {
  readonly buildSchema: (source: string) => unknown;
}

interface ServerPackage {
  readonly useServer: (options: object, server: object) => { dispose(): Promise<void> };
}

interface ClientPackage {
  readonly createClient: (options: object) => GraphqlClient;
}

interface GraphqlClient {
  iterate(request: { readonly query: string; readonly variables?: object }): AsyncIterableIterator<Result>;
  on(event: 'opened', listener: (socket: { readonly protocol: string }) => void): void;
  dispose(): void | Promise<void>;
}

interface Result {
  readonly data?: Record<string, unknown>;
  readonly errors?: readonly { readonly message: string }[];
}

const source = `
  type Query { hello(name: String!): String!, broken: String! }
  type Mutation { add(a: Int!, b: Int!): Int! }
  type Subscription { countdown(from: Int!): Int!, endless: Int! }
`;

/** Subscriptions to `endless` that run at the server. */
let endless = 0;

const roots = {
  query: {
    hello: ({ name }: { name: string }) => `Hello, ${name}!`,
    broken: () => {
      throw new Error('out of order');
    },
  },
  mutation: { add: ({ a, b }: { a: number; b: number }) => a + b },
  subscription: {
    async *countdown({ from }: { from: number }) {
      for (let n = from; n > 0; n -= 1) {
        await new Promise(setImmediate);
        yield { countdown: n };
      }
    },
    async *endless() {
      endless += 1;
      try {
        for (let n = 0; ; n += 1) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          yield { endless: n };
        }
      } finally {
        endless -= 1;
      }
    },
  },
};

/** Lets in who says the password. */
async function serve(): Promise<WsPeerServer> {
  const { buildSchema } = peer('graphql') as GraphqlPackage;
  const { useServer } = peer('graphql-ws/use/ws') as ServerPackage;
  const server = await startWsServer(route.upstreamPort, route.path, () => undefined, {
    handleProtocols: () => 'graphql-transport-ws',
  });
  const onConnect = ({ connectionParams }: { connectionParams?: { password?: unknown } }): boolean =>
    connectionParams?.password === 'friend';
  useServer({ schema: buildSchema(source), roots, onConnect, isProd: true }, server.ws);
  return server;
}

interface OpenClient extends AsyncDisposable {
  readonly client: GraphqlClient;
  readonly closed: unknown[];
  readonly protocols: string[];
}

function open(password = 'friend'): OpenClient {
  const { createClient } = peer('graphql-ws') as ClientPackage;
  const closed: unknown[] = [];
  const protocols: string[] = [];
  const client = createClient({
    url: route.address('gateway', 'ws'),
    webSocketImpl: wsImplementation(),
    connectionParams: { password },
    retryAttempts: 0,
    lazyCloseTimeout: 5_000,
    on: {
      opened: (socket: { readonly protocol: string }) => void protocols.push(socket.protocol),
      closed: (event: unknown) => void closed.push(event),
    },
  });
  return { client, closed, protocols, [Symbol.asyncDispose]: async () => await client.dispose() };
}

async function all(results: AsyncIterable<Result>): Promise<Result[]> {
  const gathered: Result[] = [];
  for await (const result of results) gathered.push(result);
  return gathered;
}

suite('graphql-ws as client and server', { skip }, () => {
  test('queries, mutations and errors of resolvers, on one connection', async () => {
    await using _server = await serve();
    await using one = open();
    const { client } = one;
    assert.deepEqual(await all(client.iterate({ query: 'query ($name: String!) { hello(name: $name) }', variables: { name: 'Zoë 🦊' } })), [
      { data: { hello: 'Hello, Zoë 🦊!' } },
    ]);
    assert.deepEqual(await all(client.iterate({ query: 'mutation { add(a: 40, b: 2) }' })), [{ data: { add: 42 } }]);
    const [broken] = await all(client.iterate({ query: '{ broken }' }));
    assert.deepEqual(
      broken?.errors?.map((error) => error.message),
      ['out of order'],
    );
    assert.deepEqual(one.protocols, ['graphql-transport-ws'], 'one connection for all of it');
  });

  test('a subscription brings every value in order and ends; many at once are not mixed up', async () => {
    await using _server = await serve();
    await using one = open();
    const counts = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        all(one.client.iterate({ query: 'subscription ($from: Int!) { countdown(from: $from) }', variables: { from: i + 1 } })),
      ),
    );
    for (const [i, results] of counts.entries()) {
      assert.deepEqual(
        results,
        Array.from({ length: i + 1 }, (_, n) => ({ data: { countdown: i + 1 - n } })),
      );
    }
    assert.equal(one.protocols.length, 1);
  });

  test('a client that ends a subscription, and one that goes, stop it at the server', async () => {
    await using _server = await serve();
    await using staying = open();
    const values: unknown[] = [];
    for await (const { data } of staying.client.iterate({ query: 'subscription { endless }' })) {
      if (values.push(data?.['endless']) === 5) break;
    }
    assert.deepEqual(values, [0, 1, 2, 3, 4]);
    await eventually(() => endless === 0, 'the end of the subscription at the server', 10_000);
    assert.deepEqual(await all(staying.client.iterate({ query: '{ hello(name: "again") }' })), [{ data: { hello: 'Hello, again!' } }]);

    await using going = open();
    await going.client.iterate({ query: 'subscription { endless }' }).next();
    assert.equal(endless, 1);
    await going.client.dispose();
    await eventually(() => endless === 0, 'the end of the subscription of the client that went', 10_000);
  });

  test('the server’s own reason to refuse a client reaches it', async () => {
    await using _server = await serve();
    await using one = open('foe');
    await assert.rejects(all(one.client.iterate({ query: '{ hello(name: "x") }' })));
    assert.deepEqual(
      one.closed.map((event) => {
        const { code, reason } = event as { code: number; reason: string };
        return [code, reason];
      }),
      [[4403, 'Forbidden']],
    );
  });
});
