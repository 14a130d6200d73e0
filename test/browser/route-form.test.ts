import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import { faultsOf, isFocused, unlessBrowser, useBrowser } from '../support/browser.ts';
import { startNodeServer, type NodeServer } from '../support/node-server.ts';
import { openSignedIn } from '../support/sign-in-page.ts';
import { startGateway, type Gateway } from '../support/start-gateway.ts';

type Stored = Record<string, unknown> & { readonly id: string; readonly name: string };

suite('the form of a route in a browser', { skip: unlessBrowser }, () => {
  const browser = useBrowser();
  let gateway: Gateway;
  let upstream: NodeServer;
  let page: Page;

  before(async () => {
    upstream = await startNodeServer((request, response) => response.end(request.headers['x-route']));
    gateway = await startGateway({ admin: true });
    page = await openSignedIn(browser.current, gateway, '/routes');
    await page.getByRole('heading', { name: 'Routes', level: 1 }).waitFor();
  });

  after(async () => {
    await gateway.stop();
    await upstream[Symbol.asyncDispose]();
  });

  const routeOf = async (name: string): Promise<Stored> => (await gateway.admin.must('GET', `/routes/${name}`)) as Stored;
  test('a route is made by keyboard alone, from the list to the first request', async () => {
    for (const name of ['billing', 'shop']) await gateway.admin.must('POST', '/upstreams', { name, base_url: upstream.url });
    const tabTo = async (label: string): Promise<void> => {
      const seen: unknown[] = [];
      for (let pressed = 0; pressed < 40; pressed += 1) {
        const focused = await page.evaluate(
          `(() => { const e = document.activeElement; const label = [...(e.labels ?? [])].map((one) => one.textContent).join(''); return (label || e.getAttribute('aria-label') || e.textContent || '').replace(' *', '').slice(0, 60); })()`,
        );
        if (String(focused).startsWith(label)) return;
        seen.push(focused);
        await page.keyboard.press('Tab');
      }
      assert.fail(`no way by Tab to ${label}, but to ${seen.join(', ')}`);
    };
    await page.keyboard.press('n');
    await page.getByRole('heading', { name: 'Add route', level: 1 }).waitFor();
    await tabTo('Name');
    await page.keyboard.type('orders');
    await tabTo('Path');
    await page.keyboard.type('/orders/{id}');
    await page.getByText('takes /orders/42/more').waitFor();
    await tabTo('Methods');
    await page.keyboard.type('GET');
    await page.keyboard.press('Enter');
    await tabTo('Add a condition');
    await page.keyboard.press('Enter');
    await tabTo('Header name of condition 1');
    await page.keyboard.type('X-Version');
    await tabTo('Value of X-Version');
    await page.keyboard.type('2');
    await tabTo('Upstream');
    await page.keyboard.type('sho');
    await page.getByRole('option', { name: 'shop' }).waitFor();
    await page.getByRole('option', { name: 'billing' }).waitFor({ state: 'detached' });
    await page.keyboard.press('Enter');
    await tabTo('Clients need an API key');
    await page.keyboard.press('Space');
    // The gateway itself says whether it would take a sample, before anything is saved.
    await page.getByText('This route takes the sample').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await tabTo('Add route');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'orders', exact: true }).waitFor();
    const { id: _i, created_at: _c, updated_at: _u, upstream_id: _up, ...made } = await routeOf('orders');
    assert.deepEqual(made, {
      name: 'orders',
      description: '',
      host_pattern: '',
      host_match_type: 'exact',
      path_pattern: '/orders/{id}',
      match_type: 'prefix',
      methods: ['GET'],
      headers: [{ name: 'X-Version', value: '2', is_regex: false, required: true }],
      protocol: 'http',
      cors: null,
      api_key_query: false,
      path_rewrite: null,
      method_override: null,
      request_transform: null,
      response_transform: null,
      auth_required: false,
      priority: 0,
      enabled: true,
      managed: false,
    });
    assert.equal((await fetch(`${gateway.url}/orders/7`, { headers: { 'X-Version': '2' } })).status, 200);
    assert.equal((await fetch(`${gateway.url}/orders/7`)).status, 404);
  });

  test("the gateway's objections stand beside their fields, and the focus goes to the first", async () => {
    await page.goto(`${gateway.url}/ui/routes/new`);
    await page.getByLabel('Name').fill('orders');
    await page.getByLabel('Path', { exact: false }).first().fill('orders');
    await page.getByRole('button', { name: 'Add route' }).click();
    await page.getByText('Must start with /').waitFor();
    await page.getByText('Is neither the id nor the name of an upstream').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await isFocused(page.locator('[data-path="path_pattern"]'));
  });

  test('editing sends what was changed and keeps everything that the form does not show', async () => {
    await gateway.admin.must('POST', '/routes', {
      name: 'full',
      path_pattern: '/full/{id}',
      host_pattern: '*.example.com',
      methods: ['GET', 'PURGE'],
      headers: [{ name: 'X-B', value: '^v[12]$', is_regex: true, required: false }],
      upstream_id: 'shop',
      cors: { allow_origins: ['https://a.example'], allow_credentials: true },
      path_rewrite: '/v2/${pathParams.id}',
      method_override: 'PUT',
      priority: -3,
      protocol: 'websocket',
      api_key_query: true,
      request_transform: { path_rewrite: '/x', conditions: [{ when: { method: ['GET'] }, query: { add: { a: '1' } } }] },
      response_transform: { headers: { remove: ['Server'] } },
    });
    const before = await routeOf('full');
    await page.goto(`${gateway.url}/ui/routes`);
    await page.getByRole('link', { name: 'full', exact: true }).click();
    await page.getByLabel('Description').fill('Changed.');
    const sent = page.waitForRequest((request) => request.method() === 'PATCH');
    await page.getByRole('button', { name: 'Save' }).click();
    assert.deepEqual((await sent).postDataJSON(), { description: 'Changed.' });
    await page.getByRole('heading', { name: 'Routes', level: 1 }).waitFor();
    const { description, updated_at: _, ...after } = await routeOf('full');
    const { description: _d, updated_at: _u, ...same } = before;
    assert.equal(description, 'Changed.');
    assert.deepEqual(after, same);
  });

  test('of two edits the second is told of the first, sees both, and overwrites only its own fields', async () => {
    await page.getByRole('link', { name: 'full', exact: true }).click();
    await page.getByLabel('Description').fill('Mine.');
    await gateway.admin.must('PATCH', '/routes/full', { priority: 5 });
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('This route was changed meanwhile').waitFor();
    const rows = page.getByRole('table', { name: 'Both versions' }).getByRole('row');
    await rows.filter({ hasText: 'priority' }).getByText('5').waitFor();
    await rows.filter({ hasText: 'description' }).getByText('Mine.').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    assert.equal((await routeOf('full'))['description'], 'Changed.');
    await page.getByRole('button', { name: 'Save my changes on top' }).click();
    await page.getByRole('heading', { name: 'Routes', level: 1 }).waitFor();
    const saved = await routeOf('full');
    assert.deepEqual([saved['description'], saved['priority']], ['Mine.', 5]);
  });

  test('on a phone the form is one column, without anything cut off', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    const { id } = await routeOf('full');
    for (const path of [`/routes/${id}`, `/routes/${id}?tab=transformations`]) {
      await page.goto(`${gateway.url}/ui${path}`);
      await page.getByRole('heading', { name: 'full', level: 1 }).waitFor();
      assert.deepEqual(await faultsOf(page, browser.current), [], path);
    }
  });
});
