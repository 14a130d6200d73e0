import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import { faultsOf, unlessBrowser, useBrowser } from '../support/browser.ts';
import { findCanaries } from '../support/canary-search.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startNodeServer, type NodeServer } from '../support/node-server.ts';
import { openSignedIn } from '../support/sign-in-page.ts';
import { adminPassword, startGateway, type Gateway } from '../support/start-gateway.ts';

const credential = 'a-stored-Canary-93';

suite('overview and settings in a browser', { skip: unlessBrowser }, () => {
  const browser = useBrowser();
  let gateway: Gateway;
  let upstream: NodeServer;
  let page: Page;

  before(async () => {
    upstream = await startNodeServer((request, response) => {
      if (request.url?.includes('boom') === true) response.statusCode = 500;
      response.end('passed');
    });
    gateway = await startGateway({ admin: true, env: { APIGATE_MAX_HEADERS: '64' } });
    page = await openSignedIn(browser.current, gateway, '/');
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  });

  after(async () => {
    await gateway.stop();
    await upstream[Symbol.asyncDispose]();
  });

  const tile = (name: string) => page.getByRole('region', { name, exact: true });

  test('with nothing set up, it leads to the first-run question', async () => {
    await page.getByRole('heading', { name: 'Where is your API?' }).waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByRole('link', { name: 'Set up the first API' }).click();
    await page.getByRole('heading', { name: 'Where is your API?', level: 1 }).waitFor();
  });

  test('figures move under load by themselves, and a failing upstream says why', async () => {
    const orders = gateway.url + (await gateway.admin.expose({ name: 'orders', base_url: upstream.url })).path;
    const broken = gateway.url + (await gateway.admin.expose({ name: 'broken', base_url: `http://127.0.0.1:${await freePort()}` })).path;
    await page.goto(`${gateway.url}/ui/`);
    await tile('Requests now').getByText('0/s').waitFor();
    await page.getByText('No request has failed since the gateway started.').waitFor();
    for (let number = 0; number < 4; number += 1) await fetch(broken);
    await fetch(`${orders}/boom`);
    const stopping = new AbortController();
    const load = (async () => {
      while (!stopping.signal.aborted) await (await fetch(orders)).text();
    })();
    try {
      await eventually(
        async () => /^Requests now\s+[1-9][\d.k]*\/s/.test(await tile('Requests now').innerText()),
        () => 'requests per second that move',
      );
      await page.getByRole('region', { name: 'Failing upstreams' }).getByText('The upstream refused the connection.').waitFor();
      await page.getByRole('table', { name: 'Recent failures' }).getByText('The upstream answered 500.').waitFor();
      await page.getByRole('region', { name: 'What happened' }).getByText('is failing').waitFor();
      await page
        .getByRole('region', { name: /^Slowest upstreams/ })
        .getByText('orders')
        .waitFor();
      await eventually(
        async () => /\d %/.test(await tile('Answered with 5xx').innerText()),
        () => 'a share of errors',
      );
    } finally {
      stopping.abort();
      await load;
    }
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('the gateway tells its version, revision and workers; how far back stands in the URL', async () => {
    const state = await page.getByRole('region', { name: 'Gateway' }).innerText();
    assert.match(state, /APIGate \d+\.\d+\.\d+/);
    assert.match(state, /Revision\s+4/);
    assert.match(state, /Workers\s+1/);
    await page.getByText('1 h', { exact: true }).click();
    await page.waitForURL(/\?window=1h$/);
    await page.getByText(/in the last hour/).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('region', { name: 'Gateway' }).getByText('paused').waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('region', { name: 'Gateway' }).getByText('as they come').waitFor();
  });

  test('settings show each value, where it came from and how to change it, and secrets never', async () => {
    await page.goto(`${gateway.url}/ui/settings`);
    const row = (key: string) => page.getByRole('row').filter({ hasText: key });
    await row('server_port').getByText(String(gateway.port)).waitFor();
    assert.match(await row('server_port').innerText(), /flag --port[\s\S]*--port\s+APIGATE_SERVER_PORT\s+default: 8080/);
    assert.match(await row('max_headers').innerText(), /64[\s\S]*environment APIGATE_MAX_HEADERS/);
    assert.match(await row('max_target').innerText(), /8192\s+default/);
    await row('admin_password').getByText('secret, never shown').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByLabel('Search settings').fill('headers');
    await page.waitForURL(/\?q=headers$/);
    await row('server_port').waitFor({ state: 'detached' });
    const answer = JSON.stringify(await gateway.admin.must('GET', '/settings'));
    const canaries = [{ kind: 'the first admin’s password', value: adminPassword }];
    const searched = [
      { where: 'the page', bytes: await page.content() },
      { where: 'GET /admin/settings', bytes: answer },
    ];
    assert.deepEqual(findCanaries(canaries, searched), []);
    assert.ok(answer.includes('********'), 'the password was given to this gateway');
  });

  test('the gateway config can be taken along as YAML, without its secrets', async () => {
    await gateway.admin.must('PATCH', '/upstreams/orders', { auth_type: 'bearer', auth_value: credential });
    await page.getByRole('link', { name: 'Export' }).click();
    const file = page.getByRole('region', { name: 'gateway.yaml' });
    await file.getByText('name: orders').first().waitFor();
    await page.getByText('Secrets are left out').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download gateway.yaml' }).click();
    const download = await downloading;
    assert.equal(download.suggestedFilename(), 'gateway.yaml');
    const pieces: Buffer[] = [];
    for await (const piece of await download.createReadStream()) pieces.push(piece as Buffer);
    const text = Buffer.concat(pieces).toString();
    assert.match(text, /^version: 1\n\nupstreams:\n/);
    assert.ok(!text.includes(credential) && !(await page.content()).includes(credential));
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('on a phone all of it fits', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const [path, there] of [
      ['/', 'What happened'],
      ['/settings', 'Settings'],
      ['/settings/export', 'Back again'],
    ] as const) {
      await page.goto(`${gateway.url}/ui${path}`);
      await page.getByRole('heading', { name: there }).waitFor();
      assert.deepEqual(await faultsOf(page, browser.current), [], path);
    }
    // Each setting is a line or two, and unfolds.
    await page.goto(`${gateway.url}/ui/settings`);
    const port = page.getByRole('list', { name: 'Settings' }).getByRole('listitem').filter({ hasText: 'server_port' });
    await port.getByText('set by flag --port').waitFor();
    await port.getByText('APIGATE_SERVER_PORT').waitFor({ state: 'hidden' });
    await port.getByText('server_port', { exact: true }).click();
    await port.getByText('APIGATE_SERVER_PORT').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByLabel('Search settings').fill('headers');
    await port.waitFor({ state: 'detached' });
  });
});
