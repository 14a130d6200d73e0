import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import { faultsOf, unlessBrowser, useBrowser } from '../support/browser.ts';
import { openSignedIn } from '../support/sign-in-page.ts';
import { startGateway, type Gateway } from '../support/start-gateway.ts';

const count = 1_000;

suite('a thousand upstreams in a browser', { skip: unlessBrowser }, () => {
  const browser = useBrowser();
  let gateway: Gateway;
  let page: Page;

  before(async () => {
    gateway = await startGateway({ admin: true });
    const upstreams = Array.from({ length: count }, (_, index) => ({
      name: `service-${String(index).padStart(4, '0')}`,
      base_url: `http://10.1.${index >> 8}.${index & 255}:8080`,
    }));
    await gateway.admin.must('POST', '/apply', { upstreams });
    page = await openSignedIn(browser.current, gateway, '/upstreams');
    await page.getByRole('button', { name: '1000 upstreams' }).waitFor();
  });
  after(() => gateway.stop());

  test('only the rows near the window are there, and a screen reader is told of all', async () => {
    await page.getByRole('link', { name: 'service-0000' }).waitFor();
    assert.equal(await page.getByRole('table').getAttribute('aria-rowcount'), String(count + 1));
    const rows = await page.getByRole('row').count();
    assert.ok(rows < 60, `${rows} rows`);
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('scrolling to the end brings the last ones', async () => {
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
    await page.getByRole('link', { name: 'service-0999' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'service-0000' }).count(), 0);
    assert.ok((await page.getByRole('row').count()) < 60);
  });

  // How long a keystroke takes is a figure of `npm run bench:ui`; what makes it short is that no more rows are drawn.
  test('a search finds one among them, and never draws more rows than fit near the window', async () => {
    await page.evaluate(`{
      globalThis.mostRows = 0;
      const count = () => (globalThis.mostRows = Math.max(globalThis.mostRows, document.querySelectorAll('[role="row"]').length));
      new MutationObserver(count).observe(document.body, { childList: true, subtree: true });
    }`);
    await page.keyboard.press('/');
    // Four digits alone may stand in another one's id, which is searched too.
    await page.keyboard.type('service-0777');
    await page.getByText('1 of 1000 upstreams').waitFor();
    await page.getByRole('link', { name: 'service-0777' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'service-0000' }).waitFor();
    const most = Number(await page.evaluate('globalThis.mostRows'));
    assert.ok(most > 10 && most < 60, `${most} rows`);
  });
});
