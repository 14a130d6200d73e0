import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GatewayError } from '../errors/gateway-error.ts';
import { goodPassword, openAccess, originAt, refusal } from './access-fixture.ts';
import { listAdmins } from './admins.ts';
import { findSession, signIn } from './sessions.ts';
import { createFirstAdminFromSettings, ensureSetupCode, setUp, setupRequired } from './setup.ts';

const ann = { email: 'ann@example.com', password: goodPassword };

describe('set-up', () => {
  it('makes the first admin from a code of 100 bits that is kept only as a hash, and signs this admin in', async () => {
    await using fixture = await openAccess();
    const { access } = fixture;
    const code = (await ensureSetupCode(access)) ?? '';
    assert.match(code, /^(?:[0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}$/);
    const kept = await access.store.read((tx) => tx.meta.get('set_up_code_hash'));
    assert.match(kept ?? '', /^[0-9a-f]{64}$/);
    assert.equal(await setupRequired(access), true);
    const { admin, session } = await setUp(access, { code, ...ann }, originAt('192.0.2.1'));
    assert.equal(admin.email, ann.email);
    assert.equal((await findSession(access, session.token))?.adminId, admin.id);
    assert.ok(await signIn(access, ann, originAt('192.0.2.1')));
    assert.equal(await setupRequired(access), false);
    assert.equal(await access.store.read((tx) => tx.meta.get('set_up_code_hash')), undefined);
    assert.deepEqual(
      (await fixture.audit()).map(({ action }) => action),
      ['set_up.complete', 'session.sign_in', 'session.sign_in'],
    );
  });

  it('takes the code as people type it', async () => {
    await using fixture = await openAccess();
    const code = (await ensureSetupCode(fixture.access)) ?? '';
    const typed = ` ${code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')} `;
    assert.ok(await setUp(fixture.access, { code: typed, ...ann }, originAt('192.0.2.1')));
  });

  it('M09 takes the newest code only, and none once there is an admin', async () => {
    await using fixture = await openAccess();
    const { access } = fixture;
    const old = await ensureSetupCode(access);
    const code = await ensureSetupCode(access);
    assert.notEqual(old, code);
    assert.equal((await refusal(setUp(access, { code: old, ...ann }, originAt('192.0.2.1')))).code, 'invalid_credentials');
    await setUp(access, { code, ...ann }, originAt('192.0.2.1'));
    assert.equal((await refusal(setUp(access, { code, ...ann, email: 'eve@example.com' }, originAt('192.0.2.1')))).code, 'conflict');
    assert.equal(await ensureSetupCode(access), undefined);
    assert.equal((await listAdmins(access, {})).total, 1);
  });

  it('takes no code at all before one was made', async () => {
    await using fixture = await openAccess();
    assert.equal((await refusal(setUp(fixture.access, { code: '', ...ann }, originAt('192.0.2.1')))).code, 'invalid_credentials');
  });

  it('M09 has exactly one winner, however many race', async () => {
    await using fixture = await openAccess();
    const code = await ensureSetupCode(fixture.access);
    const racers = Array.from({ length: 12 }, (_, index) =>
      setUp(fixture.access, { code, email: `racer${index}@example.com`, password: goodPassword }, originAt(`192.0.2.${index}`)),
    );
    const results = await Promise.allSettled(racers);
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const result of results) if (result.status === 'rejected') assert.equal((result.reason as GatewayError).code, 'conflict');
    assert.equal((await listAdmins(fixture.access, {})).total, 1);
  });

  it('slows wrong codes down and records them', async () => {
    await using fixture = await openAccess();
    const { access } = fixture;
    const code = await ensureSetupCode(access);
    for (let guess = 0; guess < 5; guess += 1) {
      assert.equal(
        (await refusal(setUp(access, { code: 'AAAA-AAAA-AAAA-AAAA-AAAA', ...ann }, originAt('192.0.2.1')))).code,
        'invalid_credentials',
      );
    }
    assert.equal((await refusal(setUp(access, { code, ...ann }, originAt('192.0.2.1')))).code, 'too_many_attempts');
    assert.equal(fixture.derivations(), 0, 'a wrong code costs no hashing');
    assert.deepEqual(
      (await fixture.audit()).map(({ action }) => action),
      [...Array.from({ length: 5 }, () => 'set_up.failed'), 'set_up.throttled'],
    );
    assert.ok(await setUp(access, { code, ...ann }, originAt('192.0.2.2')));
  });

  it('says what is wrong with e-mail and password without using the code up', async () => {
    await using fixture = await openAccess();
    const code = await ensureSetupCode(fixture.access);
    const bad = await refusal(setUp(fixture.access, { code, email: 'ann', password: 5 }, originAt('192.0.2.1')));
    assert.deepEqual(bad.errors.map(({ field }) => field).toSorted(), ['email', 'password']);
    assert.match(
      (await refusal(setUp(fixture.access, { code, ...ann, password: 'short' }, originAt('192.0.2.1')))).errors[0]?.message ?? '',
      /12 characters/,
    );
    assert.ok(await setUp(fixture.access, { code, ...ann }, originAt('192.0.2.1')));
  });
});

describe('createFirstAdminFromSettings', () => {
  it('makes the first admin once, uses the code up, and later changes nothing', async () => {
    await using fixture = await openAccess();
    const { access } = fixture;
    await ensureSetupCode(access);
    assert.equal((await createFirstAdminFromSettings(access, 'Ann@example.com', goodPassword))?.email, ann.email);
    assert.equal(await access.store.read((tx) => tx.meta.get('set_up_code_hash')), undefined);
    assert.equal(await createFirstAdminFromSettings(access, 'eve@example.com', 'another good password'), undefined);
    assert.equal((await listAdmins(access, {})).total, 1);
    assert.deepEqual(
      (await fixture.audit()).map(({ actor_kind, actor_label, action }) => [actor_kind, actor_label, action]),
      [['system', 'settings', 'admin.create']],
    );
  });

  it('refuses what would be refused from anybody', async () => {
    await using fixture = await openAccess();
    assert.deepEqual(
      (await refusal(createFirstAdminFromSettings(fixture.access, 'ann', goodPassword))).errors.map(({ field }) => field),
      ['email'],
    );
    assert.deepEqual(
      (await refusal(createFirstAdminFromSettings(fixture.access, ann.email, 'short'))).errors.map(({ field }) => field),
      ['password'],
    );
  });
});
