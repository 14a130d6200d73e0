import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import { faultsOf, isFocused, unlessBrowser, useBrowser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { startNodeServer, type NodeServer } from '../support/node-server.ts';
import { openSignedIn } from '../support/sign-in-page.ts';
import { startGateway, type Gateway } from '../support/start-gateway.ts';

suite('the page of an upstream in a browser', { skip: unlessBrowser }, () => {
  const browser = useBrowser();
  /** The last credential that came to the upstream. */
  let credential: string | undefined;
  let gateway: Gateway;
  let upstream: NodeServer;
  let page: Page;
  let id: string;
  let path: string;
  let deadId: string;
  let deadPath: string;

  before(async () => {
    upstream = await startNodeServer((request, response) => {
      credential = request.headers.authorization;
      response.statusCode = request.headers.authorization === 'Bearer wrong' ? 401 : 200;
      response.end('passed');
    });
    gateway = await startGateway({ admin: true });
    const orders = await gateway.admin.expose({ name: 'orders', base_url: upstream.url, auth_type: 'bearer', auth_value: 'canary-first' });
    ({ upstreamId: id, path } = orders);
    const dead = await gateway.admin.expose({ name: 'zeta-dead', base_url: 'http://127.0.0.1:1' });
    ({ upstreamId: deadId, path: deadPath } = dead);
    page = await openSignedIn(browser.current, gateway, '/upstreams');
  });

  after(async () => {
    await gateway.stop();
    await upstream[Symbol.asyncDispose]();
  });

  const stored = async () => await gateway.admin.must('GET', `/upstreams/${id}`);
  const ask = async (path: string): Promise<number> => {
    const response = await fetch(gateway.url + path);
    await response.arrayBuffer();
    return response.status;
  };
  const openTab = async (of: string, tab: string): Promise<void> => {
    await page.goto(`${gateway.url}/ui/upstreams/${of}?tab=${tab}`);
    await page.getByRole('tabpanel').waitFor();
  };

  test('figures move by themselves under load, one that fails goes to the top with its cause, and a pause stops that', async () => {
    await page.locator('[data-live="live"]').waitFor();
    const row = page.getByRole('row', { name: /orders/ });
    await row.getByText('0/s').waitFor();
    const load = setInterval(() => void ask(path), 20);
    try {
      await row.getByText(/^(?:[1-9]\d*|\d+\.[1-9])\/s$/).waitFor();
      await row.getByText('Healthy', { exact: true }).waitFor();
      await row.getByText('now', { exact: true }).first().waitFor();
      for (let count = 0; count < 4; count += 1) assert.equal(await ask(deadPath), 502);
      await page.getByRole('button', { name: '1 failing' }).waitFor();
      const first = page.getByRole('row').nth(1);
      await first.getByText('Failing', { exact: true }).waitFor();
      assert.match(await first.innerText(), /zeta-dead[\s\S]*The upstream refused the connection\./);
      assert.doesNotMatch(await first.innerText(), /in a row|base_url/, 'the cause alone');
      await first.getByRole('img', { name: /Last 5 minutes: .*failing \d+ of 30/ }).waitFor();
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByText('Paused: figures stand still').waitFor();
      const streams = page.waitForRequest(/\/admin\/live$/);
      await page.getByRole('button', { name: 'Resume' }).click();
      await streams;
      await page.locator('[data-live="live"]').waitFor();
    } finally {
      clearInterval(load);
    }
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('the overview draws the traffic, names what happened, and keeps the window in the URL', async () => {
    await page.getByRole('link', { name: 'orders', exact: true }).click();
    await page.getByRole('heading', { name: 'orders', level: 1 }).waitFor();
    for (const title of ['Requests', 'Latency until the answer began', 'Errors by cause', 'Connections'])
      await page.getByRole('figure').filter({ hasText: title }).locator('canvas').waitFor();
    await page
      .getByRole('figure')
      .filter({ hasText: 'Latency' })
      .getByText(/p95 [\d.]+ m?s/)
      .waitFor();
    await page.getByText(/was unknown\): It answered/).waitFor();
    await page
      .getByRole('link', { name: /^Revision \d+$/ })
      .first()
      .waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByText('1 h', { exact: true }).click();
    await page.waitForURL(/window=1h/);
    await page.reload();
    await page.getByRole('radio', { name: '1 h', checked: true }).waitFor({ state: 'attached' });
    await page.getByRole('figure').first().locator('canvas').waitFor();
  });

  test('one that fails says what is wrong, how often it failed, and what to do next', async () => {
    await page.goto(`${gateway.url}/ui/upstreams/${deadId}`);
    const notice = page.getByRole('alert').filter({ hasText: 'Connection refused' });
    await notice.getByText('The upstream refused the connection. 4 requests failed in a row.').waitFor();
    const steps = await notice.getByRole('list', { name: 'What to do' }).getByRole('listitem').allInnerTexts();
    const told = (await gateway.admin.must('GET', `/upstreams/${deadId}/health`))['problem'] as { next: string[] };
    assert.equal(steps[0], 'Is the service running, and on that port? Check “Base URL”.');
    assert.deepEqual(steps.slice(1), told.next.slice(1));
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('a change is shown before it is saved, and only what was changed is sent', async () => {
    await openTab(id, 'settings');
    await page.getByRole('textbox', { name: 'Timeout, ms', exact: true }).fill('7000');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Save changes of orders?' });
    assert.match(await dialog.getByRole('table', { name: 'What is saved' }).innerText(), /timeout_ms\s+30000\s+7000/);
    assert.deepEqual(await faultsOf(page, browser.current), []);
    const patch = page.waitForRequest((request) => request.method() === 'PATCH');
    await dialog.getByRole('button', { name: 'Save changes' }).click();
    assert.deepEqual((await patch).postDataJSON(), { timeout_ms: 7000 });
    assert.match((await (await patch).allHeaders())['if-match'] ?? '', /^"/);
    await eventually(async () => (await stored())['timeout_ms'] === 7000, 'it is saved');
    assert.equal((await stored())['auth_value_set'], true, 'the credential stays');
  });

  test('an edit can be undone while nothing else was changed; else it says why not, and leads to History', async () => {
    // In a tab of its own, because its clock is put forward.
    const tab = await browser.current.open(`${gateway.url}/ui/upstreams/${id}?tab=settings`);
    await tab.clock.install();
    const idle = tab.getByRole('textbox', { name: 'Max idle connections' });
    const undo = tab.getByRole('button', { name: 'Undo' }).last();
    const isNow = async (value: number): Promise<void> =>
      eventually(
        async () => (await stored())['max_idle_conns'] === value,
        () => `max_idle_conns to be ${value}`,
      );
    const isShown = async (value: string): Promise<void> =>
      eventually(
        async () => (await idle.inputValue()) === value,
        () => `the form to show ${value}`,
      );
    const save = async (value: string): Promise<void> => {
      await idle.fill(value);
      await tab.getByRole('button', { name: 'Save', exact: true }).click();
      await tab.getByRole('button', { name: 'Save changes' }).click();
      await isNow(Number(value));
      await undo.waitFor();
    };
    await save('50');
    await undo.focus();
    await tab.clock.fastForward(20_000);
    assert.ok(await undo.isVisible(), 'it stands as long as it has the focus');
    await undo.press('Enter');
    await tab.getByText('orders is as it was.').waitFor();
    await isNow(100);
    await isShown('100');

    await save('60');
    await tab.getByRole('heading', { name: 'orders', level: 1 }).focus();
    await tab.keyboard.press('Control+z');
    await isNow(100);
    await isShown('100');

    await save('70');
    await gateway.admin.must('PATCH', `/upstreams/${deadId}`, { description: 'by somebody else' });
    await undo.click();
    const refused = tab.getByRole('alert').filter({ hasText: 'Nothing was undone' });
    await refused.getByText(/Something else was changed since, last by conformance@example\.test/).waitFor();
    assert.equal((await stored())['max_idle_conns'], 70);
    // It stays as long as somebody points at it.
    await refused.hover();
    assert.deepEqual(await faultsOf(tab, browser.current), []);
    await refused.getByRole('link', { name: /^revision \d+ in History$/ }).click();
    await tab.getByRole('region', { name: 'Upstream orders' }).getByText('max_idle_conns').waitFor();
    await tab.close();
  });

  test('two people edit the same upstream: the second sees both versions, and saves on top of the first only when told to', async () => {
    await openTab(id, 'settings');
    const type = async (tab: Page, text: string): Promise<void> => tab.getByRole('textbox', { name: 'Description' }).fill(text);
    await type(page, 'by the second');
    const second = await browser.current.open(`${gateway.url}/ui/upstreams/${id}?tab=settings`);
    const save = async (tab: Page): Promise<void> => {
      await tab.getByRole('button', { name: 'Save', exact: true }).click();
      await tab.getByRole('button', { name: 'Save changes' }).click();
    };
    await type(second, 'by the first');
    await save(second);
    await eventually(async () => (await stored())['description'] === 'by the first', 'the first has saved');
    await second.close();
    await save(page);
    await page.getByText('This upstream was changed meanwhile').waitFor();
    assert.match(
      await page.getByRole('table', { name: 'Both versions' }).innerText(),
      /Saved by others\s+Yours\s+description\s+by the first\s+by the second/,
    );
    assert.equal((await stored())['description'], 'by the first');
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByRole('button', { name: 'Save my changes on top' }).click();
    await eventually(async () => (await stored())['description'] === 'by the second', 'the second has saved on top');
    assert.equal((await stored())['timeout_ms'], 7000);
  });

  test('what was typed stays when the upstream is switched off meanwhile, and is saved without switching it on again', async () => {
    await openTab(id, 'settings');
    await page.getByRole('textbox', { name: 'Description' }).fill('typed before');
    await page.getByRole('switch', { name: 'Enabled' }).first().press('Space');
    await eventually(async () => (await stored())['enabled'] === false, 'it is disabled');
    await page.getByText('Not watched').waitFor();
    assert.equal(await page.getByRole('textbox', { name: 'Description' }).inputValue(), 'typed before');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByRole('button', { name: 'Save my changes on top' }).click();
    await eventually(async () => (await stored())['description'] === 'typed before', 'it is saved');
    assert.equal((await stored())['enabled'], false);
    await gateway.admin.must('PATCH', `/upstreams/${id}`, { enabled: true, description: 'by the second' });
  });

  test('a credential is rotated: the new one is tested, a wrong one is told, and the swap takes it out of the page', async () => {
    await openTab(id, 'credential');
    await page.getByText(/^Set .*\. Stored encrypted, never shown\.$/).waitFor();
    await page.getByLabel('New token').fill('wrong');
    await page.getByRole('button', { name: 'Test with it' }).click();
    await page.getByText('Credential not accepted').waitFor();
    await page.getByRole('button', { name: 'Swap all the same' }).waitFor();
    await page.getByLabel('New token').fill('canary-second');
    assert.ok(await page.getByRole('button', { name: 'Swap', exact: true }).isDisabled(), 'it was not tested yet');
    await page.getByRole('button', { name: 'Test with it' }).click();
    await page.getByText('It answers').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await ask(path);
    assert.equal(credential, 'Bearer canary-first', 'until the swap the old one is in use');
    await page.getByRole('button', { name: 'Swap', exact: true }).click();
    await page.getByText('The credential of orders was swapped').waitFor();
    assert.equal(await page.getByLabel('New token').inputValue(), '');
    await isFocused(page.getByLabel('New token'));
    assert.ok(!(await page.content()).includes('canary-second'));
    await ask(path);
    assert.equal(credential, 'Bearer canary-second');
    await page.getByText('Undo brings the old one back.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('orders has its old credential again.').waitFor();
    await ask(path);
    assert.equal(credential, 'Bearer canary-first');
  });

  test('the history says who changed what, and puts back one change alone', async () => {
    await openTab(id, 'history');
    const entry = page
      .getByRole('region', { name: /^Revision/ })
      .filter({ hasText: 'timeout_ms' })
      .first();
    assert.match(await entry.innerText(), /changed by conformance@example\.test[\s\S]*timeout_ms\s+30000\s+7000/);
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await entry.getByRole('button', { name: 'Revert…' }).click();
    await page.getByRole('dialog').getByRole('table', { name: 'What is put back' }).waitFor();
    await page.getByRole('button', { name: 'Revert', exact: true }).click();
    await eventually(async () => (await stored())['timeout_ms'] === 30_000, 'it is as it was');
    assert.equal((await stored())['description'], 'by the second');
    await page
      .getByRole('region', { name: /^Revision/ })
      .first()
      .getByText(/timeout_ms/)
      .waitFor();
  });

  test('recent failures have their cause, what to do, and a link to the exchange', async () => {
    await openTab(deadId, 'failures');
    const row = page.getByRole('row', { name: /GET \/zeta-dead/ }).first();
    await row.getByText('upstream_connection_refused', { exact: true }).waitFor();
    const link = row.getByRole('link');
    assert.match((await link.getAttribute('href')) ?? '', new RegExp(`/ui/live/${await link.innerText()}$`));
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByRole('tab', { name: 'Routes (1)' }).click();
    await page.getByRole('link', { name: 'zeta-dead' }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('on a phone each tab fits its window', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const tab of ['overview', 'routes', 'settings', 'credential', 'failures', 'history']) {
      await openTab(id, tab);
      const overhang = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      assert.equal(overhang, 0, tab);
      await page.getByRole('tab', { name: 'Routes (1)' }).waitFor();
      const isInSight = async (): Promise<boolean> => {
        const box = await page.getByRole('tab', { selected: true }).boundingBox();
        return box !== null && box.x >= 0 && box.x + box.width <= 390;
      };
      await eventually(isInSight, () => `the tab ${tab} to be in sight`);
    }
    await openTab(id, 'overview');
    await page.getByRole('figure').first().locator('canvas').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });
});
