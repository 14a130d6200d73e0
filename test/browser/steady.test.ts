import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import http, { type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { Locator, Page, Request } from 'playwright-core';
import { faultsOf, unlessBrowser, useBrowser } from '../support/browser.ts';
import { startNodeServer, type NodeServer } from '../support/node-server.ts';
import { openSignedIn } from '../support/sign-in-page.ts';
import { startGateway, type Gateway } from '../support/start-gateway.ts';

suite('the admin UI while the gateway comes and goes and others change things', { skip: unlessBrowser }, () => {
  const browser = useBrowser();
  let directory: string;
  let gateway: Gateway;
  let upstream: NodeServer;
  let upstreamId: string;

  before(async () => {
    upstream = await startNodeServer((_, response) => response.end('passed'));
    directory = await mkdtemp(join(tmpdir(), 'apigate-steady-'));
    gateway = await startGateway({ admin: true, directory });
    ({ upstreamId } = await gateway.admin.expose({ name: 'orders', base_url: upstream.url }));
  });

  after(async () => {
    await gateway.stop();
    await upstream[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  test('what is typed in an open form stays when the gateway restarts and others change the same thing, and the form says so at once', async () => {
    const { admin } = gateway;
    const { upstreamId, routeId } = await admin.expose({
      name: 'edited',
      base_url: upstream.url,
      auth_type: 'bearer',
      auth_value: 'canary-steady',
    });
    const made = async (path: string, fields: object): Promise<string> => String((await admin.must('POST', path, fields))['id']);
    const keyId = await made('/keys', { name: 'mobile app' });
    const tokenId = await made('/tokens', { name: 'deploy', scope: 'read' });
    const adminId = await made('/admins', { email: 'bob@example.test', password: 'quite-Another-passphrase-17' });
    const jsonText = '{ "path_rewrite": "/typed", ';
    const forms: readonly (readonly [address: string, field: (page: Page) => Locator, typed: string, change: () => Promise<unknown>])[] = [
      [
        `/upstreams/${upstreamId}?tab=settings`,
        (page) => page.getByRole('textbox', { name: 'Description' }),
        'typed here',
        () => admin.must('PATCH', `/upstreams/${upstreamId}`, { timeout_ms: 7_000, auth_value: 'canary-steady-2' }),
      ],
      [`/upstreams/${upstreamId}?tab=credential`, (page) => page.getByLabel('New token'), 'canary-typed', () => Promise.resolve()],
      [
        // By its name, which is another one then.
        '/routes/edited',
        (page) => page.getByLabel('Description'),
        'typed here',
        () => admin.must('PATCH', `/routes/${routeId}`, { priority: 7, name: 'renamed' }),
      ],
      [`/routes/${routeId}?tab=transformations`, (page) => page.getByLabel('Transformations as JSON'), jsonText, () => Promise.resolve()],
      [
        `/keys/${keyId}`,
        (page) => page.getByLabel('Name'),
        'typed here',
        () => admin.must('PATCH', `/keys/${keyId}`, { rate_limit_per_minute: 7 }),
      ],
      [
        `/access/tokens/${tokenId}`,
        (page) => page.getByLabel('Name'),
        'typed here',
        () => admin.must('PATCH', `/tokens/${tokenId}`, { name: 'others' }),
      ],
      [
        `/access/admins/${adminId}`,
        (page) => page.getByLabel('New password'),
        'Typed-passphrase-55',
        () => admin.must('PATCH', `/admins/${adminId}`, { email: 'rob@example.test' }),
      ],
    ];
    const first = await openSignedIn(browser.current, gateway, forms[0]![0]);
    const pages = [first, ...(await Promise.all(forms.slice(1).map(([address]) => browser.current.open(`${gateway.url}/ui${address}`))))];
    await Promise.all(
      forms.map(async ([, field, typed], index) => {
        if (typed === jsonText) await pages[index]!.getByText('JSON', { exact: true }).click();
        await field(pages[index]!).fill(typed);
      }),
    );
    await gateway.stop();
    await first.getByText('The gateway does not answer').waitFor();
    gateway = await startGateway({ admin: true, directory, port: gateway.port });
    for (const [, , , change] of forms) await change();
    await Promise.all(
      forms.map(async ([address, field, typed], index) => {
        const page = pages[index]!;
        await page.getByText(/^This (?:upstream|route|key|token|admin) was changed meanwhile$/).waitFor();
        await page.getByText('The gateway does not answer').waitFor({ state: 'detached' });
        assert.equal(await field(page).inputValue(), typed, address);
      }),
    );
    const versions = (page: Page) => page.getByRole('table', { name: 'Both versions' });
    for (const page of [first, pages[3]!]) await page.getByRole('button', { name: 'Show both versions' }).click();
    assert.match(await versions(first).innerText(), /description\s+as it was\s+typed here\s+timeout_ms\s+7000\s+as it was/);
    assert.match(await versions(pages[1]!).innerText(), /auth_value\s+set \d[^\t]*\s+what you typed[\s\S]*timeout_ms\s+7000/);

    // Each way out: on top of the others' change, or without what was typed.
    await first.getByRole('button', { name: 'Save my changes on top' }).click();
    await first.getByText('edited was saved').waitFor();
    const saved = await admin.must('GET', `/upstreams/${upstreamId}`);
    assert.deepEqual([saved['description'], saved['timeout_ms']], ['typed here', 7_000]);
    await pages[3]!.getByRole('button', { name: 'Save my changes on top' }).click();
    await pages[3]!.getByText('Please see to the fields marked above; nothing was saved.').waitFor();
    assert.equal(await forms[3]![1](pages[3]!).inputValue(), jsonText, 'what is no JSON cannot be saved, and stays');
    await pages[3]!.getByRole('button', { name: 'Show the new state' }).click();
    await versions(pages[3]!).waitFor({ state: 'detached' });
    await pages[3]!.getByText('JSON', { exact: true }).click();
    assert.equal(await forms[3]![1](pages[3]!).inputValue(), '{}');
    await forms[0]![1](first).fill('typed in vain');
    await admin.must('DELETE', `/upstreams/${upstreamId}?cascade=true`);
    await first.getByText('This upstream was deleted meanwhile').waitFor();
    assert.equal(await forms[0]![1](first).inputValue(), 'typed in vain');
    await Promise.all(pages.map((page) => page.close()));
  });

  test('leaving what was typed asks, and says what would be lost: by a link, a tab, going back and signing out; not after saving, nor on tabs that keep it', async () => {
    const { admin } = gateway;
    const { upstreamId: id, routeId } = await admin.expose({
      name: 'left',
      base_url: upstream.url,
      auth_type: 'bearer',
      auth_value: 'canary-left',
    });
    const page = await browser.current.open(`${gateway.url}/ui/upstreams`);
    const dialog = page.getByRole('dialog', { name: 'Leave without saving?' });
    const heading = (name: string) => page.getByRole('heading', { name, level: 1 });
    const stay = async (): Promise<void> => {
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    };
    const leave = async (): Promise<void> => dialog.getByRole('button', { name: 'Leave without saving' }).click();
    const toUpstreams = async (): Promise<void> =>
      page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: 'Upstreams' }).click();

    // A tab of the same page, whose form goes with it.
    await page.getByRole('link', { name: 'left', exact: true }).click();
    await page.getByRole('tab', { name: 'Settings' }).click();
    const description = page.getByRole('textbox', { name: 'Description' });
    await description.fill('typed');
    await page.getByRole('tab', { name: 'History' }).click();
    await dialog.getByText('Upstream left: what is not saved is lost').waitFor();
    assert.deepEqual(await dialog.getByRole('listitem').allInnerTexts(), ['description']);
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await stay();
    assert.equal(await description.inputValue(), 'typed');
    await page.goBack();
    await dialog.waitFor();
    await stay();
    assert.equal(await description.inputValue(), 'typed');
    await page.getByRole('button', { name: /^Account/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await dialog.waitFor();
    await stay();
    assert.equal((await page.request.get(`${gateway.url}/admin/me`)).status(), 200, 'still signed in');
    // Saved: nothing is lost.
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByText('left was saved.').waitFor();
    await page.getByRole('tab', { name: 'Credential' }).click();
    await page.getByLabel('New token').fill('canary-typed');
    await toUpstreams();
    await dialog.getByText('the new credential').waitFor();
    await leave();
    await heading('Upstreams').waitFor();

    // A new one: typed, thrown away, typed again and saved.
    await page.keyboard.press('n');
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('made');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await leave();
    await heading('Upstreams').waitFor();
    await page.keyboard.press('n');
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('made');
    await page.getByRole('textbox', { name: 'Base URL' }).fill(upstream.url);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await heading('made').waitFor();

    // The tabs of a route's form are one form.
    await page.goto(`${gateway.url}/ui/routes/${routeId}`);
    await page.getByLabel('Description').fill('typed');
    await page.getByRole('tab', { name: 'Transformations' }).click();
    await page.getByRole('heading', { name: 'Preview' }).waitFor();
    await page.getByRole('tab', { name: 'Settings' }).click();
    assert.equal(await page.getByLabel('Description').inputValue(), 'typed');
    const asked = page.waitForEvent('dialog');
    const reloaded = page.reload();
    const native = await asked;
    assert.equal(native.type(), 'beforeunload');
    await native.accept();
    await reloaded;
    assert.equal((await admin.must('GET', `/upstreams/${id}`))['description'], 'typed');
    await page.close();
  });

  test('a file of the UI that cannot be had, as after an upgrade, is said in its place with a way to reload, and takes nothing with it that was typed', async () => {
    const { routeId } = await gateway.admin.expose({ name: 'upgraded', base_url: upstream.url });
    const page = await browser.current.open(`${gateway.url}/ui/routes/${routeId}`);
    const description = page.getByLabel('Description');
    await description.fill('typed');
    await page.route(/\/assets\/(?:transformations-tab|history-page)-/, (route) => route.fulfill({ status: 404, body: '{}' }));
    await page.getByRole('tab', { name: 'Transformations' }).click();
    const told = page.getByRole('alert').filter({ hasText: 'This part of the page could not be loaded' });
    await told.getByRole('button', { name: 'Reload the page' }).waitFor();
    await page.getByRole('tab', { name: 'Settings' }).click();
    assert.equal(await description.inputValue(), 'typed');
    await page.getByRole('tab', { name: 'Transformations' }).click();
    await told.waitFor();
    // Whenever it is that the console tells of it.
    const faults = async (): Promise<string[]> =>
      (await faultsOf(page, browser.current)).filter((fault) => !fault.includes('A file of the admin UI could not be loaded'));
    assert.deepEqual(await faults(), []);

    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Leave without saving' }).click();
    await page.getByRole('heading', { name: 'Routes', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'History' }).click();
    await page.getByRole('heading', { name: 'This page could not be shown', level: 1 }).waitFor();
    assert.deepEqual(await faults(), []);
    await page.unrouteAll();
    await told.getByRole('button', { name: 'Reload the page' }).click();
    await page.getByRole('heading', { name: 'History', level: 1 }).waitFor();
    await page.close();
    browser.current.complaints.splice(0);
  });

  test('the live stream is closed while the tab is hidden, and opened again when it is shown', async () => {
    const page = await browser.current.open(`${gateway.url}/ui/upstreams`);
    await page.locator('[data-live="live"]').waitFor();
    // Headless Chromium never hides a page, not even behind another one or in a window that is minimised: so it is only told that.
    const show = async (state: 'hidden' | 'visible'): Promise<void> => {
      await page.evaluate(`
        Object.defineProperty(document, 'visibilityState', { configurable: true, value: '${state}' });
        Object.defineProperty(document, 'hidden', { configurable: true, value: ${state === 'hidden'} });
        document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
      `);
    };
    const isLive = (request: Request): boolean => request.url().endsWith('/admin/live');
    const closed = page.waitForEvent('requestfailed', isLive);
    await show('hidden');
    await closed;
    const opened = page.waitForEvent('request', isLive);
    await gateway.admin.must('PATCH', `/upstreams/${upstreamId}`, { name: 'renamed-while-hidden' });
    await show('visible');
    await opened;
    await page.getByRole('link', { name: 'renamed-while-hidden' }).waitFor();
    await page.locator('[data-live="live"]').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.close();
  });

  test('where no stream can be held, because something between refuses or swallows it, figures move by polling, and the page says so', async () => {
    const between = async (onLive: RequestListener): Promise<NodeServer> =>
      await startNodeServer((request, response) => {
        if (request.url === '/admin/live') return onLive(request, response);
        const { method, url, headers } = request;
        const forwarded = http.request({ host: '127.0.0.1', port: gateway.port, method, path: url, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        });
        request.pipe(forwarded);
      });
    await using refusing = await between((_, response) => response.writeHead(502).end());
    await using swallowing = await between(() => {});
    const lists = await Promise.all([refusing, swallowing].map(({ url }) => browser.current.open(`${url}/ui/upstreams`)));
    const lastUsed = (list: Page, text: string) =>
      list.getByRole('row', { name: /orders|renamed-while-hidden/ }).getByText(text, { exact: true });
    await lists[0]!.getByText('Figures are read every 5 s').waitFor();
    // It is given up after ten seconds, which a slow machine takes to get here.
    await lists[1]!.getByText(/^(?:Connecting…|Figures are read every 5 s)$/).waitFor();
    await Promise.all(lists.map((list) => lastUsed(list, 'Never').waitFor()));
    assert.equal((await fetch(`${gateway.url}/orders`)).status, 200);
    await Promise.all(lists.map((list) => lastUsed(list, 'Never').waitFor({ state: 'detached' })));
    assert.deepEqual(browser.current.complaints.splice(0), []);
    await Promise.all(lists.map((list) => list.close()));
  });
});
