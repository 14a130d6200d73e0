import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import { faultsOf, isFocused, unlessBrowser, useBrowser } from '../support/browser.ts';
import { TestAuthority } from '../support/certificates.ts';
import { startNodeServer, type NodeServer } from '../support/node-server.ts';
import { openSignedIn } from '../support/sign-in-page.ts';
import { startGateway, type Gateway } from '../support/start-gateway.ts';

suite('the form of an upstream in a browser', { skip: unlessBrowser }, () => {
  const browser = useBrowser();
  const authority = new TestAuthority('Internal CA');
  /** Headers of the last request that came to the upstream, checks of its health aside, which have no credential. */
  let received: IncomingHttpHeaders = {};
  let gateway: Gateway;
  let upstream: NodeServer;
  let silent: NodeServer;
  let secure: https.Server;
  let page: Page;
  /** All that the admin API answered to the page. */
  const answers: Promise<string>[] = [];

  before(async () => {
    upstream = await startNodeServer((request, response) => {
      if (request.url !== '/healthz') received = request.headers;
      response.end('passed');
    });
    silent = await startNodeServer(() => {});
    const { cert, key } = authority.issue(['IP:127.0.0.1']);
    secure = https.createServer({ cert, key }, (_, response) => response.end('over TLS'));
    await new Promise<void>((done) => secure.listen(0, '127.0.0.1', done));
    gateway = await startGateway({ admin: true });
    page = await openSignedIn(browser.current, gateway, '/upstreams');
    page.on('response', (response) => {
      const isStream = response.url().endsWith('/live');
      if (response.url().includes('/admin/') && !isStream) answers.push(response.text().catch(() => ''));
    });
  });

  after(async () => {
    await gateway.stop();
    secure.close();
    secure.closeAllConnections();
    await silent[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
    authority.remove();
  });

  const stored = async (name: string) => await gateway.admin.must('GET', `/upstreams/${name}`);
  const openForm = async (): Promise<void> => {
    await page.getByRole('navigation').getByRole('link', { name: 'Upstreams' }).click();
    await page.getByRole('link', { name: 'Add Upstream' }).click();
    await page.getByRole('heading', { name: 'Add Upstream', level: 1 }).waitFor();
  };
  /** Until it is left a click on a link would ask again. */
  const leaveForm = async (): Promise<void> => {
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Leave without saving' }).click();
    await page.getByRole('heading', { name: 'Upstreams', level: 1 }).waitFor();
  };
  const testButton = () => page.getByRole('button', { name: 'Test', exact: true });
  const field = (name: string) => page.getByRole('textbox', { name, exact: true });
  const save = () => page.getByRole('button', { name: 'Save', exact: true });

  test('the empty list asks the question of the first run', async () => {
    await page.getByRole('heading', { name: 'Where is your API?' }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByRole('link', { name: 'Paste an address' }).click();
    await page.getByLabel('Address').waitFor();
    await page.goBack();
    await page.getByRole('link', { name: 'Fill in the whole form' }).click();
    await page.getByRole('heading', { name: 'Add Upstream', level: 1 }).waitFor();
  });

  test('Upstreams in the sidebar, Add Upstream, fill in, Save: it is stored as typed, with the defaults that the form showed', async () => {
    await field('Name').fill('user-api-v2');
    await field('Base URL').fill(upstream.url);
    assert.equal(await field('Timeout, ms').inputValue(), '30000');
    await page.getByText('Default: 30 s = 30000 ms').waitFor();
    await page.getByText('max_idle_conns limits idle sockets only').waitFor();
    await field('Timeout, ms').fill('5000');
    await page.getByText('5 s = 5000 ms').waitFor();
    await save().click();
    await page.getByRole('heading', { name: 'user-api-v2', level: 1 }).waitFor();
    const { base_url, timeout_ms, max_idle_conns, idle_conn_timeout_ms, max_conns, auth_type, enabled } = await stored('user-api-v2');
    assert.deepEqual(
      { base_url, timeout_ms, max_idle_conns, idle_conn_timeout_ms, max_conns, auth_type, enabled },
      {
        base_url: upstream.url,
        timeout_ms: 5_000,
        max_idle_conns: 100,
        idle_conn_timeout_ms: 90_000,
        max_conns: 0,
        auth_type: 'none',
        enabled: true,
      },
    );
  });

  test('what the gateway refuses is said beside the field, which has the focus', async () => {
    await openForm();
    await field('Name').fill('user-api-v2');
    await field('Base URL').fill('ftp://files.example.com');
    await save().click();
    await page.getByText('nothing was saved').waitFor();
    await page.getByText(/must start with http/i).waitFor();
    await isFocused(page.locator('[data-path="base_url"]'));
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await leaveForm();
  });

  test('checks of health are asked for in the form, with their defaults, and what is not right about them is said there', async () => {
    await openForm();
    await field('Name').fill('checked');
    await field('Base URL').fill(upstream.url);
    await field('Path').fill('/healthz');
    assert.equal(await field('Interval, ms').inputValue(), '10000');
    await field('Good statuses').fill('20');
    await save().click();
    await page.getByText(/must be statuses from 200 to 599/i).waitFor();
    await field('Good statuses').fill('200-299');
    await save().click();
    await page.getByRole('heading', { name: 'checked', level: 1 }).waitFor();
    const { health_check_path, health_check_interval_ms, health_check_status } = await stored('checked');
    assert.deepEqual([health_check_path, health_check_interval_ms, health_check_status], ['/healthz', 10_000, '200-299']);
  });

  test('a test of what is not saved tells a refused, a slow and an untrusted upstream apart, and what to do; nothing is stored', async () => {
    await openForm();
    await field('Base URL').fill('http://127.0.0.1:1');
    await testButton().click();
    await page.getByRole('alert').getByText('Connection refused: nothing listens on 127.0.0.1:1.').waitFor();
    await page.getByText('Is the service running, and on that port?').waitFor();

    await field('Base URL').fill(silent.url);
    await field('Timeout, ms').fill('1500');
    await testButton().click();
    await page.getByText('No answer within 1500 ms (deadline exceeded).').waitFor();
    await page.getByText('raise timeout_ms').waitFor();

    await field('Timeout, ms').fill('30000');
    await field('Base URL').fill(`https://127.0.0.1:${(secure.address() as AddressInfo).port}`);
    await testButton().click();
    await page.getByText('Certificate signed by unknown authority: it was issued by "Internal CA"').waitFor();
    await page.getByText('give it to this upstream alone as “CA certificates”').waitFor();
    await field('CA certificates').fill(authority.ca);
    await testButton().click();
    await page.getByText('It answers').waitFor();
    const steps = await page.getByRole('list', { name: 'Steps of the test' }).innerText();
    for (const step of ['DNS', 'TCP', 'TLS', 'Credential', 'HTTP status', 'First byte']) assert.ok(steps.includes(step), steps);
    assert.match(await page.getByLabel('Certificate', { exact: true }).innerText(), /Internal CA[\s\S]*in \d+ days/);
    await page.getByRole('button', { name: 'The same in a terminal, and the answer' }).click();
    await page.getByText(/apigate upstreams test --url https:.* --tls-ca ca\.pem/).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    assert.equal((await gateway.admin.must('GET', '/upstreams'))['total'], 2);
    await leaveForm();
  });

  for (const [type, label, fields, secret, header] of [
    ['Bearer token', 'Token', {}, 'canary-bearer-71', { authorization: 'Bearer canary-bearer-71' }],
    ['Custom header', 'Value', { 'Header name': 'X-Backend-Key' }, 'canary-header-72', { 'x-backend-key': 'canary-header-72' }],
    [
      'Basic auth',
      'User name and password',
      {},
      'ann:canary-basic-73',
      { authorization: `Basic ${Buffer.from('ann:canary-basic-73').toString('base64')}` },
    ],
  ] as const) {
    test(`${type}: the upstream gets the credential, in a test and in requests; no answer and no page has it after saving`, async () => {
      const name = `with-${label.split(' ')[0]!.toLowerCase()}`;
      await openForm();
      await field('Name').fill(name);
      await field('Base URL').fill(upstream.url);
      await page.getByRole('combobox', { name: 'Authentication' }).click();
      await page.getByRole('option', { name: type }).click();
      for (const [name, value] of Object.entries(fields)) await field(name).fill(value);
      await page.locator('[data-path="auth_value"]').fill(secret);
      received = {};
      await testButton().click();
      await page.getByText('It answers').waitFor();
      const [[headerName, sent]] = Object.entries(header) as [[string, string]];
      assert.equal(received[headerName], sent, 'in the test');
      answers.length = 0;
      await save().click();
      await page.getByRole('heading', { name, level: 1 }).waitFor();
      for (const tab of ['Settings', 'Credential', 'History', 'Overview']) {
        await page.getByRole('tab', { name: tab }).click();
        await page.getByRole('tabpanel').locator('> *').first().waitFor();
        assertWithout(await page.content(), secret, `the page of ${tab}`);
      }
      await page.getByRole('tab', { name: 'Credential' }).click();
      await page.getByText('Stored encrypted, never shown').waitFor();
      for (const answer of await Promise.all(answers)) assertWithout(answer, secret, 'an answer');
      await gateway.admin.must('POST', '/routes', { name, path_pattern: `/${name}`, upstream_id: name, auth_required: false });
      received = {};
      assert.equal((await fetch(`${gateway.url}/${name}`)).status, 200);
      assert.equal(received[headerName], sent, 'in a request');
    });
  }

  test('on a phone the form is one column', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`${gateway.url}/ui/upstreams/new`);
    await page.getByRole('heading', { name: 'Add Upstream', level: 1 }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    const [left, right] = [await field('Timeout, ms').boundingBox(), await field('Max idle connections').boundingBox()];
    assert.ok(right!.y > left!.y && Math.abs(right!.x - left!.x) < 1);
  });
});

function assertWithout(text: string, secret: string, where: string): void {
  const bare = secret.replace(/^ann:/, '');
  for (const form of [secret, bare, Buffer.from(secret).toString('base64')]) assert.ok(!text.includes(form), `${where} has the credential`);
}
