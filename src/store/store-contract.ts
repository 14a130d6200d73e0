// Longer than 300 lines: the guarantees that every store gives, as one suite to run against each.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { GatewayError } from '../errors/gateway-error.ts';
import { adminRow, apiKeyRow, routeRow, sessionRow, tokenRow, upstreamRow } from './row-fixtures.ts';
import type { AuditEntry, AuditFilter, ConfigRows, SealedValue, Store, StoreReader, StoreWriter } from './store.ts';

export interface ContractStore {
  readonly store: Store;
  /** Opens the same database once more, as another process would. */
  readonly again: () => Promise<Store>;
  dispose(): Promise<void>;
}

/** Registers the tests that any implementation of Store must pass. Each gets an empty database. */
export function storeContract(kind: string, open: () => Promise<ContractStore>): void {
  const guarantee = (name: string, run: (opened: ContractStore) => Promise<void>): void => {
    describe(`${kind}: ${name}`, () => {
      let opened: ContractStore;
      before(async () => {
        opened = await open();
      });
      after(async () => await opened.dispose());
      test('holds', async () => await run(opened));
    });
  };

  guarantee('what is put comes back the same, by id and by name', async ({ store }) => {
    const upstream = upstreamRow(1, {
      preserve_host: true,
      tls_ca: 'PEM',
      auth_value_sealed: 'v1.x',
      auth_value_updated_at: 5,
      revision: 1,
    });
    const route = routeRow(1, { methods: [], enabled: false, priority: -7, revision: 1 });
    const key = apiKeyRow(1, { routes: [route.id], rate_limit_per_minute: 60, expires_at: 9, revision: 1 });
    await store.write(async (tx) => {
      await tx.nextRevision();
      await tx.upstreams.put(upstream);
      await tx.routes.put(route);
      await tx.keys.put(key);
    });
    await store.read(async (tx) => {
      assert.deepEqual(await tx.upstreams.get(upstream.id), upstream);
      assert.deepEqual(await tx.upstreams.byName(upstream.name), upstream);
      assert.deepEqual(await tx.routes.get(route.id), route);
      assert.deepEqual(await tx.routes.byName(route.name), route);
      assert.deepEqual(await tx.keys.get(key.id), key);
      assert.deepEqual(await tx.keys.byName(key.name), key);
      assert.deepEqual(await tx.routes.usingUpstream(upstream.id), [route]);
      assert.equal(await tx.upstreams.get('up_ffffffffffffffff'), undefined);
      assert.equal(await tx.upstreams.byName('UPSTREAM-1'), undefined);
    });
  });

  guarantee('text is stored literally, whatever it holds', async ({ store }) => {
    const name = `'; DROP TABLE upstreams; --<script>"%_\\ü 😀`;
    await store.write(async (tx) => await tx.upstreams.put(upstreamRow(1, { name, description: '=1+1\n\t' })));
    const row = await store.read(async (tx) => await tx.upstreams.byName(name));
    assert.equal(row?.name, name);
    assert.equal(row?.description, '=1+1\n\t');
  });

  guarantee('a transaction that throws leaves nothing behind', async ({ store }) => {
    const failing = store.write(async (tx) => {
      await tx.nextRevision();
      await tx.upstreams.put(upstreamRow(1));
      await tx.audit.append(auditEntry());
      throw new Error('changed my mind');
    });
    await assert.rejects(failing, /changed my mind/);
    await store.read(async (tx) => {
      assert.equal(await tx.revision(), 0);
      assert.equal(await tx.upstreams.get(upstreamRow(1).id), undefined);
      assert.equal((await tx.audit.list({ limit: 10 })).rows.length, 0);
    });
  });

  guarantee('concurrent transactions run one after another', async ({ store }) => {
    const revisions = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        return await store.write(async (tx) => {
          const before = await tx.revision();
          await tx.upstreams.put(upstreamRow(index));
          await new Promise((resolve) => setImmediate(resolve));
          const revision = await tx.nextRevision();
          assert.equal(revision, before + 1);
          return revision;
        });
      }),
    );
    assert.deepEqual(
      revisions.toSorted((a, b) => a - b),
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  });

  guarantee('a reader sees one state from its beginning to its end, and does not wait for a writer', async ({ store }) => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const written = Promise.withResolvers<void>();
    const writing = store.write(async (tx) => {
      await tx.nextRevision();
      await tx.upstreams.put(upstreamRow(1));
      written.resolve();
      await released;
    });
    await written.promise;
    await store.read(async (tx) => {
      assert.equal(await tx.revision(), 0);
      release();
      await writing;
      assert.equal(await tx.revision(), 0);
      assert.equal(await tx.upstreams.byName('upstream-1'), undefined);
    });
    assert.equal(await store.read(async (tx) => await tx.revision()), 1);
  });

  guarantee('who reads much sees one state too, and neither readers nor writers wait for it', async ({ store }) => {
    const rows = 2_500;
    await store.write(async (tx) => {
      const revision = await tx.nextRevision();
      for (let number = 0; number < rows; number += 1) await tx.upstreams.put(upstreamRow(number, { revision }));
    });
    const began = Promise.withResolvers<void>();
    const others = Promise.withResolvers<void>();
    const reading = store.readMany(async (tx) => {
      assert.equal(await tx.revision(), 1);
      began.resolve();
      await others.promise;
      return [await tx.revision(), (await tx.upstreams.changedSince(-1)).length, (await tx.history.at(1)).upstreams.length];
    });
    await began.promise;
    await store.write(async (tx) => await tx.upstreams.remove(upstreamRow(7).id, await tx.nextRevision()));
    assert.equal(await store.read(async (tx) => (await tx.upstreams.changedSince(-1)).length), rows - 1);
    others.resolve();
    assert.deepEqual(await reading, [1, rows, rows]);
  });

  guarantee('thousands of rows are read in turns with others of the event loop', async ({ store }) => {
    await store.write(async (tx) => {
      const revision = await tx.nextRevision();
      for (let number = 0; number < 10_000; number += 1) await tx.upstreams.put(upstreamRow(number, { revision }));
    });
    for (const read of [
      async (tx: StoreReader) => (await tx.upstreams.changedSince(-1)).length,
      async (tx: StoreReader) => (await tx.history.at(1)).upstreams.length,
    ]) {
      let turns = 0;
      const timer = setInterval(() => (turns += 1), 0);
      assert.equal(await store.readMany(read), 10_000);
      clearInterval(timer);
      assert.ok(turns >= 2, `${turns} turns`);
    }
  });

  guarantee('a transaction inside another one is refused instead of waiting for ever', async ({ store }) => {
    await assert.rejects(
      store.write(async () => await store.read(async () => 1)),
      /inside another/,
    );
    await assert.rejects(
      store.read(async () => await store.write(async () => 1)),
      /inside another/,
    );
    assert.equal(await store.read(async (tx) => await tx.revision()), 0);
  });

  guarantee('one transaction takes one revision', async ({ store }) => {
    const twice = store.write(async (tx) => [await tx.nextRevision(), await tx.nextRevision()]);
    await assert.rejects(twice, /one revision/);
  });

  guarantee('changes since a revision are the rows put after it, and what was removed', async ({ store }) => {
    const at = async (work: (tx: StoreWriter, revision: number) => Promise<void>): Promise<void> =>
      await store.write(async (tx) => await work(tx, await tx.nextRevision()));
    await at(async (tx, revision) => {
      for (const number of [1, 2, 3]) await tx.upstreams.put(upstreamRow(number, { revision }));
    });
    await at(async (tx, revision) => await tx.upstreams.put(upstreamRow(2, { revision, timeout_ms: 5 })));
    await at(async (tx, revision) => await tx.upstreams.remove(upstreamRow(3).id, revision));
    await store.read(async (tx) => {
      assert.deepEqual(
        (await tx.upstreams.changedSince(-1)).map(({ id }) => id),
        [upstreamRow(1).id, upstreamRow(2).id],
      );
      assert.deepEqual(
        (await tx.upstreams.changedSince(1)).map(({ timeout_ms }) => timeout_ms),
        [5],
      );
      assert.deepEqual(await tx.upstreams.changedSince(2), []);
      assert.deepEqual(await tx.removedSince(1), [upstreamRow(3).id]);
      assert.deepEqual(await tx.removedSince(3), []);
    });
  });

  guarantee('names are unique, and the error says so', async ({ store }) => {
    await store.write(async (tx) => {
      await tx.upstreams.put(upstreamRow(1));
      await tx.admins.put(adminRow(1));
      await tx.tokens.put(tokenRow(1));
    });
    const taken = { code: 'conflict', errors: [{ field: 'name', message: 'is already taken' }] };
    await assert.rejects(
      store.write(async (tx) => await tx.upstreams.put(upstreamRow(2, { name: 'upstream-1' }))),
      taken,
    );
    await assert.rejects(
      store.write(async (tx) => await tx.tokens.put(tokenRow(2, { name: 'token-1' }))),
      taken,
    );
    const sameEmail = store.write(async (tx) => await tx.admins.put(adminRow(2, { email: adminRow(1).email })));
    await assert.rejects(sameEmail, { code: 'conflict', errors: [{ field: 'email', message: 'is already taken' }] });
    // The name of one kind says nothing about another kind's.
    await store.write(async (tx) => await tx.routes.put(routeRow(1, { name: 'upstream-1' })));
  });

  guarantee('a route cannot point to an upstream that is not there', async ({ store }) => {
    await assert.rejects(store.write(async (tx) => await tx.routes.put(routeRow(1))));
    await store.write(async (tx) => {
      await tx.upstreams.put(upstreamRow(1));
      await tx.routes.put(routeRow(1));
    });
    await assert.rejects(store.write(async (tx) => await tx.upstreams.remove(upstreamRow(1).id, 1)));
  });

  guarantee('lists come in order of name, page by page, filtered and counted', async ({ store }) => {
    const names = ['b', 'A', 'a%b', 'a_c', 'Äpfel', 'z', 'ä'];
    await store.write(async (tx) => {
      for (const [index, name] of names.entries()) await tx.upstreams.put(upstreamRow(index, { name, enabled: index % 2 === 0 }));
    });
    await store.read(async (tx) => {
      const list = async (filter: object): Promise<string[]> =>
        (await tx.upstreams.list({ limit: 100, ...filter })).rows.map(({ name }) => name);
      assert.deepEqual(await list({}), ['A', 'a%b', 'a_c', 'b', 'z', 'Äpfel', 'ä']);
      assert.deepEqual(await list({ nameContains: 'ä' }), ['Äpfel', 'ä']);
      assert.deepEqual(await list({ nameContains: '%' }), ['a%b']);
      assert.deepEqual(await list({ nameContains: '_' }), ['a_c']);
      assert.deepEqual(await list({ nameContains: '\\' }), []);
      assert.deepEqual(await list({ enabled: false }), ['A', 'a_c', 'z']);
      const first = await tx.upstreams.list({ limit: 2, enabled: false });
      assert.deepEqual([first.rows.map(({ name }) => name), first.total, first.more], [['A', 'a_c'], 3, true]);
      const second = await tx.upstreams.list({ limit: 2, enabled: false, after: 'a_c' });
      assert.deepEqual([second.rows.map(({ name }) => name), second.total, second.more], [['z'], 3, false]);
    });
  });

  guarantee('the use of keys and tokens moves forward only, and is no change', async ({ store }) => {
    await store.write(async (tx) => {
      await tx.keys.put(apiKeyRow(1));
      await tx.tokens.put(tokenRow(1));
    });
    const use = async (at: number): Promise<void> =>
      await store.write(async (tx) => {
        await tx.keys.recordUsage(
          new Map([
            [apiKeyRow(1).id, at],
            [apiKeyRow(2).id, at],
          ]),
        );
        await tx.tokens.touch(tokenRow(1).id, at);
      });
    await use(100);
    await use(50);
    await store.read(async (tx) => {
      assert.equal((await tx.keys.get(apiKeyRow(1).id))?.last_used_at, 100);
      assert.equal((await tx.tokens.get(tokenRow(1).id))?.last_used_at, 100);
      assert.equal(await tx.revision(), 0);
    });
  });

  guarantee('the first admin is made once, whoever asks', async ({ store, again }) => {
    const other = await again();
    const made = await Promise.all(
      [store, other, store, other].map(async (one, index) => await one.write(async (tx) => await tx.admins.putFirst(adminRow(index)))),
    );
    assert.equal(made.filter(Boolean).length, 1);
    assert.equal(await store.read(async (tx) => await tx.admins.count()), 1);
    await other.close();
  });

  guarantee('sessions end one by one, all but one, by age, and with their admin', async ({ store }) => {
    await store.write(async (tx) => {
      await tx.admins.put(adminRow(1));
      for (const number of [1, 2, 3, 4]) await tx.sessions.put(sessionRow(number));
    });
    await store.write(async (tx) => {
      assert.deepEqual(
        (await tx.sessions.ofAdmin(adminRow(1).id)).map(({ created_at }) => created_at),
        [1004, 1003, 1002, 1001],
      );
      assert.equal(await tx.sessions.touch(sessionRow(1).id_hash, 4000), true);
      assert.equal(await tx.sessions.touch('unknown', 4000), false);
      assert.equal((await tx.sessions.get(sessionRow(1).id_hash))?.last_seen_at, 4000);
      assert.equal(await tx.sessions.remove(sessionRow(2).id_hash), true);
      assert.equal(await tx.sessions.remove(sessionRow(2).id_hash), false);
      assert.equal(await tx.sessions.removeExpired(0, 1004), 1);
      assert.equal(await tx.sessions.removeExpired(5004, 0), 2);
      await tx.sessions.put(sessionRow(5));
      await tx.sessions.put(sessionRow(6));
      assert.equal(await tx.sessions.removeOfAdmin(adminRow(1).id, sessionRow(6).id_hash), 1);
      assert.equal(await tx.admins.remove(adminRow(1).id), true);
      assert.equal(await tx.admins.remove(adminRow(1).id), false);
      assert.equal(await tx.sessions.get(sessionRow(6).id_hash), undefined);
    });
  });

  guarantee('tokens are found by their hash', async ({ store }) => {
    await store.write(async (tx) => await tx.tokens.put(tokenRow(1, { scope: 'admin', expires_at: 7 })));
    await store.write(async (tx) => {
      assert.deepEqual(await tx.tokens.byHash(tokenRow(1).hash), tokenRow(1, { scope: 'admin', expires_at: 7 }));
      assert.equal(await tx.tokens.byHash('other'), undefined);
      assert.equal(await tx.tokens.remove(tokenRow(1).id), true);
      assert.equal(await tx.tokens.byHash(tokenRow(1).hash), undefined);
    });
  });

  guarantee('the audit log answers newest first, page by page', async ({ store }) => {
    await store.write(async (tx) => {
      for (const number of [1, 2, 3])
        await tx.audit.append(auditEntry({ at: number, resource_id: number === 2 ? 'up_x' : 'up_y', revision: number }));
    });
    await store.read(async (tx) => {
      const first = await tx.audit.list({ limit: 2 });
      assert.deepEqual([first.rows.map(({ at }) => at), first.more], [[3, 2], true]);
      const rest = await tx.audit.list({ limit: 2, before: first.rows[1]!.id });
      assert.deepEqual([rest.rows.map(({ at }) => at), rest.more], [[1], false]);
      const one = await tx.audit.list({ limit: 2, resource: 'up_x' });
      assert.deepEqual(
        one.rows.map((row) => ({ ...row, id: 0 })),
        [{ ...auditEntry({ at: 2, resource_id: 'up_x', revision: 2 }), id: 0 }],
      );
    });
  });

  guarantee('every revision can be told as it was, with what was sealed then', async ({ store }) => {
    const states: ConfigRows[] = [{ upstreams: [], routes: [], keys: [] }];
    const at = async (work: (tx: StoreWriter, revision: number) => Promise<void>): Promise<void> => {
      await store.write(async (tx) => await work(tx, await tx.nextRevision()));
      states.push(await store.read(presentRows));
    };
    const sealed = { auth_type: 'bearer', auth_value_sealed: 'v1.a', auth_value_updated_at: 3 } as const;
    await at(async (tx, revision) => {
      for (const number of [1, 2]) await tx.upstreams.put(upstreamRow(number, { revision, ...sealed }));
      await tx.routes.put(routeRow(1, { revision }));
      await tx.keys.put(apiKeyRow(1, { revision, routes: [routeRow(1).id], rate_limit_per_minute: 5 }));
    });
    await at(async (tx, revision) => await tx.upstreams.put(upstreamRow(1, { revision, ...sealed, auth_value_sealed: 'v1.b' })));
    await at(async (tx, revision) => {
      await tx.routes.remove(routeRow(1).id, revision);
      await tx.keys.put(apiKeyRow(1, { revision, revoked_at: 7 }));
    });
    await at(async (tx, revision) => {
      // Put twice and removed in one transaction: as it was left.
      await tx.upstreams.put(upstreamRow(3, { revision }));
      await tx.upstreams.remove(upstreamRow(3).id, revision);
      await tx.upstreams.put(upstreamRow(2, { revision, name: 'first' }));
      await tx.upstreams.put(upstreamRow(2, { revision, name: 'last', enabled: false }));
    });
    await at(async (tx, revision) => await tx.routes.put(routeRow(1, { revision, methods: [] })));
    await store.write(async (tx) => await tx.keys.recordUsage(new Map([[apiKeyRow(1).id, 99]])));
    await assert.rejects(
      store.write(async (tx) => {
        await tx.upstreams.remove(upstreamRow(2).id, await tx.nextRevision());
        throw new Error('changed my mind');
      }),
    );
    await store.read(async (tx) => {
      assert.equal(await tx.history.from(), 0);
      for (const [revision, state] of states.entries())
        assert.deepEqual(byId(await tx.history.at(revision)), byId(state), `revision ${revision}`);
      assert.deepEqual(byId(await tx.history.at(99)), byId(states.at(-1)!));
    });
  });

  guarantee('history is pruned a little at a time, and what is left stays as it was', async ({ store }) => {
    const keep = { revisions: 3, rows: 1_000, atMost: 2 };
    const count = 12;
    for (let number = 1; number <= count; number += 1) {
      await store.write(async (tx) => {
        const revision = await tx.nextRevision();
        await tx.upstreams.put(upstreamRow(1, { revision, timeout_ms: number }));
        // Made at odd revisions, removed at even ones.
        if (number % 2 === 1) await tx.upstreams.put(upstreamRow(100 + number, { revision }));
        else await tx.upstreams.remove(upstreamRow(99 + number).id, revision);
        assert.ok((await tx.history.prune(keep)) <= 4);
      });
    }
    const tell = async (tx: StoreReader): Promise<unknown[]> =>
      await Promise.all([9, 10, 11, 12].map(async (revision) => byId(await tx.history.at(revision))));
    const before = await store.read(tell);
    assert.equal(await store.read((tx) => tx.history.from()), count - 3);
    while ((await store.write((tx) => tx.history.prune(keep))) > 0);
    assert.equal(await store.read((tx) => tx.history.from()), count - 3);
    assert.deepEqual(await store.read(tell), before);
    assert.deepEqual(
      (await store.read((tx) => tx.history.at(9))).upstreams.map(({ id, timeout_ms }) => [id, timeout_ms]),
      [
        [upstreamRow(1).id, 9],
        [upstreamRow(109).id, 30_000],
      ],
    );
    // Where few revisions hold many rows, fewer are kept, but always the one before.
    assert.ok((await store.write((tx) => tx.history.prune({ revisions: 3, rows: 3, atMost: 100 }))) > 0);
    assert.equal(await store.read((tx) => tx.history.from()), 11);
    await store.write((tx) => tx.history.prune({ revisions: 3, rows: 0, atMost: 100 }));
    assert.equal(await store.read((tx) => tx.history.from()), 11);
    assert.deepEqual(await store.read(async (tx) => byId(await tx.history.at(12))), before[3]);
    // What was forgotten once does not come back with a larger number.
    await store.write((tx) => tx.history.prune({ revisions: 1_000, rows: 1_000, atMost: 100 }));
    assert.equal(await store.read((tx) => tx.history.from()), 11);
  });

  guarantee('revisions are listed newest first, page by page, found by who and what', async ({ store }) => {
    const entries: readonly (readonly Partial<AuditEntry>[])[] = [
      [
        { resource_id: 'up_1', resource_name: 'one' },
        { action: 'route.create', resource_type: 'route', resource_id: 'rt_1', resource_name: 'r' },
      ],
      [{ action: 'upstream.update', resource_id: 'up_1', resource_name: 'one', actor_kind: 'cli', actor_id: '', actor_label: 'root' }],
      [
        { action: 'route.update', resource_type: 'route', resource_id: 'rt_1', resource_name: 'r' },
        { action: 'route.update', resource_type: 'route', resource_id: 'rt_2', resource_name: 'one' },
      ],
    ];
    for (const rows of entries) {
      await store.write(async (tx) => {
        const revision = await tx.nextRevision();
        await tx.upstreams.put(upstreamRow(1, { revision }));
        for (const row of rows) await tx.audit.append(auditEntry({ ...row, revision }));
        await tx.audit.append(auditEntry({ action: 'session.sign_in', revision: null }));
      });
    }
    await store.read(async (tx) => {
      const found = async (filter: object): Promise<number[]> => {
        const page = await tx.history.revisions({ limit: 10, ...filter });
        assert.equal(page.total, page.rows.length);
        return page.rows.map(({ revision }) => revision);
      };
      assert.deepEqual(await found({}), [3, 2, 1]);
      assert.deepEqual(await found({ actor: 'root' }), [2]);
      assert.deepEqual(await found({ actor: 'admin' }), [3, 1]);
      assert.deepEqual(await found({ resource: 'one' }), [3, 2, 1]);
      assert.deepEqual(await found({ resource: 'up_1' }), [2, 1]);
      assert.deepEqual(await found({ resource: 'route', actor: 'ann@example.com' }), [3, 1]);
      assert.deepEqual(await found({ resource: '%' }), []);
      const first = await tx.history.revisions({ limit: 2 });
      assert.deepEqual(
        first.rows.map(({ revision, actions }) => [revision, [...actions]]),
        [
          [3, [['route.update', 2]]],
          [2, [['upstream.update', 1]]],
        ],
      );
      assert.deepEqual([first.total, first.more], [3, true]);
      const rest = await tx.history.revisions({ limit: 2, before: 2 });
      assert.deepEqual([rest.rows.map(({ revision }) => revision), rest.total, rest.more], [[1], 3, false]);
      assert.deepEqual(
        (await tx.audit.ofRevision(3, 10)).map(({ resource_id }) => resource_id),
        ['rt_1', 'rt_2'],
      );
      assert.equal((await tx.audit.ofRevision(3, 1)).length, 1);
    });
    await store.write((tx) => tx.history.prune({ revisions: 1, rows: 100, atMost: 100 }));
    assert.deepEqual(
      (await store.read((tx) => tx.history.revisions({ limit: 10 }))).rows.map(({ revision }) => revision),
      [3, 2],
    );
  });

  guarantee('what was removed and is there again counts as changed, not as removed', async ({ store }) => {
    const upstream = upstreamRow(1);
    await store.write(async (tx) => {
      for (const number of [1, 2]) await tx.upstreams.put(upstreamRow(number, { revision: 1 }));
      for (const number of [1, 2]) await tx.upstreams.remove(upstreamRow(number).id, 2);
      await tx.upstreams.put({ ...upstream, revision: 3 });
    });
    await store.read(async (tx) => {
      assert.deepEqual(await tx.removedSince(0), [upstreamRow(2).id]);
      assert.deepEqual(await tx.upstreams.changedSince(0), [{ ...upstream, revision: 3 }]);
    });
  });

  guarantee('names can change hands within a transaction', async ({ store }) => {
    await store.write(async (tx) => {
      for (const number of [1, 2]) await tx.upstreams.put(upstreamRow(number));
    });
    await store.write(async (tx) => {
      await tx.upstreams.vacateName(upstreamRow(2).id);
      await tx.upstreams.put(upstreamRow(1, { name: 'upstream-2' }));
      await tx.upstreams.put(upstreamRow(2, { name: 'upstream-1' }));
    });
    assert.equal((await store.read((tx) => tx.upstreams.byName('upstream-1')))?.id, upstreamRow(2).id);
  });

  guarantee('the audit log is searched by action, actor, resource and time, and its totals are those of the search', async ({ store }) => {
    const entries: Partial<AuditEntry>[] = [
      { at: 1, action: 'upstream.create', resource_id: 'up_1', resource_name: 'one' },
      {
        at: 2,
        action: 'upstream.update',
        resource_id: 'up_1',
        resource_name: 'one',
        actor_id: 'tok_1',
        actor_label: 'deploy',
        actor_kind: 'token',
      },
      { at: 3, action: 'upstreamish.create', resource_id: 'x_1', resource_name: 'up_%', resource_type: 'other' },
      { at: 4, action: 'session.sign_in', resource_type: 'session', resource_id: 'ses_1', resource_name: 'ann@example.com' },
    ];
    await store.write(async (tx) => {
      for (const entry of entries) await tx.audit.append(auditEntry(entry));
    });
    const timesOf = async (filter: Omit<AuditFilter, 'limit'>): Promise<number[]> => {
      const { rows, total } = await store.read((tx) => tx.audit.list({ limit: 10, ...filter }));
      assert.equal(total, rows.length);
      return rows.map(({ at }) => at);
    };
    assert.deepEqual(await timesOf({ action: 'upstream' }), [2, 1]);
    assert.deepEqual(await timesOf({ action: 'upstream.create' }), [1]);
    assert.deepEqual(await timesOf({ action: 'upstream.%' }), [], 'no pattern');
    assert.deepEqual(await timesOf({ actor: 'deploy' }), [2]);
    assert.deepEqual(await timesOf({ actor: 'tok_1' }), [2]);
    assert.deepEqual(await timesOf({ actor: 'token' }), [2]);
    assert.deepEqual(await timesOf({ resource: 'up_1' }), [2, 1]);
    assert.deepEqual(await timesOf({ resource: 'up_%' }), [3]);
    assert.deepEqual(await timesOf({ resource: 'session' }), [4]);
    assert.deepEqual(await timesOf({ since: 2, until: 4 }), [3, 2]);
    assert.deepEqual(await timesOf({ actor: 'ann@example.com', action: 'session', since: 5 }), []);
    const { rows, total, more } = await store.read((tx) => tx.audit.list({ limit: 1, action: 'upstream', before: 2 }));
    assert.deepEqual([rows.map(({ at }) => at), total, more], [[1], 2, false]);
  });

  guarantee('old audit rows can be forgotten, some at a time', async ({ store }) => {
    await store.write(async (tx) => {
      for (const at of [1, 2, 3, 4, 5]) await tx.audit.append(auditEntry({ at }));
    });
    assert.equal(await store.write((tx) => tx.audit.removeBefore(4, 2)), 2);
    assert.equal(await store.write((tx) => tx.audit.removeBefore(4, 2)), 1);
    assert.deepEqual(
      (await store.read((tx) => tx.audit.list({ limit: 10 }))).rows.map(({ at }) => at),
      [5, 4],
    );
  });

  guarantee('removals can be forgotten up to a revision', async ({ store }) => {
    for (const number of [1, 2, 3]) {
      await store.write(async (tx) => {
        const revision = await tx.nextRevision();
        await tx.upstreams.put(upstreamRow(number, { revision }));
        await tx.upstreams.remove(upstreamRow(number).id, revision);
      });
    }
    assert.equal(await store.write((tx) => tx.forgetRemoved(2)), 2);
    assert.deepEqual(await store.read((tx) => tx.removedSince(-1)), [upstreamRow(3).id]);
  });

  guarantee('what is sealed is found wherever it lies, and replaced only where it is still the same', async ({ store }) => {
    await store.write(async (tx) => {
      for (const [number, sealed] of [
        [1, 'v1.aaaaaaaa.n.x'],
        [2, null],
        [3, 'v1.bbbbbbbb.n.y'],
        [4, 'v1.aaaaaaaa.n.z'],
        [5, 'nonsense'],
      ] as const)
        await tx.upstreams.put(upstreamRow(number, { auth_type: 'bearer', auth_value_sealed: sealed }));
    });
    const idOf = (number: number): string => upstreamRow(number).id;
    const idsOf = (values: readonly SealedValue[]): string[] => values.map(({ holder, id }) => `${holder} ${id}`);
    const present = (...numbers: number[]): string[] => numbers.map((number) => `upstreams ${idOf(number)}`);
    const remembered = (...numbers: number[]): string[] => numbers.map((number) => `row_history ${idOf(number)}`);
    await store.write(async (tx) => {
      assert.deepEqual(idsOf(await tx.sealed.all()), [...present(1, 3, 4, 5), ...remembered(1, 3, 4, 5)]);
      const first = await tx.sealed.notUnder('bbbbbbbb', 2);
      const { holder: _holder, key: _key, ...place } = first[0]!;
      assert.deepEqual(place, { table: 'upstreams', id: idOf(1), field: 'auth_value', sealed: 'v1.aaaaaaaa.n.x' });
      assert.deepEqual(idsOf(first), present(1, 4));
      const second = await tx.sealed.notUnder('bbbbbbbb', 2, first[1]);
      assert.deepEqual(idsOf(second), [...present(5), ...remembered(1)]);
      assert.deepEqual(idsOf(await tx.sealed.notUnder('bbbbbbbb', 9, second[1])), remembered(4, 5));
      assert.deepEqual([second[1]?.table, second[1]?.field], ['upstreams', 'auth_value'], 'sealed for the same place');
      assert.equal(await tx.sealed.replace(first[0]!, 'v1.bbbbbbbb.n.q'), true);
      assert.equal(await tx.sealed.replace(first[0]!, 'v1.bbbbbbbb.n.r'), false, 'it is another by now');
      assert.equal((await tx.upstreams.get(upstreamRow(1).id))?.auth_value_sealed, 'v1.bbbbbbbb.n.q');
      assert.equal(await tx.sealed.replace(second[1]!, 'v1.bbbbbbbb.n.s'), true);
      const then = (await tx.history.at(0)).upstreams.find(({ id }) => id === idOf(1));
      assert.equal(then?.auth_value_sealed, 'v1.bbbbbbbb.n.s');
    });
    // Remembered in another order than that of their ids: value by value, none is passed over.
    await store.write(async (tx) => {
      for (const number of [4, 1, 3])
        await tx.upstreams.put(upstreamRow(number, { revision: 1, auth_type: 'bearer', auth_value_sealed: `v1.aaaaaaaa.m.${number}` }));
      const walked: string[] = [];
      for (let after: SealedValue | undefined; ;) {
        const [next] = await tx.sealed.notUnder('bbbbbbbb', 1, after);
        if (next === undefined) break;
        walked.push(`${next.holder} ${next.sealed}`);
        after = next;
      }
      const all = (await tx.sealed.all()).filter(({ sealed }) => !sealed.startsWith('v1.bbbbbbbb.'));
      assert.deepEqual(
        walked,
        all.map(({ holder, sealed }) => `${holder} ${sealed}`),
      );
      assert.deepEqual(
        walked.filter((text) => text.includes('row_history v1.aaaaaaaa.m')).map((text) => text.at(-1)),
        ['4', '1', '3'],
      );
    });
  });

  guarantee('single values can be set, replaced and removed', async ({ store }) => {
    await store.write(async (tx) => {
      assert.equal(await tx.meta.get('a'), undefined);
      await tx.meta.set('a', '1');
      await tx.meta.set('a', '2');
      assert.equal(await tx.meta.get('a'), '2');
      assert.equal(await tx.meta.remove('a'), true);
      assert.equal(await tx.meta.remove('a'), false);
    });
  });

  guarantee('a commit of another process shows in the data version and in what is read', async ({ store, again }) => {
    const other = await again();
    const first = await store.dataVersion();
    assert.equal(await store.dataVersion(), first);
    await other.write(async (tx) => {
      await tx.nextRevision();
      await tx.upstreams.put(upstreamRow(1));
    });
    assert.notEqual(await store.dataVersion(), first);
    assert.equal((await store.read(async (tx) => await tx.upstreams.byName('upstream-1')))?.id, upstreamRow(1).id);
    await other.close();
  });

  guarantee('what was committed is there after closing and opening again', async ({ store, again }) => {
    await store.write(async (tx) => {
      await tx.nextRevision();
      await tx.upstreams.put(upstreamRow(1));
    });
    await store.close();
    const reopened = await again();
    assert.equal(await reopened.read(async (tx) => await tx.revision()), 1);
    await reopened.close();
  });

  guarantee('one gateway at a time serves a database', async ({ store, again }) => {
    const other = await again();
    assert.equal(await other.isServed(), false);
    assert.equal(await store.claimServing(), true);
    assert.equal(await store.claimServing(), true);
    assert.equal(await store.isServed(), true);
    await store.close();
    assert.equal(await other.isServed(), false);
    assert.equal(await other.claimServing(), true);
    await other.close();
  });

  guarantee('after closing, use is an error and not a hang', async ({ store }) => {
    await store.close();
    await assert.rejects(store.read(async (tx) => await tx.revision()));
  });

  guarantee('errors of the store are told from errors of ours', async ({ store }) => {
    const error = await store
      .write(async (tx) => await tx.upstreams.put({ ...upstreamRow(1), name: null as unknown as string }))
      .catch((caught: unknown) => caught);
    assert.ok(error instanceof Error && !(error instanceof GatewayError));
  });
}

/** The gateway config as it is, in the form in which the history tells it. */
async function presentRows(tx: StoreReader): Promise<ConfigRows> {
  const keys = await tx.keys.changedSince(-1);
  return {
    upstreams: await tx.upstreams.changedSince(-1),
    routes: await tx.routes.changedSince(-1),
    keys: keys.map(({ hash: _hash, last_used_at: _used, ...key }) => key),
  };
}

function byId({ upstreams, routes, keys }: ConfigRows): unknown {
  return [upstreams, routes, keys].map((rows) => rows.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
}

function auditEntry(fields: Partial<AuditEntry> = {}): AuditEntry {
  return {
    at: 1,
    actor_kind: 'admin',
    actor_id: 'adm_0000000000000001',
    actor_label: 'ann@example.com',
    remote_address: '127.0.0.1',
    request_id: 'r1',
    action: 'upstream.create',
    resource_type: 'upstream',
    resource_id: 'up_0000000000000001',
    resource_name: 'my-api',
    revision: 1,
    detail: { changed: { timeout_ms: { from: 1, to: 2 } } },
    ...fields,
  };
}
