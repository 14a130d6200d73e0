import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { parse } from 'yaml';
import { faultsOf, isFocused, unlessBrowser, useBrowser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { foreignProgram } from '../support/foreign-program.ts';
import { startNodeServer, type NodeServer } from '../support/node-server.ts';
import { openSignedIn } from '../support/sign-in-page.ts';
import { startGateway, type Gateway } from '../support/start-gateway.ts';

const secret = 'canary-of-the-list';
const curl = foreignProgram('curl');

suite('the list of upstreams in a browser', { skip: unlessBrowser }, () => {
  const browser = useBrowser();
  let gateway: Gateway;
  let upstream: NodeServer;
  let page: Page;

  before(async () => {
    upstream = await startNodeServer((_, response) => response.end('passed'));
    gateway = await startGateway({ admin: true });
    const { admin } = gateway;
    const credential = { auth_type: 'header', auth_header: 'X-Backend-Key', auth_value: secret };
    const { path } = await admin.expose({ name: 'with-token', base_url: upstream.url, auth_type: 'bearer', auth_value: secret });
    await admin.expose({ name: 'with-user', base_url: upstream.url });
    await admin.expose({ name: 'with-value', base_url: upstream.url, ...credential });
    await admin.must('POST', '/upstreams', { name: 'user-api-v2', base_url: upstream.url });
    assert.equal((await fetch(gateway.url + path)).status, 200);
    page = await openSignedIn(browser.current, gateway, '/upstreams');
  });

  after(async () => {
    await gateway.stop();
    await upstream[Symbol.asyncDispose]();
  });

  const stored = async (name: string) => await gateway.admin.must('GET', `/upstreams/${name}`);
  const field = (name: string) => page.getByRole('textbox', { name, exact: true });

  test('the list shows health apart from enabled; a switch disables, and the health tells so in its own words', async () => {
    const row = page.getByRole('row', { name: /with-token/ });
    await row.getByText('Healthy', { exact: true }).waitFor();
    await row.getByRole('link', { name: '1 route' }).waitFor();
    assert.match(await row.innerText(), /\d+\/100 idle/);
    assert.deepEqual(await faultsOf(page, browser.current), []);
    const toggle = row.getByRole('switch', { name: 'Enabled: with-token' });
    await toggle.press('Space');
    await eventually(async () => (await stored('with-token'))['enabled'] === false, 'it is disabled');
    await row.getByText('Not watched').waitFor();
    await page.getByRole('button', { name: '1 disabled' }).click();
    await page.waitForURL(/state=disabled/);
    await page.getByRole('row', { name: /user-api-v2/ }).waitFor({ state: 'detached' });
    await page.reload();
    await page.getByRole('row', { name: /with-token/ }).waitFor();
    assert.equal(await page.getByRole('row').count(), 2, 'the head and the one that is disabled');
    await page.getByRole('button', { name: /^\d upstreams$/ }).click();
    await page.getByRole('row', { name: /user-api-v2/ }).waitFor();
  });

  test('several are enabled and disabled at once', async () => {
    await page.getByRole('checkbox', { name: 'Select all that are shown' }).check();
    await page.getByText('4 selected').waitFor();
    await page.getByRole('button', { name: 'Disable', exact: true }).click();
    await page.getByRole('button', { name: '4 disabled' }).waitFor();
    // The list is read again before the selection is over.
    await page.getByText('4 selected').waitFor({ state: 'detached' });
    await page.getByRole('checkbox', { name: 'Select all that are shown' }).check();
    await page.getByRole('button', { name: 'Enable', exact: true }).click();
    await page.getByRole('button', { name: /disabled/ }).waitFor({ state: 'detached' });
    const all = async () => (await gateway.admin.must('GET', '/upstreams'))['data'] as { enabled: boolean }[];
    assert.ok((await all()).every(({ enabled }) => enabled));
    // One undo for all four.
    await page.getByText('4 upstreams are enabled.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).last().click();
    await page.getByText('4 upstreams are disabled again.').waitFor();
    await page.getByText('4 selected').waitFor({ state: 'detached' });
    assert.ok((await all()).every(({ enabled }) => !enabled));
    await page.getByRole('checkbox', { name: 'Select all that are shown' }).check();
    await page.getByRole('button', { name: 'Enable', exact: true }).click();
    await page.getByRole('button', { name: /disabled/ }).waitFor({ state: 'detached' });
  });

  test('a switch of a row that others have changed meanwhile says what they changed and asks; one that is done already says so', async () => {
    await page.getByRole('button', { name: 'Pause' }).click();
    const row = page.getByRole('row', { name: /with-value/ });
    const toggle = row.getByRole('switch', { name: 'Enabled: with-value' });
    // Even a list that is paused is read again every half minute: not between a change and the press of the switch.
    let pressed = Promise.withResolvers<void>();
    await page.route(/\/admin\/upstreams\?/, async (route) => {
      await pressed.promise;
      await route.continue();
    });
    await gateway.admin.must('PATCH', '/upstreams/with-value', { base_url: 'http://127.0.0.1:9', auth_value: secret });
    await toggle.press('Space');
    pressed.resolve();
    const told = page.getByRole('status').filter({ hasText: 'Not disabled: changed meanwhile' });
    await told.getByText('Others have changed with-value (base_url, auth_value).').waitFor();
    await row.getByText('127.0.0.1:9').waitFor();
    assert.ok(await toggle.isChecked());
    assert.equal((await stored('with-value'))['enabled'], true);
    // It stands as long as it has the focus.
    await told.getByRole('button', { name: 'Disable it all the same' }).focus();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await told.getByRole('button', { name: 'Disable it all the same' }).click();
    const message = page.getByText('with-value is disabled.');
    await message.waitFor();
    const [toast, main] = [
      await page.locator('.mantine-Notification-root').filter({ has: message }).boundingBox(),
      await page.locator('main').boundingBox(),
    ];
    const content =
      main!.x + Number.parseFloat(String(await page.evaluate(`getComputedStyle(document.querySelector('main')).paddingLeft`)));
    assert.ok(toast!.x + toast!.width <= content, 'a message covers nothing of the page');
    const { enabled, base_url } = await stored('with-value');
    assert.deepEqual([enabled, base_url], [false, 'http://127.0.0.1:9']);
    pressed = Promise.withResolvers();
    await gateway.admin.must('PATCH', '/upstreams/with-value', { base_url: upstream.url, auth_value: secret, enabled: true });
    await toggle.press('Space');
    pressed.resolve();
    await page.getByText('with-value is enabled already: somebody else was faster.').waitFor();
    await page.unrouteAll({ behavior: 'wait' });
    await page.getByRole('button', { name: 'Resume' }).click();
  });

  test('a search, /, and a new one, n, by keyboard alone; both keys are shown', async () => {
    for (const [shown, key] of [
      [page.getByRole('link', { name: 'Add Upstream' }), 'n'],
      [page.getByLabel('Search upstreams'), '/'],
    ] as const) {
      assert.equal(await shown.getAttribute('aria-keyshortcuts'), key);
      await page.locator('kbd').getByText(key, { exact: true }).waitFor();
    }
    await page.keyboard.press('/');
    await page.keyboard.type('with-v');
    await page.waitForURL(/\?q=with-v$/);
    await page.getByRole('row', { name: /user-api-v2/ }).waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    await page.getByRole('row', { name: /user-api-v2/ }).waitFor();
    await page.getByRole('link', { name: 'user-api-v2' }).focus();
    await page.keyboard.press('n');
    await page.getByRole('heading', { name: 'Add Upstream', level: 1 }).waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Upstreams' }).click();
  });

  test('what is copied as YAML, as curl and as a command makes the same upstream, and holds no credential', async (context) => {
    const yaml = parse(await copied('Copy as YAML', 'the YAML')) as { upstreams: Record<string, unknown>[] };
    assert.deepEqual(yaml.upstreams, [
      {
        name: 'with-value',
        base_url: upstream.url,
        auth_type: 'header',
        auth_header: 'X-Backend-Key',
        auth_value: '${env.CREDENTIAL}',
      },
    ]);
    const command = await copied('Copy as CLI', 'the command');
    assert.equal(
      command.replaceAll(/ \\\n {2}/g, ' '),
      `apigate upstreams create --name with-value --url ${upstream.url} --auth-type header --auth-header X-Backend-Key --auth-value -`,
    );
    const call = await copied('Copy as curl', 'the curl command');
    for (const text of [JSON.stringify(yaml), command, call]) assert.ok(!text.includes(secret), text);
    if (curl === undefined) return context.diagnostic('not installed here: curl');
    const { token } = await gateway.admin.must('POST', '/tokens', { name: 'for curl', scope: 'write' });
    const env = { ...process.env, APIGATE_TOKEN: String(token), CREDENTIAL: 'of the shell' };
    const { stdout } = await promisify(execFile)('sh', ['-c', `${call.replace('with-value', 'by-curl')} --silent`], { env });
    const made = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([made['name'], made['auth_header'], made['auth_value_set']], ['by-curl', 'X-Backend-Key', true]);
  });

  /** Chooses from the menu of `with-value` and pastes what is in the clipboard then. */
  async function copied(item: string, what: string): Promise<string> {
    await page.getByRole('button', { name: 'Actions for with-value' }).click();
    await page.getByRole('menuitem', { name: item }).click();
    await page.getByText(`Copied ${what}. The credential is not in it.`).waitFor();
    await page.getByRole('link', { name: 'Add Upstream' }).click();
    const area = field('Description');
    await area.focus();
    await page.keyboard.press('ControlOrMeta+v');
    const text = await area.inputValue();
    await page.getByRole('navigation').getByRole('link', { name: 'Upstreams' }).click();
    await page.getByRole('button', { name: 'Leave without saving' }).click();
    await page.getByRole('heading', { name: 'Upstreams', level: 1 }).waitFor();
    return text;
  }

  test('a duplicate begins with all but the name and the credential', async () => {
    await page.getByRole('button', { name: 'Actions for with-value' }).click();
    await page.getByRole('menuitem', { name: 'Duplicate' }).click();
    await page.getByText('As with-value is, without its credential').waitFor();
    assert.equal(await field('Name').inputValue(), 'with-value-copy');
    assert.equal(await field('Header name').inputValue(), 'X-Backend-Key');
    assert.equal(await page.locator('[data-path="auth_value"]').inputValue(), '');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Is required with auth_type header').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
  });

  test('an upstream that routes use is deleted with them only, and the dialog names them', async () => {
    const menu = page.getByRole('button', { name: 'Actions for with-user' });
    const open = async (): Promise<void> => {
      await menu.press('Enter');
      await page.getByRole('menuitem', { name: 'Delete…' }).click();
    };
    const dialog = page.getByRole('dialog', { name: 'Delete with-user?' });
    await open();
    await dialog.waitFor();
    await page.keyboard.press('Escape');
    await isFocused(menu);
    await open();
    await dialog.getByText('with-user (/with-user)').waitFor();
    assert.ok(await dialog.getByRole('button', { name: 'Delete the upstream' }).isDisabled());
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await dialog.getByLabel('Delete this route too').check();
    await dialog.getByRole('button', { name: 'Delete the upstream and 1 route' }).click();
    await page.getByRole('row', { name: /with-user/ }).waitFor({ state: 'detached' });
    await isFocused(page.locator('#content'));
    assert.equal((await gateway.admin.call('GET', '/upstreams/with-user')).status, 404);
    assert.equal((await gateway.admin.call('GET', '/routes/with-user')).status, 404);
    await page.getByText('with-user was deleted.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).last().click();
    await page.getByText('with-user is back.').waitFor();
    await page.getByRole('row', { name: /with-user/ }).waitFor();
    assert.equal((await gateway.admin.call('GET', '/routes/with-user')).status, 200);
  });

  test('on a phone the rows are cards', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    assert.deepEqual(await faultsOf(page, browser.current), []);
    const row = page.getByRole('row', { name: /with-token/ });
    const [name, health] = [row.getByRole('link', { name: 'with-token' }), row.getByText('Healthy', { exact: true })];
    assert.ok((await health.boundingBox())!.y > (await name.boundingBox())!.y, 'the cells stand below one another');
  });
});
