import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import { faultsOf, unlessBrowser, useBrowser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startNodeServer, type NodeServer } from '../support/node-server.ts';
import { openSignedIn } from '../support/sign-in-page.ts';
import { startGateway, type Gateway } from '../support/start-gateway.ts';

suite('the tail of requests in a browser', { skip: unlessBrowser }, () => {
  const browser = useBrowser();
  let directory: string;
  let gateway: Gateway;
  let upstream: NodeServer;
  let page: Page;
  let orders: string;
  let broken: string;

  before(async () => {
    upstream = await startNodeServer((request, response) => {
      if (request.url?.includes('boom') === true) response.statusCode = 500;
      response.end('passed');
    });
    directory = await mkdtemp(join(tmpdir(), 'apigate-live-'));
    gateway = await startGateway({ admin: true, directory });
    orders = gateway.url + (await gateway.admin.expose({ name: 'orders', base_url: upstream.url })).path;
    broken = gateway.url + (await gateway.admin.expose({ name: 'broken', base_url: `http://127.0.0.1:${await freePort()}` })).path;
    page = await openSignedIn(browser.current, gateway, '/live');
    await page.getByRole('heading', { name: 'Live', level: 1 }).waitFor();
  });

  after(async () => {
    await gateway.stop();
    await upstream[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const row = (path: string) => page.getByRole('row').filter({ has: page.getByRole('link', { name: path, exact: true }) });

  test('before the first request it says how to send one', async () => {
    await page.getByRole('heading', { name: 'Waiting for the first request' }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('requests appear as they end, with what they were and how they went', async () => {
    await fetch(`${orders}/first`);
    await row('/orders/first').waitFor();
    const cells = await row('/orders/first').getByRole('cell').allInnerTexts();
    assert.deepEqual([cells[1]?.trim(), cells[2], cells[4], cells[5]], ['200', 'GET', 'orders', 'orders']);
    assert.match(cells[6] ?? '', /^[\d.<]+ ?[\d.]* m?s$/);
    await fetch(`${orders}/boom`, { method: 'POST' });
    await row('/orders/boom').getByText('The upstream answered 500.').waitFor();
    await fetch(broken);
    await row('/broken').getByText('Connection refused').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('filters stand in the URL, survive a reload, and hold for what comes', async () => {
    await page.getByRole('switch', { name: 'Failures only' }).click();
    await page.waitForURL(/\?failed=true$/);
    await row('/orders/first').waitFor({ state: 'detached' });
    await fetch(`${orders}/well`);
    await fetch(`${orders}/boom/again`);
    await row('/orders/boom/again').waitFor();
    assert.equal(await row('/orders/well').count(), 0);
    await page.goto(`${gateway.url}/ui/live?status=5xx&upstream=orders&path=/orders/boom&method=POST`);
    await row('/orders/boom').waitFor();
    assert.equal(await page.getByRole('table', { name: 'Requests' }).getByRole('row').count(), 2, 'the head and one request');
    assert.equal(await page.getByLabel('Path begins with /').inputValue(), '/orders/boom');
    assert.deepEqual(await page.locator('pre').allInnerTexts(), [
      'apigate tail --status 5xx --method POST --path /orders/boom --upstream orders',
    ]);
    await page.goto(`${gateway.url}/ui/live?route=gone`);
    await page
      .getByRole('alert')
      .getByText(/not valid|valid/)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await row('/orders/first').waitFor();
    assert.equal(new URL(page.url()).search, '');
  });

  test('paused, nothing moves and what waits is counted; resumed, it is shown', async () => {
    await page.getByRole('button', { name: 'Pause' }).click();
    await fetch(`${orders}/while-paused`);
    await page.getByText(/· 1 waiting/).waitFor();
    assert.equal(await row('/orders/while-paused').count(), 0);
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByRole('button', { name: 'Resume' }).click();
    await row('/orders/while-paused').waitFor();
  });

  test('the list holds still under the pointer, so that a click hits what was aimed at', async () => {
    await row('/orders/while-paused').hover();
    await fetch(`${orders}/while-pointing`);
    await page.getByText('waiting while you point at the list').waitFor();
    assert.equal(await row('/orders/while-pointing').count(), 0);
    await page.getByRole('heading', { name: 'Live', level: 1 }).hover();
    await row('/orders/while-pointing').waitFor();
  });

  test('a burst of thousands leaves the page quick: rows are bounded, all are counted', async () => {
    const burst = 3_000;
    const before = await seen(page);
    let sent = 0;
    const send = async (): Promise<void> => {
      while (sent < burst) {
        sent += 1;
        await (await fetch(`${orders}/burst`)).text();
      }
    };
    const sending = Promise.all(Array.from({ length: 16 }, send));
    // While they come, the page takes a click and answers it.
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Resume' }).click();
    await sending;
    await eventually(
      async () => (await seen(page)) + (await leftOut(page)) >= before + burst,
      () => `all ${burst} to be counted`,
      60_000,
    );
    await page.getByText('The newest 200 are shown.').waitFor();
    assert.equal(await page.getByRole('table', { name: 'Requests' }).getByRole('row').count(), 201);
  });

  test('a click leads to the phases of a failure: where it broke, why, whose fault, what to do', async () => {
    await page.getByRole('button', { name: 'Clear the list' }).click();
    const answer = await fetch(`${broken}/deep`);
    const id = answer.headers.get('x-request-id')!;
    await row('/broken/deep').getByRole('cell').first().click();
    await page.waitForURL(`${gateway.url}/ui/live/${id}`);
    await page.getByRole('heading', { name: 'GET /broken/deep', level: 1 }).waitFor();
    await page.getByRole('alert').getByText('upstream_connection_refused').waitFor();
    await page.getByText('Whoever runs the upstream has to act.').waitFor();
    const steps = page.getByRole('listitem').filter({ has: page.getByRole('img') });
    const marks = await steps.getByRole('img').evaluateAll((icons) => icons.map((icon) => icon.getAttribute('aria-label')));
    assert.deepEqual(marks, ['done', 'went wrong here', 'not reached', 'not reached', 'not reached']);
    assert.match((await page.getByRole('link', { name: 'broken' }).first().getAttribute('href')) ?? '', /\/ui\/(?:routes|upstreams)\//);
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('an id that somebody pasted is looked up; one that is not known says how long they are kept', async () => {
    const id = (await fetch(`${orders}/looked-up`)).headers.get('x-request-id')!;
    await page.goto(`${gateway.url}/ui/live`);
    await row('/orders/looked-up').waitFor();
    await page.getByLabel('Look up a request id').fill(` ${id} `);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'GET /orders/looked-up', level: 1 }).waitFor();
    await page.goto(`${gateway.url}/ui/live/${'0'.repeat(32)}`);
    await page.getByRole('heading', { name: 'The gateway does not remember it' }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('a gateway that goes away is told, with how old the figures are; after its restart the tail and the figures go on by themselves', async () => {
    await page.goto(`${gateway.url}/ui/live`);
    const figures = await browser.current.open(`${gateway.url}/ui/upstreams`);
    await figures.locator('[data-live="live"]').waitFor();
    await page.getByRole('status').getByText('Live', { exact: true }).waitFor();
    await gateway.stop();
    await page.getByText('Interrupted: trying again').waitFor();
    await page.getByText('The gateway does not answer').waitFor();
    await figures.getByText(/What you see is of \d\d:\d\d:\d\d or older\./).waitFor();
    await figures.getByText(/^Old figures, of \d\d:\d\d:\d\d$/).waitFor();
    await figures.getByRole('row', { name: /orders/ }).waitFor();
    gateway = await startGateway({ admin: true, directory, port: gateway.port });
    await page.getByRole('status').getByText('Live', { exact: true }).waitFor();
    await fetch(`${orders}/after-the-restart`);
    await row('/orders/after-the-restart').waitFor();
    for (const tab of [page, figures]) await tab.getByText('The gateway does not answer').waitFor({ state: 'detached' });
    await figures.getByText('Live: figures move by themselves').waitFor();
    await figures.close();
    await fetch(`${broken}/deep`);
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('on a phone requests are cards', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`${gateway.url}/ui/live?failed=true`);
    await row('/broken/deep').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    const [status, path] = [
      await row('/broken/deep').getByRole('cell').nth(1).boundingBox(),
      await row('/broken/deep').getByRole('cell').nth(3).boundingBox(),
    ];
    assert.ok(path!.y >= status!.y + status!.height - 1, 'the path stands below the status');
  });
});

async function seen(page: Page): Promise<number> {
  return Number(/([\d,]+) requests? since you came/.exec(await page.locator('main').innerText())?.[1]?.replaceAll(',', ''));
}

async function leftOut(page: Page): Promise<number> {
  return Number(/([\d,]+) requests? left out/.exec(await page.locator('main').innerText())?.[1]?.replaceAll(',', '') ?? 0);
}
