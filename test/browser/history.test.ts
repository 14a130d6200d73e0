import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import { faultsOf, unlessBrowser, useBrowser } from '../support/browser.ts';
import { openSignedIn } from '../support/sign-in-page.ts';
import { adminEmail, startGateway, type Gateway } from '../support/start-gateway.ts';

const oldSecret = 'an-old-Canary-93';
const newSecret = 'a-new-Canary-17';

suite('history and rollback in a browser', { skip: unlessBrowser }, () => {
  const browser = useBrowser();
  let gateway: Gateway;
  let page: Page;

  before(async () => {
    gateway = await startGateway({ admin: true });
    page = await openSignedIn(browser.current, gateway, '/history');
    await page.getByRole('heading', { name: 'History', level: 1 }).waitFor();
  });

  after(() => gateway.stop());

  const timeout = async () => (await gateway.admin.must('GET', '/upstreams/orders'))['timeout_ms'];
  const section = () => page.getByRole('region', { name: 'Upstream orders' });

  test('with nothing in it, it leads to the first API', async () => {
    await page.getByRole('heading', { name: 'Nothing was changed yet' }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('revisions are listed as they are made: what, who, when, and which one holds', async () => {
    await gateway.admin.expose({ name: 'orders', base_url: 'http://127.0.0.1:9', auth_type: 'bearer', auth_value: oldSecret });
    await gateway.admin.must('PATCH', '/upstreams/orders', { timeout_ms: 5_000, description: 'of the shop' });
    await gateway.admin.must('PATCH', '/upstreams/orders', { auth_value: newSecret });
    const present = page.getByRole('row').filter({ hasText: 'present' });
    await present.getByRole('link', { name: '4', exact: true }).waitFor();
    await page
      .getByRole('row', { name: /Route orders created/ })
      .getByText(adminEmail)
      .waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByLabel('Name, or upstream, route, key').fill('route');
    await page.waitForURL(/resource=route/);
    await page.getByText('1 revision', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByText('4 revisions').waitFor();
  });

  test('a revision tells each field before and after; of secrets only that they differ', async () => {
    await page.getByRole('link', { name: '3', exact: true }).click();
    await page.getByRole('heading', { name: 'Revision 3', level: 1 }).waitFor();
    assert.match(await section().innerText(), /timeout_ms\s+30000\s+5000/);
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByRole('button', { name: 'Compare with the present' }).click();
    await page.waitForURL(/\/history\/diff\?from=3$/);
    await section().getByText('(changed)').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByLabel('From').fill('2');
    await page.getByRole('button', { name: 'Compare', exact: true }).click();
    await page.waitForURL(/from=2&to=4/);
    await section().getByText('5000').waitFor();
    const text = await page.content();
    assert.ok(!text.includes(oldSecret) && !text.includes(newSecret), 'secrets are not shown');
  });

  test('going back shows what it changes, does that, and can be undone', async () => {
    await page.getByRole('button', { name: 'Go back to revision 2…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Go back to revision 2?' });
    await dialog.getByText('will be changed').waitFor();
    assert.match(await dialog.innerText(), /timeout_ms\s+5000\s+30000/);
    assert.deepEqual(await faultsOf(page, browser.current), []);
    assert.equal(await timeout(), 5_000, 'a preview changes nothing');
    await dialog.getByRole('button', { name: 'Go back to revision 2', exact: true }).click();
    await page.getByRole('heading', { name: 'Revision 5', level: 1 }).waitFor();
    await page.getByText('It went back to revision 2').waitFor();
    assert.equal(await timeout(), 30_000);
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByRole('button', { name: 'Undo…' }).click();
    await page.getByRole('dialog', { name: 'Go back to revision 4?' }).getByText('will be changed').waitFor();
    await page.getByRole('button', { name: 'Go back to revision 4', exact: true }).click();
    await page.getByRole('heading', { name: 'Revision 6', level: 1 }).waitFor();
    assert.equal(await timeout(), 5_000);
  });

  test('what was not in the preview is not done: a change meanwhile refuses the rollback', async () => {
    await page.goto(`${gateway.url}/ui/history/2`);
    await page.getByRole('button', { name: 'Go back to it…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Go back to revision 2?' });
    await dialog.getByText('will be changed').waitFor();
    await gateway.admin.must('PATCH', '/upstreams/orders', { timeout_ms: 7_000 });
    await dialog.getByRole('button', { name: 'Go back to revision 2', exact: true }).click();
    await dialog.getByText('Something was changed meanwhile').waitFor();
    assert.equal(await timeout(), 7_000);
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await dialog.getByRole('button', { name: 'Show the new preview' }).click();
    await dialog.getByText('7000').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  test('a revision that there never was says so', async () => {
    await page.goto(`${gateway.url}/ui/history/999`);
    await page.getByRole('alert').waitFor();
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('on a phone all of it fits', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const path of ['/history', '/history/3', '/history/diff?from=1']) {
      await page.goto(`${gateway.url}/ui${path}`);
      await page.getByText('The same in a terminal:').waitFor();
      assert.deepEqual(await faultsOf(page, browser.current), [], path);
    }
  });
});
