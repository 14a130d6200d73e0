import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../errors/gateway-error.ts';
import { newSealer, openControl } from './control-fixture.ts';
import { findLocalDoor, recordLocalDoor } from './local-door.ts';

test('the door of a gateway is found with the database and its key, and with neither alone; no plain token is stored', async (t) => {
  const fixture = await openControl();
  t.after(() => fixture.close());
  const { context } = fixture;
  const noGateway = (pattern: RegExp) => (error: unknown) =>
    error instanceof GatewayError && error.code === 'no_gateway' && pattern.test(error.message);
  await assert.rejects(findLocalDoor(context), noGateway(/No gateway runs/));
  await context.store.claimServing();
  await assert.rejects(findLocalDoor(context), noGateway(/older version/));
  const token = 'f00d'.repeat(16);
  await recordLocalDoor(context, { socketPath: '/tmp/x/admin.sock', token });
  assert.deepEqual(await findLocalDoor(context), { socketPath: '/tmp/x/admin.sock', token });
  const stored = await context.store.read((tx) => tx.meta.get('local_door'));
  assert.ok(stored !== undefined && !stored.includes(token));
  await assert.rejects(findLocalDoor({ ...context, sealer: newSealer() }), noGateway(/sealed with secret key .*Restart it/));
});
