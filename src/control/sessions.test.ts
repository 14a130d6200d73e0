import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../errors/gateway-error.ts';
import { goodPassword, openAccess, originAt, systemActor } from './access-fixture.ts';
import { deleteAdmin, updateAdmin } from './admins.ts';
import {
  endSession,
  findSession,
  listSessions,
  sessionAbsoluteLimit,
  sessionIdleLimit,
  signIn,
  signOut,
  type NewSession,
} from './sessions.ts';

const minute = 60_000;
const ann = 'ann@example.com';
const right = { email: ann, password: goodPassword };
const wrong = { email: ann, password: 'not the password at all' };

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'ok';
  } catch (error) {
    assert.ok(error instanceof GatewayError, String(error));
    return error.code;
  }
}

describe('signIn', () => {
  it('takes e-mail in any case with the right password, and gives a new 256-bit id each time that is stored only as a hash', async () => {
    await using fixture = await openAccess(ann);
    const first = await signIn(fixture.access, { ...right, email: 'Ann@Example.COM' }, originAt('192.0.2.1'));
    const second = await signIn(fixture.access, right, originAt('192.0.2.1'));
    assert.match(first.token, /^[0-9a-f]{64}$/);
    assert.notEqual(first.token, second.token);
    assert.equal((await findSession(fixture.access, first.token))?.email, ann);
    const row = await fixture.access.store.read((tx) => tx.sessions.get(first.signedIn.idHash));
    assert.ok(row && !JSON.stringify(row).includes(first.token));
  });

  it('refuses a wrong password and an unknown account alike, at the same cost', async () => {
    await using fixture = await openAccess(ann);
    assert.equal(await codeOf(signIn(fixture.access, wrong, originAt('192.0.2.1'))), 'invalid_credentials');
    assert.equal(fixture.derivations(), 1);
    assert.equal(
      await codeOf(signIn(fixture.access, { ...right, email: 'nobody@example.com' }, originAt('192.0.2.1'))),
      'invalid_credentials',
    );
    assert.equal(fixture.derivations(), 2);
    assert.equal(await codeOf(signIn(fixture.access, { email: ann }, originAt('192.0.2.1'))), 'validation_failed');
    assert.equal(await codeOf(signIn(fixture.access, { ...right, password: 7 }, originAt('192.0.2.1'))), 'validation_failed');
  });

  it('writes an audit row for each sign-in and each failure, and never what was typed as an unknown address', async () => {
    await using fixture = await openAccess(ann);
    await signIn(fixture.access, right, originAt('192.0.2.1'));
    await codeOf(signIn(fixture.access, wrong, originAt('192.0.2.2')));
    await codeOf(signIn(fixture.access, { email: 'hunter2-canary', password: 'x' }, originAt('192.0.2.3')));
    const [, ok, failed, unknown] = await fixture.audit();
    assert.deepEqual([ok?.action, ok?.actor_kind, ok?.actor_label, ok?.remote_address], ['session.sign_in', 'admin', ann, '192.0.2.1']);
    assert.deepEqual(
      [failed?.action, failed?.actor_kind, failed?.resource_name, failed?.remote_address],
      ['session.sign_in_failed', 'anonymous', ann, '192.0.2.2'],
    );
    assert.deepEqual([unknown?.action, unknown?.resource_name], ['session.sign_in_failed', '']);
    assert.doesNotMatch(JSON.stringify(await fixture.audit()), /canary|horse|not the password/);
  });

  it('slows an address down after ten failures, whatever the account, without doing the work', async () => {
    await using fixture = await openAccess(ann);
    for (let index = 0; index < 10; index += 1) {
      await codeOf(signIn(fixture.access, { email: `guess${index}@example.com`, password: 'x' }, originAt('192.0.2.1')));
    }
    const before = fixture.derivations();
    assert.equal(await codeOf(signIn(fixture.access, right, originAt('192.0.2.1'))), 'too_many_attempts');
    assert.equal(fixture.derivations(), before);
    assert.equal(await codeOf(signIn(fixture.access, right, originAt('192.0.2.2'))), 'ok', 'another address is not affected');
    fixture.advance(1_000);
    assert.equal(await codeOf(signIn(fixture.access, right, originAt('192.0.2.1'))), 'ok');
  });

  it('counts the addresses of one IPv6 network as one', async () => {
    await using fixture = await openAccess(ann);
    for (let index = 0; index < 10; index += 1) {
      await codeOf(signIn(fixture.access, { email: `guess${index}@example.com`, password: 'x' }, originAt(`2001:db8::${index}`)));
    }
    assert.equal(await codeOf(signIn(fixture.access, right, originAt('2001:db8::ffff'))), 'too_many_attempts');
    assert.equal(await codeOf(signIn(fixture.access, right, originAt('2001:db8:0:1::1'))), 'ok');
  });

  it('slows an account down when many addresses guess it, but never for its owner at a place known from before', async () => {
    await using fixture = await openAccess(ann);
    await signIn(fixture.access, right, originAt('192.0.2.1'));
    for (let round = 0; round < 20; round += 1) {
      await codeOf(signIn(fixture.access, wrong, originAt(`198.51.100.${round}`)));
      fixture.advance(60_000);
    }
    await codeOf(signIn(fixture.access, wrong, originAt('198.51.100.77')));
    assert.equal(await codeOf(signIn(fixture.access, right, originAt('198.51.100.78'))), 'too_many_attempts');
    assert.equal(await codeOf(signIn(fixture.access, right, originAt('192.0.2.1'))), 'ok');
    fixture.advance(60_000);
    assert.equal(await codeOf(signIn(fixture.access, right, originAt('198.51.100.78'))), 'ok', 'no wait is longer than a minute');
  });

  it('gives no session when the password changes while the old one is being checked', async () => {
    await using fixture = await openAccess(ann);
    const signingIn = signIn(fixture.access, right, originAt('192.0.2.1'));
    await updateAdmin(fixture.access, systemActor, ann, { password: 'another good password' }, { remoteAddress: '' });
    const result = await signingIn.then(
      (session: NewSession) => findSession(fixture.access, session.token),
      (error: GatewayError) => error.code,
    );
    assert.ok(result === undefined || result === 'invalid_credentials');
  });
});

describe('findSession', () => {
  it('ends a session after 30 minutes without a request', async () => {
    await using fixture = await openAccess(ann);
    const { token } = await signIn(fixture.access, right, originAt('192.0.2.1'));
    for (let use = 0; use < 5; use += 1) {
      fixture.advance(sessionIdleLimit - 1);
      assert.ok(await findSession(fixture.access, token), 'each use begins the 30 minutes anew');
    }
    fixture.advance(sessionIdleLimit);
    assert.equal(await findSession(fixture.access, token), undefined);
  });

  it('ends a session after 12 hours, however busy', async () => {
    await using fixture = await openAccess(ann);
    const { token } = await signIn(fixture.access, right, originAt('192.0.2.1'));
    for (let passed = 0; passed + 20 * minute < sessionAbsoluteLimit; passed += 20 * minute) {
      fixture.advance(20 * minute);
      assert.ok(await findSession(fixture.access, token));
    }
    fixture.advance(20 * minute);
    assert.equal(await findSession(fixture.access, token), undefined);
  });

  it('M01 knows no made-up, tampered, signed-out or ended session, and none of a removed admin', async () => {
    await using fixture = await openAccess(ann, 'bob@example.com');
    const { access } = fixture;
    const open = (): Promise<NewSession> => signIn(access, right, originAt('192.0.2.1'));
    const { token } = await open();
    const flipped = token.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    for (const bad of ['', 'x', '0'.repeat(64), flipped, `${token} `, token.toUpperCase().replace(/^\d+$/, 'X')]) {
      assert.equal(await findSession(access, bad), undefined, bad);
    }
    const left = await open();
    await signOut(access, systemActor, left.signedIn);
    assert.equal(await findSession(access, left.token), undefined);
    const ended = await open();
    await endSession(access, systemActor, `ses_${ended.signedIn.idHash.slice(0, 16)}`);
    assert.equal(await findSession(access, ended.token), undefined);
    await deleteAdmin(access, systemActor, ann);
    assert.equal(await findSession(access, token), undefined);
    const actions = (await fixture.audit()).map(({ action }) => action);
    assert.deepEqual(actions.slice(-4), ['session.sign_out', 'session.sign_in', 'session.end', 'admin.delete']);
  });
});

describe('listSessions', () => {
  it("shows live sessions newest first, one admin's or all, in pages", async () => {
    await using fixture = await openAccess(ann, 'bob@example.com');
    const { access } = fixture;
    const first = await signIn(access, right, originAt('192.0.2.1'));
    fixture.advance(minute);
    await signIn(access, { email: 'bob@example.com', password: goodPassword }, originAt('192.0.2.2'));
    fixture.advance(minute);
    await signIn(access, right, originAt('192.0.2.3'));
    const all = await listSessions(access, {}, { current: first.signedIn });
    assert.deepEqual(
      all.data.map(({ remote_address }) => remote_address),
      ['192.0.2.3', '192.0.2.2', '192.0.2.1'],
    );
    assert.deepEqual(
      all.data.map(({ current }) => current),
      [false, false, true],
    );
    const own = await listSessions(access, {}, { adminId: first.signedIn.adminId });
    assert.deepEqual(
      own.data.map(({ email }) => email),
      [ann, ann],
    );
    assert.equal((await listSessions(access, { q: 'BOB' }, {})).total, 1);
    const page = await listSessions(access, { limit: 2 }, {});
    assert.equal(page.total, 3);
    await endSession(access, systemActor, page.data[1]?.id ?? '');
    const rest = await listSessions(access, { limit: 2, cursor: page.next_cursor ?? '' }, {});
    assert.deepEqual(
      rest.data.map(({ remote_address }) => remote_address),
      ['192.0.2.1'],
    );
    assert.equal(rest.next_cursor, null);
    assert.equal(await codeOf(listSessions(access, { cursor: 'nowhere!' }, {})), 'validation_failed');
    fixture.advance(sessionIdleLimit - 1);
    assert.equal((await listSessions(access, {}, {})).total, 1, 'only the newest is not idle for too long');
  });

  it('keeps the number of sessions of one admin bounded: the oldest goes', async () => {
    await using fixture = await openAccess(ann);
    const first = await signIn(fixture.access, right, originAt('192.0.2.1'));
    for (let index = 0; index < 50; index += 1) {
      fixture.advance(1);
      await signIn(fixture.access, right, originAt('192.0.2.1'));
    }
    assert.equal((await listSessions(fixture.access, {}, {})).total, 50);
    assert.equal(await findSession(fixture.access, first.token), undefined);
  });
});
