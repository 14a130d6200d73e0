import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openAccess, refusal, systemActor } from './access-fixture.ts';
import { etagOf } from './etag.ts';
import { createToken, deleteToken, findToken, getToken, listTokens, revokeToken, updateToken } from './tokens.ts';

describe('API tokens', () => {
  it('are shown once, stored as a hash, and read-only unless told otherwise', async () => {
    await using fixture = await openAccess();
    const { value, secret } = await createToken(fixture.access, systemActor, { name: 'ci' });
    assert.match(secret, /^agt_[0-9a-f]{64}$/);
    assert.match(value.id, /^tok_[0-9a-f]{16}$/);
    assert.deepEqual([value.scope, value.prefix, value.expires_at, value.created_by], ['read', secret.slice(0, 12), null, 'test']);
    const row = await fixture.access.store.read((tx) => tx.tokens.byName('ci'));
    assert.ok(row && !JSON.stringify(row).includes(secret.slice(12)));
    assert.deepEqual(await findToken(fixture.access, secret), { id: value.id, name: 'ci', scope: 'read' });
    assert.deepEqual(await getToken(fixture.access, 'ci'), { ...value, last_used_at: '2026-11-23T12:00:00.000Z' });
  });

  it('M10 stop working when revoked, expired or deleted; others never work', async () => {
    await using fixture = await openAccess();
    const { access } = fixture;
    const revoked = await createToken(access, systemActor, { name: 'revoked' });
    const revokedValue = await revokeToken(access, systemActor, 'revoked');
    assert.equal(revokedValue.revoked_at, '2026-11-23T12:00:00.000Z');
    assert.equal(await findToken(access, revoked.secret), undefined);
    fixture.advance(1_000);
    assert.deepEqual(await revokeToken(access, systemActor, 'revoked'), revokedValue, 'revoking again changes nothing');

    const expiring = await createToken(access, systemActor, { name: 'expiring', expires_at: '2026-11-23T14:00:00+01:00', scope: 'admin' });
    assert.equal(expiring.value.expires_at, '2026-11-23T13:00:00.000Z');
    assert.equal((await findToken(access, expiring.secret))?.scope, 'admin');
    fixture.advance(3_599_000);
    assert.equal(await findToken(access, expiring.secret), undefined);

    const deleted = await createToken(access, systemActor, { name: 'deleted' });
    await deleteToken(access, systemActor, deleted.value.id);
    assert.equal(await findToken(access, deleted.secret), undefined);
    for (const bad of ['', 'agt_', `agt_${'0'.repeat(64)}`, deleted.secret.toUpperCase(), `${revoked.secret} `])
      assert.equal(await findToken(access, bad), undefined);
  });

  it('can be renamed, rescoped and given another expiry, by whoever saw their present state', async () => {
    await using fixture = await openAccess();
    const { access } = fixture;
    const { value, secret } = await createToken(access, systemActor, { name: 'ci', scope: 'write' });
    const etag = etagOf(value);
    const changed = await updateToken(access, systemActor, 'ci', { name: 'ci-2', scope: null }, { ifMatch: etag });
    assert.deepEqual([changed.name, changed.scope], ['ci-2', 'read']);
    assert.equal((await findToken(access, secret))?.scope, 'read');
    assert.equal(
      (await refusal(updateToken(access, systemActor, 'ci-2', { scope: 'admin' }, { ifMatch: etag }))).code,
      'precondition_failed',
    );
    assert.equal((await refusal(deleteToken(access, systemActor, 'ci-2', { ifMatch: etag }))).code, 'precondition_failed');
    const used = await getToken(access, 'ci-2');
    assert.notEqual(used.last_used_at, null);
    assert.equal(etagOf(used), etagOf(changed), 'being used is no change');
    assert.equal(
      (await updateToken(access, systemActor, 'ci-2', { ...used, scope: 'admin' })).scope,
      'admin',
      'what was read may be sent back',
    );
    assert.deepEqual((await refusal(updateToken(access, systemActor, 'ci-2', { prefix: 'agt_00000000' }))).errors, [
      { field: 'prefix', message: 'is set by the gateway and cannot be changed' },
    ]);
  });

  it('are left alone, without an audit row, by a change that changes nothing', async () => {
    await using fixture = await openAccess();
    const { value } = await createToken(fixture.access, systemActor, { name: 'ci' });
    assert.deepEqual(await updateToken(fixture.access, systemActor, 'ci', {}), value);
    assert.deepEqual(await updateToken(fixture.access, systemActor, 'ci', { scope: 'read', expires_at: null }), value);
    assert.equal((await fixture.audit()).length, 1);
  });

  it('refuse bad input with every field, taken names and unknown ids, and change nothing', async () => {
    await using fixture = await openAccess();
    const { access } = fixture;
    const { value } = await createToken(access, systemActor, { name: 'ci' });
    const error = await refusal(createToken(access, systemActor, { name: '', scope: 'root', expires_at: 'tomorrow', scop: 'read' }));
    assert.equal(error.code, 'validation_failed');
    assert.deepEqual(error.errors.map(({ field }) => field).toSorted(), ['expires_at', 'name', 'scop', 'scope']);
    assert.match(error.errors.find(({ field }) => field === 'scop')?.message ?? '', /did you mean scope/);
    assert.deepEqual((await refusal(createToken(access, systemActor, {}))).errors, [{ field: 'name', message: 'is required' }]);
    assert.match(
      (await refusal(createToken(access, systemActor, { name: 'x', expires_at: '2026-11-23T11:00:00Z' }))).errors[0]?.message ?? '',
      /future/,
    );
    assert.match((await refusal(createToken(access, systemActor, { name: value.id }))).errors[0]?.message ?? '', /id/);
    assert.equal((await refusal(createToken(access, systemActor, { name: 'ci' }))).code, 'conflict');
    await createToken(access, systemActor, { name: 'other' });
    assert.equal((await refusal(updateToken(access, systemActor, 'other', { name: 'ci' }))).code, 'conflict');
    for (const unknown of ['tok_0000000000000000', 'nobody', '']) {
      assert.equal((await refusal(getToken(access, unknown))).code, 'not_found');
      assert.equal((await refusal(updateToken(access, systemActor, unknown, {}))).code, 'not_found');
      assert.equal((await refusal(revokeToken(access, systemActor, unknown))).code, 'not_found');
      assert.equal((await refusal(deleteToken(access, systemActor, unknown))).code, 'not_found');
    }
    assert.deepEqual(
      (await listTokens(access, {})).data.map(({ name }) => name),
      ['ci', 'other'],
    );
    assert.deepEqual(
      (await listTokens(access, { q: 'TH' })).data.map(({ name }) => name),
      ['other'],
    );
  });

  it('leave an audit row for each change, without the token', async () => {
    await using fixture = await openAccess();
    const { secret } = await createToken(fixture.access, systemActor, { name: 'ci' });
    await updateToken(fixture.access, systemActor, 'ci', { scope: 'write' });
    await revokeToken(fixture.access, systemActor, 'ci');
    await deleteToken(fixture.access, systemActor, 'ci');
    const audit = await fixture.audit();
    assert.deepEqual(
      audit.map(({ action, resource_name }) => [action, resource_name]),
      [
        ['token.create', 'ci'],
        ['token.update', 'ci'],
        ['token.revoke', 'ci'],
        ['token.delete', 'ci'],
      ],
    );
    assert.ok(!JSON.stringify(audit).includes(secret.slice(4)));
  });
});
