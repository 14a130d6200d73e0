import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import { eventually } from '../support/eventually.ts';
import { faultsOf, isFocused, unlessBrowser, useBrowser } from '../support/browser.ts';
import { freePort } from '../support/free-port.ts';
import { startNodeServer, type NodeServer } from '../support/node-server.ts';
import { startGateway, type Gateway } from '../support/start-gateway.ts';

suite('the first run in a browser', { skip: unlessBrowser }, () => {
  const browser = useBrowser();
  let gateway: Gateway;
  let upstream: NodeServer;

  before(async () => {
    upstream = await startNodeServer((request, response) => response.end(`hello from ${request.url}`));
    gateway = await startGateway();
  });

  after(async () => {
    await gateway.stop();
    await upstream[Symbol.asyncDispose]();
  });

  test('the printed link leads to the first proxied request in under ten clicks, and each step is sound', async () => {
    const link = await setupLinkOf(gateway);
    const page = await browser.current.open(link);
    const clicks = await countClicks(page);
    await page.getByRole('heading', { name: 'Welcome to APIGate', level: 1 }).waitFor();
    assert.doesNotMatch(page.url(), /code=/, 'the code leaves the address bar');
    assert.match(await page.getByLabel('Set-up code').inputValue(), /^(?:\w{4}-){4}\w{4}$/);
    await isFocused(page.getByLabel('E-mail'));
    assert.deepEqual(await faultsOf(page, browser.current), []);

    await page.getByLabel('E-mail').fill('ann@example.test');
    await page.getByLabel('Password').fill('short');
    await page.getByRole('button', { name: 'Create admin' }).click();
    await page.getByText('Must have at least 12 characters').waitFor();
    await page.getByLabel('Password').fill('a rather long password');
    await page.getByRole('button', { name: 'Create admin' }).click();

    await page.getByRole('heading', { name: 'Where is your API?', level: 1 }).waitFor();
    await isFocused(page.getByLabel('Address'));
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByLabel('Address').fill('http://127.0.0.1:1');
    await page.getByRole('button', { name: 'Test' }).click();
    await page.getByRole('alert').getByText('Connection refused').first().waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByLabel('Address').fill(upstream.url);
    await page.getByRole('button', { name: 'Test' }).click();
    await page.getByText('It answers').waitFor();
    await page.getByLabel('Name').fill('hello there');
    await page.getByRole('button', { name: 'Add it' }).press('Enter');
    await page.getByText('Must not contain spaces').waitFor();
    const left = (await page.request.get(`${gateway.url}/admin/upstreams`)).json() as Promise<{ total: number }>;
    assert.equal((await left).total, 0, 'what is refused leaves nothing behind');
    await page.getByLabel('Name').fill('hello');
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByRole('button', { name: 'Add it' }).click();

    await page.getByRole('heading', { name: 'hello is ready', level: 1 }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    const command = await page.locator('pre').innerText();
    const [, key, url] = /^curl -H 'X-API-Key: (ak_\w+)' (\S+)$/.exec(command) ?? [];
    assert.ok(key !== undefined && url !== undefined, command);
    const answer = await fetch(url, { headers: { 'X-API-Key': key } });
    assert.deepEqual([answer.status, await answer.text()], [200, 'hello from /']);
    assert.equal((await fetch(url)).status, 401);
    assert.ok((await clicks()) < 10, `${await clicks()} clicks`);

    // All of it can be taken back, and made again.
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('hello is gone again.').waitFor();
    await page.getByRole('heading', { name: 'Where is your API?', level: 1 }).waitFor();
    for (const list of ['upstreams', 'routes', 'keys'])
      assert.equal(((await (await page.request.get(`${gateway.url}/admin/${list}`)).json()) as { total: number }).total, 0, list);
    assert.equal((await fetch(url, { headers: { 'X-API-Key': key } })).status, 404);
    await page.getByRole('button', { name: 'Add it' }).click();
    await page.getByRole('heading', { name: 'hello is ready', level: 1 }).waitFor();
    await page.close();
  });

  test('/ leads people to the UI while no route takes it, and tells programs that no route matches', async () => {
    const page = await browser.current.open(`${gateway.url}/`);
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    assert.equal(new URL(page.url()).pathname, '/ui/');
    await page.close();
    const answer = await fetch(`${gateway.url}/`);
    assert.equal(((await answer.json()) as { code: string }).code, 'route_not_found');
    await gateway.admin.call('GET', '/me').catch(() => undefined);
  });

  test('with the admin API on a port of its own, every command for clients names the port of the proxied APIs', async () => {
    const adminPort = await freePort();
    const apart = await startGateway({ flags: ['--admin-listen', `127.0.0.1:${adminPort}`] });
    try {
      const link = await setupLinkOf(apart);
      assert.equal(new URL(link).port, String(adminPort));
      const page = await browser.current.open(link);
      await page.getByLabel('E-mail').fill('ann@example.test');
      await page.getByLabel('Password').fill('a rather long password');
      await page.getByRole('button', { name: 'Create admin' }).click();
      await page.getByLabel('Address').fill(upstream.url);
      await page.getByRole('button', { name: 'Test' }).click();
      await page.getByLabel('Name').fill('hello');
      await page.getByText(`Clients will find it at ${apart.url}/hello`).waitFor();
      await page.getByRole('button', { name: 'Add it' }).click();
      await page.getByRole('heading', { name: 'hello is ready', level: 1 }).waitFor();
      const [, key, url] = /^curl -H 'X-API-Key: (ak_\w+)' (\S+)$/.exec(await page.locator('pre').innerText())!;
      const answer = await fetch(url!, { headers: { 'X-API-Key': key! } });
      assert.deepEqual([answer.status, await answer.text()], [200, 'hello from /']);
      assert.equal((await fetch(`http://127.0.0.1:${adminPort}/hello/`)).status, 404, 'where the page is, clients are not served');

      await page.goto(`http://127.0.0.1:${adminPort}/ui/keys/new`);
      await page.getByLabel('Name').fill('second');
      await page.keyboard.press('Enter');
      await page.getByText(`' ${apart.url}/hello`).waitFor();
      await page.getByRole('link', { name: 'I have copied it' }).click();
      await page.getByRole('heading', { name: 'API keys', level: 1 }).waitFor();
      await page.getByRole('link', { name: 'Routes', exact: true }).click();
      await page.getByRole('heading', { name: 'Routes', level: 1 }).waitFor();
      await page.getByRole('button', { name: 'Actions for hello', exact: true }).click();
      await page.getByRole('menuitem', { name: 'Try a request' }).click();
      await page.getByRole('heading', { name: 'Try a request', level: 1 }).waitFor();
      assert.equal(await page.getByLabel('URL').inputValue(), `${apart.url}/hello`);
      assert.deepEqual(await faultsOf(page, browser.current), []);
      await page.close();
    } finally {
      await apart.stop();
    }
  });

  test('set-up is over: the page says so and leads to the sign-in', async () => {
    await browser.current.forgetCookies();
    const page = await browser.current.open(`${gateway.url}/ui/setup`);
    await page.getByRole('heading', { name: 'Already set up', level: 1 }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor();
    await page.close();
  });
});

/** The link that the gateway prints when there is no admin yet. */
async function setupLinkOf(of: Gateway): Promise<string> {
  const link = /http:\S+\/ui\/setup#code=\S+(?=\s)/;
  await eventually(
    () => link.test(of.stderr),
    () => of.output,
  );
  return link.exec(of.stderr)![0];
}

/** Clicks on this tab from now on, across its pages. */
async function countClicks(page: Page): Promise<() => Promise<number>> {
  let clicks = 0;
  await page.exposeFunction('countClick', () => (clicks += 1));
  await page.evaluate(`addEventListener('click', (event) => event.detail > 0 && countClick(), true)`);
  return async () => clicks;
}
