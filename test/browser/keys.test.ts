import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import { faultsOf, isFocused, unlessBrowser, useBrowser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { startNodeServer, type NodeServer } from '../support/node-server.ts';
import { openSignedIn } from '../support/sign-in-page.ts';
import { startGateway, type Gateway } from '../support/start-gateway.ts';

suite('API keys in a browser', { skip: unlessBrowser }, () => {
  const browser = useBrowser();
  let gateway: Gateway;
  let upstream: NodeServer;
  let page: Page;
  let routeUrl: string;

  before(async () => {
    upstream = await startNodeServer((_, response) => response.end('passed'));
    gateway = await startGateway({ admin: true });
    const { path } = await gateway.admin.expose({ name: 'orders', base_url: upstream.url }, { auth_required: true });
    routeUrl = gateway.url + path;
    page = await openSignedIn(browser.current, gateway, '/keys');
    await page.getByRole('heading', { name: 'API keys', level: 1 }).waitFor();
  });

  after(async () => {
    await gateway.stop();
    await upstream[Symbol.asyncDispose]();
  });

  const keysOf = async () => (await gateway.admin.must('GET', '/keys'))['data'] as Record<string, unknown>[];

  test('the empty list says what to do', async () => {
    await page.getByRole('heading', { name: 'No API keys yet' }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('a key is made by keyboard alone, shown once with a command that works, and listed', async () => {
    await page.keyboard.press('n');
    await page.getByRole('heading', { name: 'Add API key', level: 1 }).waitFor();
    await eventually(async () => (await page.title()) === 'Add API key · APIGate', 'the title of the tab');
    await page.getByLabel('Name').focus();
    await page.keyboard.type('mobile app');
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Copy the key now', level: 1 }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    const secret = await page.locator('pre').first().innerText();
    assert.match(secret, /^ak_[0-9a-f]{64}$/);
    assert.equal(await page.locator('pre').nth(1).innerText(), `curl -H 'X-API-Key: ${secret}' ${routeUrl}`);
    assert.equal((await fetch(routeUrl, { headers: { 'X-API-Key': secret } })).status, 200);
    await page.getByRole('link', { name: 'API keys' }).click();
    await page.getByRole('dialog').getByText('the key itself, which is shown this once').waitFor();
    await page.getByRole('button', { name: 'Stay here' }).click();
    await page.getByRole('link', { name: 'I have copied it' }).click();
    await page.getByRole('link', { name: 'mobile app' }).waitFor();
    assert.ok(!(await page.content()).includes(secret), 'shown once');
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('the search is in the URL and survives a reload', async () => {
    await gateway.admin.must('POST', '/keys', { name: 'partner', rate_limit_per_minute: 600, routes: ['orders'] });
    await page.getByRole('link', { name: 'partner' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('part');
    await page.waitForURL(/\?q=part$/);
    await page.getByRole('link', { name: 'mobile app' }).waitFor({ state: 'detached' });
    await page.reload();
    await page.getByRole('link', { name: 'partner' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'mobile app' }).count(), 0);
    await page.getByLabel('Search API keys').fill('no such');
    await page.getByRole('heading', { name: 'No key matches' }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByRole('button', { name: 'Show all keys' }).click();
    await page.getByRole('link', { name: 'mobile app' }).waitFor();
  });

  test('what the gateway refuses is said beside the field, which has the focus', async () => {
    await page.getByRole('link', { name: 'partner' }).click();
    await page.getByRole('heading', { name: 'partner', level: 1 }).waitFor();
    await page.getByLabel('Name').fill('');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('nothing was saved').waitFor();
    await isFocused(page.locator('[data-path="name"]'));
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('an edit sends what was changed and nothing else; one that others were faster than is not saved unasked', async () => {
    await page.getByLabel('Name').fill('partner');
    await page.getByLabel('Requests per minute').fill('50');
    const partner = (await keysOf()).find(({ name }) => name === 'partner')!;
    await gateway.admin.must('PATCH', `/keys/${partner['id'] as string}`, { expires_at: '2099-01-01T00:00:00Z' });
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('This key was changed meanwhile').waitFor();
    const versions = page.getByRole('table', { name: 'Both versions' }).getByRole('row');
    await versions.filter({ hasText: 'expires_at' }).getByText('2099-01-01').waitFor();
    await versions.filter({ hasText: 'rate_limit_per_minute' }).getByText('50', { exact: true }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    assert.equal((await keysOf()).find(({ name }) => name === 'partner')!['rate_limit_per_minute'], 600);
    await page.getByRole('button', { name: 'Save my changes on top' }).click();
    await page.getByRole('heading', { name: 'API keys', level: 1 }).waitFor();
    const saved = (await keysOf()).find(({ name }) => name === 'partner')!;
    assert.deepEqual([saved['rate_limit_per_minute'], saved['expires_at']], [50, '2099-01-01T00:00:00.000Z']);
    await page.getByText('partner was saved.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('partner is as it was.').waitFor();
    const undone = (await keysOf()).find(({ name }) => name === 'partner')!;
    assert.deepEqual([undone['rate_limit_per_minute'], undone['expires_at']], [600, '2099-01-01T00:00:00.000Z']);
  });

  test('on a phone the table is cards, and the menu leads to every section', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    assert.deepEqual(await faultsOf(page, browser.current), []);
    const [name, state] = [await page.getByRole('cell').nth(0).boundingBox(), await page.getByRole('cell').nth(1).boundingBox()];
    assert.ok(state!.y >= name!.y + name!.height, 'the cells of a row stand below one another');
    await page.getByRole('button', { name: 'Open the menu' }).click();
    await page.getByRole('link', { name: 'Upstreams' }).click();
    await page.getByRole('heading', { name: 'Upstreams', level: 1 }).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Open the menu' }).getAttribute('aria-expanded'), 'false');
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByRole('link', { name: 'API keys' }).click();
    await page.getByRole('link', { name: 'partner' }).waitFor();
  });

  test('revoking and deleting ask first, say what they do, and do it', async () => {
    await page.getByRole('button', { name: 'Actions for partner' }).click();
    await page.getByRole('menuitem', { name: 'Revoke…' }).click();
    const revoking = page.getByRole('dialog', { name: 'Revoke partner?' });
    await revoking.getByText('401 key_revoked').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await revoking.getByRole('button', { name: 'Revoke the key' }).click();
    await page
      .getByRole('row', { name: /partner/ })
      .getByText('Revoked')
      .waitFor();
    await page.getByRole('button', { name: 'Actions for partner' }).click();
    await page.getByRole('menuitem', { name: 'Delete…' }).click();
    await page.getByRole('button', { name: 'Delete the key' }).click();
    await page.getByRole('link', { name: 'partner' }).waitFor({ state: 'detached' });
    assert.deepEqual(
      (await keysOf()).map(({ name }) => name),
      ['mobile app'],
    );
  });

  test("a page's code is asked for before it is known who is signed in, and its data before the code is there", async () => {
    const code = page.waitForRequest(/\/assets\/keys-page-/);
    const data = page.waitForRequest(/\/admin\/keys\?/);
    // Each of the two waits for the other: one after the other they would never come.
    await page.route(/\/admin\/me$/, async (route) => {
      await code;
      await route.continue();
    });
    await page.route(/\/assets\/keys-page-/, async (route) => {
      await data;
      await route.continue();
    });
    await page.goto(`${gateway.url}/ui/keys`);
    await page.getByRole('link', { name: 'mobile app' }).waitFor();
    await page.unrouteAll();
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('an address that leads nowhere says so, and where to go', async () => {
    await page.goto(`${gateway.url}/ui/no/such/page`);
    await page.getByRole('heading', { name: 'There is no such page', level: 1 }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });
});
