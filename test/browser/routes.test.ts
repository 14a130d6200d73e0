import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import { parse } from 'yaml';
import { faultsOf, unlessBrowser, useBrowser } from '../support/browser.ts';
import { commandFile, localEnvironment, plainEnvironment } from '../support/run-apigate.ts';
import { run } from '../support/foreign-program.ts';
import { startNodeServer, type NodeServer } from '../support/node-server.ts';
import { openSignedIn } from '../support/sign-in-page.ts';
import { startGateway, type Gateway } from '../support/start-gateway.ts';

type Stored = Record<string, unknown> & { readonly id: string; readonly name: string };

suite('routes in a browser', { skip: unlessBrowser }, () => {
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
  const make = async (fields: Record<string, unknown>): Promise<void> => {
    const mark = { headers: { set: { 'X-Route': fields['name'] } } };
    await gateway.admin.must('POST', '/routes', { upstream_id: 'shop', auth_required: false, request_transform: mark, ...fields });
  };
  const takerOf = async (path: string): Promise<string> => await (await fetch(gateway.url + path)).text();
  const rowOf = (name: string) =>
    page.getByRole('row').filter({ has: page.getByRole('cell').nth(0).getByRole('link', { name, exact: true }).first() });
  const choose = async (name: string, item: string): Promise<void> => {
    await page.getByRole('button', { name: `Actions for ${name}`, exact: true }).click();
    await page.getByRole('menuitem', { name: item }).click();
  };
  const namesShown = async (): Promise<string[]> =>
    await page
      .getByRole('row')
      .locator('td:first-child a:first-child')
      .filter({ hasNotText: '—' })
      .evaluateAll((links) => links.filter((link) => link.closest('span') === null).map((link) => link.textContent ?? ''));

  test('the empty list says what a route is and what to do', async () => {
    await page.getByRole('heading', { name: 'No routes yet' }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('the list is in the order of matching and says what shadows what, and that is what the gateway then does', async () => {
    for (const name of ['billing', 'shop']) await gateway.admin.must('POST', '/upstreams', { name, base_url: upstream.url });
    await make({ name: 'everything', path_pattern: '/*' });
    await make({ name: 'books', path_pattern: '/books' });
    await make({ name: 'one book', path_pattern: '/books/{id}', match_type: 'exact' });
    await make({ name: 'never', path_pattern: '/books/deep/down', priority: -1 });
    await make({ name: 'reserved', path_pattern: '/metrics/x' });
    await page.goto(`${gateway.url}/ui/routes`);
    await page.getByText('5 routes').waitFor();
    assert.deepEqual(await namesShown(), ['one book', 'reserved', 'books', 'everything', 'never']);
    const placed = (await gateway.admin.must('GET', '/route-order'))['data'] as { route: Stored }[];
    assert.deepEqual(
      placed.map(({ route }) => route.name),
      await namesShown(),
    );
    await rowOf('never').getByText('Never gets a request: books always beats it').waitFor();
    await rowOf('books').getByText('Shadows never').waitFor();
    await rowOf('reserved').getByText('/metrics belongs to the gateway itself').waitFor();
    assert.equal(await takerOf('/books/deep/down'), 'books');
    assert.equal(await takerOf('/books/1'), 'one book');
    assert.equal(await takerOf('/else'), 'everything');
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('switching a route off is live at once, and the list says who takes over', async () => {
    await page.getByLabel('books is enabled', { exact: true }).press('Space');
    await rowOf('never').getByText('everything always beats it').waitFor();
    assert.equal(await takerOf('/books/deep/down'), 'everything');
    await page.getByLabel('books is enabled', { exact: true }).press('Space');
    await rowOf('never').getByText('books always beats it').waitFor();
    assert.equal(await takerOf('/books/deep/down'), 'books');
  });

  test('search and filters are in the URL and survive a reload', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('book');
    await page.waitForURL(/\?q=book$/);
    await page.getByText('3 routes').waitFor();
    await page.getByPlaceholder('Any state').click();
    await page.getByRole('option', { name: 'With warnings' }).click();
    await page.waitForURL(/state=warned/);
    await page.getByText('1 route', { exact: true }).waitFor();
    await page.reload();
    await page.getByText('1 route', { exact: true }).waitFor();
    assert.deepEqual(await namesShown(), ['never']);
    await page.goto(`${gateway.url}/ui/routes?q=none`);
    await page.getByRole('heading', { name: 'No route matches' }).waitFor();
    await page.getByRole('button', { name: 'Show all routes' }).click();
    await page.getByText('5 routes').waitFor();
  });

  test('what is copied makes the same route again: as a command, and as YAML', async () => {
    await make({
      name: "ann's",
      path_pattern: '/full/{id}',
      host_pattern: '*.example.com',
      methods: ['GET', 'POST'],
      headers: [
        { name: 'X-A', value: "it's", required: false },
        { name: 'X-B', value: '^v[12]$', is_regex: true },
      ],
      cors: { allow_origins: ['https://a.example'], allow_credentials: true },
      path_rewrite: '/v2/${pathParams.id}',
      method_override: 'PUT',
      priority: -3,
      protocol: 'websocket',
      api_key_query: true,
      response_transform: { headers: { remove: ['Server'] } },
      description: '-- With all it can have.',
      enabled: false,
    });
    const comparable = async () => {
      const { id: _i, created_at: _c, updated_at: _u, ...fields } = await routeOf("ann's");
      return fields;
    };
    const before = await comparable();
    await page.reload();
    await page.evaluate(`navigator.clipboard.writeText = async (text) => { globalThis.copied = text; }`);
    const copied = async (item: string, told: string): Promise<string> => {
      await choose("ann's", item);
      await page.getByText(told).waitFor();
      return String(await page.evaluate('globalThis.copied'));
    };
    // Over plain HTTP to an address browsers trust, there is a clipboard.
    const command = await copied('Copy as CLI', 'The command was copied.');
    const yaml = await copied('Copy as YAML', 'The YAML was copied.');
    await gateway.admin.must('DELETE', "/routes/ann's");
    const env = plainEnvironment({ ...localEnvironment(gateway), NODE: process.execPath, COMMAND: commandFile });
    const ran = await run('/bin/sh', ['-c', `apigate() { "$NODE" "$COMMAND" "$@"; }; ${command}`], { env });
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual(await comparable(), before);
    await gateway.admin.must('DELETE', "/routes/ann's");
    await gateway.admin.must('POST', '/apply', parse(yaml));
    assert.deepEqual(await comparable(), before);
  });

  test('a route is duplicated with all it has', async () => {
    // Made anew by the test before: it has another id.
    await page.reload();
    await choose("ann's", 'Duplicate');
    await page.getByText("Begins as ann's is now.").waitFor();
    await page.getByRole('button', { name: 'Add route' }).click();
    await page.getByRole('link', { name: "ann's-copy", exact: true }).waitFor();
    const [
      { id: _a, name: _an, created_at: _ac, updated_at: _au, ...original },
      { id: _b, name: _bn, created_at: _bc, updated_at: _bu, ...copy },
    ] = [await routeOf("ann's"), await routeOf("ann's-copy")];
    assert.deepEqual(copy, original);
  });

  test('deleting says what hangs on the route, and can be undone whole', async () => {
    await gateway.admin.must('POST', '/keys', { name: 'reader', routes: ['books'] });
    const before = await routeOf('books');
    await choose('books', 'Delete…');
    const dialog = page.getByRole('dialog', { name: 'Delete books?' });
    await dialog.getByText('reader').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await dialog.getByRole('button', { name: 'Delete the route' }).click();
    await page.getByRole('link', { name: 'books', exact: true }).first().waitFor({ state: 'detached' });
    assert.equal(await takerOf('/books'), 'everything');
    await page.getByText('books was deleted.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).last().click();
    await page.getByText('books is back.').waitFor();
    assert.equal((await routeOf('books')).id, before.id);
    assert.equal(await takerOf('/books'), 'books');
  });

  test('on a phone the list is cards, without anything cut off', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`${gateway.url}/ui/routes`);
    await page.getByText('7 routes').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  test('thousands of routes are shown page by page, and searched by the gateway', async () => {
    const routes = Array.from({ length: 3_000 }, (_, index) => ({
      name: `tenant ${index}`,
      path_pattern: `/tenants/${index}/api`,
      upstream: 'shop',
    }));
    await gateway.admin.must('POST', '/apply', { routes });
    await page.goto(`${gateway.url}/ui/routes`);
    await page.getByText('100 of 3007 routes').waitFor();
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.getByText('200 of 3007 routes').waitFor();
    await page.getByLabel('Search name, path and host').fill('/tenants/2999/');
    await page.getByText('1 route', { exact: true }).waitFor();
    assert.deepEqual(await namesShown(), ['tenant 2999']);
  });
});
