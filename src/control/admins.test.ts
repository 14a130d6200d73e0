import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { goodPassword, openAccess, originAt, refusal, systemActor } from './access-fixture.ts';
import { adminEtag, createAdmin, deleteAdmin, getAdmin, listAdmins, updateAdmin } from './admins.ts';
import { findSession, signIn } from './sessions.ts';

const ann = 'ann@example.com';
const bob = 'bob@example.com';
const elsewhere = { remoteAddress: '192.0.2.9' };

describe('admins', () => {
  it('are made with e-mail in lower case and never show their password', async () => {
    await using fixture = await openAccess();
    const admin = await createAdmin(fixture.access, systemActor, { email: 'Ann@Example.com', password: goodPassword });
    assert.match(admin.id, /^adm_[0-9a-f]{16}$/);
    assert.deepEqual(Object.keys(admin).toSorted(), ['created_at', 'email', 'id', 'last_sign_in_at', 'updated_at']);
    assert.equal(admin.email, ann);
    assert.deepEqual(await getAdmin(fixture.access, 'ANN@example.com'), admin);
    assert.deepEqual(await getAdmin(fixture.access, admin.id), admin);
    assert.deepEqual((await listAdmins(fixture.access, {})).data, [admin]);
  });

  it('refuse bad input with every field, and an e-mail address that is taken', async () => {
    await using fixture = await openAccess(ann, bob);
    const bad = await refusal(createAdmin(fixture.access, systemActor, { email: 'ann', password: 12, pasword: 'x' }));
    assert.deepEqual(bad.errors.map(({ field }) => field).toSorted(), ['email', 'password', 'pasword']);
    assert.match(
      (await refusal(createAdmin(fixture.access, systemActor, { email: 'c@example.com', password: 'short' }))).errors[0]?.message ?? '',
      /12 characters/,
    );
    assert.equal(
      (await refusal(createAdmin(fixture.access, systemActor, { email: 'ANN@example.com', password: goodPassword }))).code,
      'conflict',
    );
    assert.equal((await refusal(updateAdmin(fixture.access, systemActor, bob, { email: ann }, elsewhere))).code, 'conflict');
    assert.equal((await refusal(updateAdmin(fixture.access, systemActor, 'nobody@example.com', {}, elsewhere))).code, 'not_found');
    assert.equal((await refusal(getAdmin(fixture.access, 'adm_0000000000000000'))).code, 'not_found');
    assert.equal((await listAdmins(fixture.access, {})).total, 2);
  });

  it('end their other sessions when the password changes, and only then', async () => {
    await using fixture = await openAccess(ann);
    const { access } = fixture;
    const own = await signIn(access, { email: ann, password: goodPassword }, originAt('192.0.2.1'));
    const other = await signIn(access, { email: ann, password: goodPassword }, originAt('192.0.2.2'));
    await updateAdmin(access, systemActor, ann, { email: 'ann2@example.com' }, { ...elsewhere, signedIn: own.signedIn });
    assert.equal((await findSession(access, other.token))?.email, 'ann2@example.com');
    const change = { password: 'another good password', current_password: goodPassword };
    await updateAdmin(access, systemActor, own.signedIn.adminId, change, { ...elsewhere, signedIn: own.signedIn });
    assert.ok(await findSession(access, own.token));
    assert.equal(await findSession(access, other.token), undefined);
    assert.equal(
      (await refusal(signIn(access, { email: 'ann2@example.com', password: goodPassword }, originAt('192.0.2.1')))).code,
      'invalid_credentials',
    );
    assert.ok(await signIn(access, { email: 'ann2@example.com', password: 'another good password' }, originAt('192.0.2.1')));
    await updateAdmin(access, systemActor, own.signedIn.adminId, { password: 'set by another admin' }, elsewhere);
    assert.equal(await findSession(access, own.token), undefined, 'a password set by somebody else ends them all');
  });

  it('need their current password to change the own one, and guesses of it are slowed down', async () => {
    await using fixture = await openAccess(ann);
    const { access } = fixture;
    const { signedIn } = await signIn(access, { email: ann, password: goodPassword }, originAt('192.0.2.9'));
    const change = (current?: string): Promise<unknown> =>
      updateAdmin(
        access,
        systemActor,
        ann,
        { password: 'another good password', ...(current === undefined ? {} : { current_password: current }) },
        { ...elsewhere, signedIn },
      );
    assert.deepEqual((await refusal(change())).errors, [{ field: 'current_password', message: 'is required to change your own password' }]);
    for (let guess = 0; guess < 5; guess += 1)
      assert.match((await refusal(change(`guess ${guess}`))).errors[0]?.message ?? '', /not your current/);
    assert.equal((await refusal(change(goodPassword))).code, 'too_many_attempts');
    fixture.advance(1_000);
    await change(goodPassword);
  });

  it('can be deleted but for the last one, also when two deletions race', async () => {
    await using fixture = await openAccess(ann, bob);
    const results = await Promise.allSettled([ann, bob].map((email) => deleteAdmin(fixture.access, systemActor, email)));
    assert.deepEqual(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
    const [left] = (await listAdmins(fixture.access, {})).data;
    assert.equal((await refusal(deleteAdmin(fixture.access, systemActor, left?.id ?? ''))).code, 'conflict');
  });

  it('are changed only by whoever saw their present state; signing in is no change', async () => {
    await using fixture = await openAccess(ann, bob);
    const { access } = fixture;
    const before = await getAdmin(access, ann);
    await signIn(access, { email: ann, password: goodPassword }, originAt('192.0.2.1'));
    const seen = await getAdmin(access, ann);
    assert.notEqual(seen.last_sign_in_at, null);
    assert.equal(adminEtag(seen), adminEtag(before));
    fixture.advance(1);
    const after = await updateAdmin(
      access,
      systemActor,
      ann,
      { ...seen, email: 'ann2@example.com' },
      { ...elsewhere, ifMatch: adminEtag(seen) },
    );
    assert.equal(
      (await refusal(updateAdmin(access, systemActor, after.id, { email: 'x@example.com' }, { ...elsewhere, ifMatch: adminEtag(seen) })))
        .code,
      'precondition_failed',
    );
    assert.equal((await refusal(deleteAdmin(access, systemActor, after.id, { ifMatch: adminEtag(seen) }))).code, 'precondition_failed');
    await deleteAdmin(access, systemActor, after.id, { ifMatch: `"other", ${adminEtag(after)}` });
  });

  it('are left alone, without an audit row, by a change that changes nothing', async () => {
    await using fixture = await openAccess(ann);
    const before = await getAdmin(fixture.access, ann);
    fixture.advance(1);
    assert.deepEqual(await updateAdmin(fixture.access, systemActor, ann, { ...before }, elsewhere), before);
    assert.equal((await fixture.audit()).length, 1);
  });

  it('leave an audit row for each change, without passwords', async () => {
    await using fixture = await openAccess(ann, bob);
    await updateAdmin(fixture.access, systemActor, bob, { password: 'another good password' }, elsewhere);
    await deleteAdmin(fixture.access, systemActor, bob);
    const audit = await fixture.audit();
    assert.deepEqual(
      audit.map(({ action, resource_name }) => [action, resource_name]),
      [
        ['admin.create', ann],
        ['admin.create', bob],
        ['admin.update', bob],
        ['admin.delete', bob],
      ],
    );
    assert.deepEqual(audit[2]?.detail, { changed: ['password'], sessions_ended: 0 });
    assert.doesNotMatch(JSON.stringify(audit), /scrypt|good password|horse/);
  });
});
