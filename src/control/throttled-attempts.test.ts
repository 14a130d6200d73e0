import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { goodPassword, openAccess, originAt, refusal } from './access-fixture.ts';
import type { AccessContext } from './access-context.ts';
import { updateAdmin } from './admins.ts';
import { createPasswords } from './passwords.ts';
import { signIn } from './sessions.ts';
import { ensureSetupCode, setUp } from './setup.ts';
import { createThrottledAttempts } from './throttled-attempts.ts';

const ann = 'ann@example.com';
const guess = (access: AccessContext, email: string, from: string) => signIn(access, { email, password: 'a guess' }, originAt(from));

async function throttled(fixture: Awaited<ReturnType<typeof openAccess>>) {
  const rows = (await fixture.audit()).filter(({ action }) => action.endsWith('_throttled') || action === 'set_up.throttled');
  return rows.map(({ action, actor_kind, actor_label, remote_address, resource_name, detail }) => ({
    action,
    actor: actor_kind === 'admin' ? actor_label : actor_kind,
    from: remote_address,
    name: resource_name,
    ...detail,
  }));
}

describe('in the audit log, attempts that were throttled', () => {
  it('stand with who, from where and why: the first at once, those of the minute after it as their number', async () => {
    await using fixture = await openAccess(ann);
    const access = { ...fixture.access, throttled: createThrottledAttempts(300) };
    for (let round = 0; round < 5; round += 1) await refusal(guess(access, ann, `198.51.100.${round}`));
    assert.deepEqual(await throttled(fixture), [], 'a failure is none');
    for (let round = 10; round < 60; round += 1) {
      assert.equal((await refusal(guess(access, 'Ann@example.com', `198.51.100.${round}`))).code, 'too_many_attempts');
    }
    const first = { action: 'session.sign_in_throttled', actor: 'anonymous', from: '198.51.100.10', name: ann, refused: 1, by: 'account' };
    const counted = await throttled(fixture);
    assert.deepEqual(counted[0], first);
    // Slow machines may have begun another minute.
    const refused = async (): Promise<number> =>
      (await throttled(fixture)).reduce((sum, row) => sum + (row as { refused?: number }).refused!, 0);
    for (let wait = 0; (await refused()) < 50 && wait < 1_000; wait += 1) await sleep(10);
    const all = await throttled(fixture);
    assert.equal(await refused(), 50);
    assert.ok(all.length < 10, `${all.length} entries`);
    assert.equal(all.at(-1)?.from, '198.51.100.59');
  });

  it('of one address name no account, and of an unknown account nothing that was typed', async () => {
    await using fixture = await openAccess(ann);
    const { access } = fixture;
    for (let round = 0; round < 10; round += 1) await refusal(guess(access, `canary${round}@example.com`, '192.0.2.1'));
    for (let round = 0; round < 100; round += 1) await refusal(guess(access, round === 50 ? ann : `canary${round}`, '192.0.2.1'));
    for (let round = 0; round < 6; round += 1) await refusal(guess(access, 'canary-unknown', `192.0.2.${10 + round}`));
    const entry = { action: 'session.sign_in_throttled', actor: 'anonymous', name: '', refused: 1 };
    assert.deepEqual(await throttled(fixture), [
      { ...entry, from: '192.0.2.1', by: 'address' },
      { ...entry, from: '192.0.2.15', by: 'account' },
    ]);
    assert.doesNotMatch(JSON.stringify(await fixture.audit()), /canary/);
  });

  it('because too many passwords wait to be checked are one entry, from however many addresses', async () => {
    await using fixture = await openAccess(ann);
    const access = { ...fixture.access, passwords: createPasswords({ logCost: 4, concurrency: 1, queueLimit: 1 }) };
    const codes = await Promise.all(
      Array.from({ length: 50 }, async (_, number) => (await refusal(guess(access, `guess${number}`, `198.51.100.${number}`))).code),
    );
    const refused = codes.filter((code) => code === 'too_many_attempts').length;
    assert.ok(refused > 10, `${refused} were refused`);
    assert.deepEqual(
      (await throttled(fixture)).map(({ name, ...row }) => [name, 'by' in row && row.by]),
      [['', 'queue']],
    );
  });

  it('of the set-up code and of the own current password stand there too', async () => {
    await using fixture = await openAccess();
    const { access } = fixture;
    await ensureSetupCode(access);
    const wrongCode = { code: '0000-0000-0000', email: ann, password: goodPassword };
    for (let round = 0; round < 8; round += 1) await refusal(setUp(access, wrongCode, originAt('192.0.2.7')));

    await using other = await openAccess(ann);
    const session = await signIn(other.access, { email: ann, password: goodPassword }, originAt('192.0.2.8'));
    const actor = { kind: 'admin', id: session.signedIn.adminId, label: ann, remoteAddress: '192.0.2.8' } as const;
    const change = { password: 'another good passphrase', current_password: 'a guess' };
    for (let round = 0; round < 8; round += 1)
      await refusal(updateAdmin(other.access, actor, ann, change, { remoteAddress: '192.0.2.8', signedIn: session.signedIn }));
    assert.deepEqual(
      [...(await throttled(fixture)), ...(await throttled(other))],
      [
        { action: 'set_up.throttled', actor: 'anonymous', from: '192.0.2.7', name: '', refused: 1, by: 'set-up' },
        { action: 'admin.password_throttled', actor: ann, from: '192.0.2.8', name: ann, refused: 1, by: 'account' },
      ],
    );
  });
});
