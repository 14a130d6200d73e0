import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import { AdminSession } from '../support/admin-session.ts';
import { faultsOf, unlessBrowser, useBrowser } from '../support/browser.ts';
import { adminEmail, adminPassword, startGateway, type Gateway } from '../support/start-gateway.ts';

const second = { email: 'bob@example.test', password: 'quite-Another-passphrase-17' };

suite('admins, tokens, sessions and the audit log in a browser', { skip: unlessBrowser }, () => {
  const browser = useBrowser();
  let gateway: Gateway;
  let page: Page;

  before(async () => {
    gateway = await startGateway({ admin: true });
    page = await browser.current.open(`${gateway.url}/ui/access`);
    await signIn(page, adminEmail, adminPassword);
    await page.getByRole('heading', { name: 'Access', level: 1 }).waitFor();
  });

  after(() => gateway.stop());

  test('an admin is added and can sign in; a bad password is refused beside its field', async () => {
    await page.getByText('you', { exact: true }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByRole('link', { name: 'Add admin' }).click();
    await page.getByLabel('E-mail').fill(second.email);
    await page.getByLabel('Password').fill('short');
    await page.keyboard.press('Enter');
    await page.getByText('nothing was saved').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByLabel('Password').fill(second.password);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: second.email }).waitFor();
    await AdminSession.signIn(gateway, second.email, second.password);
  });

  test('a new password of the own needs the present one', async () => {
    await page.getByRole('link', { name: adminEmail }).click();
    await page.getByLabel('New password').fill('a-third-Canary-passphrase-5');
    await page.getByLabel('Your present password').fill('not the present one');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Is not your current password').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Leave without saving' }).click();
    await page.getByRole('link', { name: 'Add admin' }).waitFor();
  });

  test('a token is shown once with a command that works, and stops working the moment it is revoked', async () => {
    await page.getByRole('link', { name: 'API tokens' }).click();
    await page.getByRole('heading', { name: 'No API tokens yet' }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByRole('link', { name: 'Add API token' }).click();
    await page.getByLabel('Name').fill('deploy');
    await page.getByRole('radio', { name: 'Write' }).check();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByRole('button', { name: 'Add API token' }).click();
    await page.getByRole('heading', { name: 'Copy the token now', level: 1 }).waitFor();
    const token = await page.locator('pre').first().innerText();
    assert.match(token, /^agt_[0-9a-f]{64}$/);
    assert.equal(await page.locator('pre').nth(1).innerText(), `curl -H 'Authorization: Bearer ${token}' ${gateway.url}/admin/upstreams`);
    const read = async () => (await AdminSession.withToken(gateway, token).call('GET', '/upstreams')).status;
    assert.equal(await read(), 200);
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByRole('link', { name: 'I have copied it' }).click();
    const row = page.getByRole('row', { name: /deploy/ });
    await row.getByText('write').waitFor();
    assert.ok(!(await page.content()).includes(token), 'shown once');
    await page.getByRole('button', { name: 'Actions for deploy' }).click();
    await page.getByRole('menuitem', { name: 'Revoke…' }).click();
    await page.getByRole('dialog', { name: 'Revoke deploy?' }).getByText('It was last used').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByRole('button', { name: 'Revoke the token' }).click();
    await row.getByText('Revoked').waitFor();
    assert.equal(await read(), 401);
  });

  test('an edit of a token that others were faster than is not saved unasked', async () => {
    const made = await gateway.admin.must('POST', '/tokens', { name: 'monitoring', scope: 'read' });
    await page.getByRole('link', { name: 'monitoring' }).click();
    await page.getByRole('heading', { name: 'monitoring', level: 1 }).waitFor();
    await page.getByLabel('Name').fill('watching');
    await gateway.admin.must('PATCH', `/tokens/${made['id'] as string}`, { expires_at: '2099-01-01T00:00:00Z' });
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('This token was changed meanwhile').waitFor();
    await page.getByRole('table', { name: 'Both versions' }).getByText('watching').waitFor();
    await page.getByRole('button', { name: 'Save my changes on top' }).click();
    await page.getByRole('link', { name: 'watching' }).waitFor();
    const saved = await gateway.admin.must('GET', '/tokens/watching');
    assert.deepEqual([saved['scope'], saved['expires_at']], ['read', '2099-01-01T00:00:00.000Z']);
  });

  test('a session that is ended signs its browser out; the own one is marked and has no such button', async () => {
    const other = await AdminSession.signIn(gateway, second.email, second.password);
    assert.equal((await other.call('GET', '/me')).status, 200);
    await page.getByRole('link', { name: 'Sessions' }).click();
    const own = page.getByRole('row').filter({ hasText: 'this browser' });
    await own.getByText('Headless Chrome on Linux').waitFor();
    assert.equal(await own.getByRole('button').count(), 0);
    assert.deepEqual(await faultsOf(page, browser.current), []);
    // Both of the second admin: the test before signed in too.
    for (let left = await page.getByRole('row', { name: second.email }).count(); left > 0; left -= 1) {
      await page.getByRole('row', { name: second.email }).first().getByRole('button').click();
      const dialog = page.getByRole('dialog', { name: `End the session of ${second.email}?` });
      await dialog.getByText('has to sign in again').waitFor();
      await dialog.getByRole('button', { name: 'End the session' }).click();
      await dialog.waitFor({ state: 'detached' });
      await page
        .getByRole('row', { name: second.email })
        .nth(left - 1)
        .waitFor({ state: 'detached' });
    }
    assert.equal((await other.call('GET', '/me')).status, 401);
  });

  test('a browser whose session was ended elsewhere asks to sign in again', async () => {
    const sessions = (await gateway.admin.must('GET', '/sessions?all=true'))['data'] as { id: string; user_agent: string }[];
    const ours = sessions.find(({ user_agent }) => user_agent.includes('HeadlessChrome'))!;
    await gateway.admin.must('DELETE', `/sessions/${ours.id}`);
    // Whichever call of the page is the first to be told so: its dialog may lie over the link already.
    await page.getByRole('link', { name: 'Admins' }).dispatchEvent('click');
    const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
    await dialog.getByLabel('Password').fill(adminPassword);
    await dialog.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: second.email }).waitFor();
  });

  test('the audit log tells who did what, filters in the URL, and goes on page by page', async () => {
    await page.getByRole('link', { name: 'Audit log' }).click();
    const revoked = page.getByRole('row', { name: /Revoked deploy/ });
    await revoked.getByText(adminEmail).waitFor();
    await revoked.getByText('127.0.0.1').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    for (let number = 0; number < 55; number += 1)
      await gateway.admin.must('PATCH', '/tokens/watching', { expires_at: `2099-02-01T00:00:${String(number).padStart(2, '0')}Z` });
    await page.getByLabel('To what').fill('watching');
    await page.waitForURL(/resource=watching/);
    await page.getByText('50 of 56 entries').waitFor();
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.getByText('56 entries', { exact: true }).waitFor();
    await page.goto(`${gateway.url}/ui/access/audit?action=session.sign_in_failed`);
    await page.getByRole('heading', { name: 'No entry matches' }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('on a phone all of it fits', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const path of ['', '/tokens', '/sessions', '/audit?resource=deploy', '/tokens/new']) {
      await page.goto(`${gateway.url}/ui/access${path}`);
      await page
        .locator('main')
        .getByRole(path === '/tokens/new' ? 'textbox' : 'table')
        .first()
        .waitFor();
      assert.deepEqual(await faultsOf(page, browser.current), [], path);
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  test('deleting an admin says what it takes along, and ends what they had open', async () => {
    const other = await AdminSession.signIn(gateway, second.email, second.password);
    await page.goto(`${gateway.url}/ui/access`);
    await page.getByRole('button', { name: `Actions for ${second.email}` }).click();
    await page.getByRole('menuitem', { name: 'Delete…' }).click();
    await page.getByText('Their sessions end at once').waitFor();
    await page.getByRole('button', { name: 'Delete the admin' }).click();
    await page.getByRole('link', { name: second.email }).waitFor({ state: 'detached' });
    assert.equal((await other.call('GET', '/me')).status, 401);
  });
});

async function signIn(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.keyboard.press('Enter');
}
