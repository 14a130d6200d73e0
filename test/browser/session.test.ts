import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { faultsOf, unlessBrowser, useBrowser } from '../support/browser.ts';
import { adminEmail, adminPassword, startGateway, type Gateway } from '../support/start-gateway.ts';

suite('signing in with a browser', { skip: unlessBrowser }, () => {
  const browser = useBrowser();
  let gateway: Gateway;

  before(async () => {
    gateway = await startGateway({ admin: true });
  });
  after(() => gateway.stop());

  test('a deep link asks for the sign-in first and is followed then; a wrong password is said', async () => {
    const page = await browser.current.open(`${gateway.url}/ui/keys?q=some`);
    await page.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByLabel('E-mail').fill(adminEmail);
    await page.getByLabel('Password').fill('not the password');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    assert.match(await page.getByRole('alert').innerText(), /wrong|credentials/i);
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByLabel('Password').fill(adminPassword);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'API keys', level: 1 }).waitFor();
    assert.equal(new URL(page.url()).search, '?q=some');
    await page.close();
  });

  test('a session that ends meanwhile keeps the form; what was being saved is saved after signing in again', async () => {
    const page = await browser.current.open(`${gateway.url}/ui/keys/new`);
    await page.getByLabel('Name').fill('typed before the session ended');
    await browser.current.forgetCookies();
    await page.getByRole('button', { name: 'Add API key' }).click();
    const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
    await dialog.waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await dialog.getByLabel('Password').fill(adminPassword);
    await dialog.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Copy the key now', level: 1 }).waitFor();
    const keys = (await gateway.admin.must('GET', '/keys'))['data'] as { name: string }[];
    assert.deepEqual(
      keys.map(({ name }) => name),
      ['typed before the session ended'],
    );
    await page.close();
  });

  test('signing out ends the session, also for a second tab', async () => {
    const page = await browser.current.open(`${gateway.url}/ui/`);
    await page.getByRole('button', { name: /^Account/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor();
    const second = await browser.current.open(`${gateway.url}/ui/keys`);
    await second.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor();
    await second.close();
    await page.close();
  });

  test('too many wrong passwords: the page says to wait, and how long', async () => {
    const page = await browser.current.open(`${gateway.url}/ui/sign-in`);
    await page.getByLabel('E-mail').fill('eve@example.test');
    await page.getByLabel('Password').fill('wrong wrong wrong');
    // The wait grows with each failure; the first ones are over before a slow machine tries again.
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const answer = page.waitForResponse(/\/admin\/login$/);
      await page.getByRole('button', { name: 'Sign in' }).click();
      if ((await answer).status() === 429) break;
      await page.getByRole('alert').waitFor();
    }
    await page.getByText(/Too many attempts/).waitFor();
    assert.match(await page.getByRole('alert').innerText(), /Try again in \d+ (?:s|minutes)/);
    await page.close();
  });
});
