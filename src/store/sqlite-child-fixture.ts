/** A second process for tests: `node sqlite-child-fixture.ts ACT PATH [ARGUMENT]`. Answers in lines on stdout. */
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { upstreamRow } from './row-fixtures.ts';
import { openSqliteStore } from './sqlite-store.ts';

const [act, path = '', argument = ''] = process.argv.slice(2);

switch (act) {
  // Opens (and so migrates), says what it found, and closes.
  case 'open': {
    const store = await openSqliteStore({ path, create: true }).catch((error: Error) => error.message);
    if (typeof store === 'string') {
      console.log(store);
      break;
    }
    console.log('revision', await store.read(async (tx) => await tx.revision()));
    await store.close();
    break;
  }
  // Holds the write lock for some milliseconds.
  case 'lock': {
    const database = new DatabaseSync(path, { timeout: 1000 });
    database.exec('BEGIN IMMEDIATE');
    console.log('locked');
    await sleep(Number(argument));
    database.exec('ROLLBACK');
    database.close();
    break;
  }
  // Commits one upstream after another and says so after each, until it is killed.
  case 'write': {
    const store = await openSqliteStore({ path, create: true });
    for (;;) {
      const revision = await store.write(async (tx) => {
        const next = await tx.nextRevision();
        await tx.upstreams.put(upstreamRow(next, { revision: next }));
        return next;
      });
      process.stdout.write(`${revision}\n`);
    }
  }
  // Serves the database until it is killed.
  case 'serve': {
    const store = await openSqliteStore({ path, create: true });
    console.log('serving', await store.claimServing());
    await sleep(60_000);
    break;
  }
  default:
    throw new Error(`unknown act ${act}`);
}
