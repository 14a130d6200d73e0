import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import { faultsOf, isFocused, unlessBrowser, useBrowser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { startNodeServer, type NodeServer } from '../support/node-server.ts';
import { openSignedIn } from '../support/sign-in-page.ts';
import { startGateway, type Gateway } from '../support/start-gateway.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly string[];
  readonly body: string;
}

suite('transformations and requests to try, in a browser', { skip: unlessBrowser }, () => {
  const browser = useBrowser();
  let gateway: Gateway;
  let upstream: NodeServer;
  let page: Page;
  let seen: Seen | undefined;
  let key: string;

  before(async () => {
    upstream = await startNodeServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        seen = { method: request.method!, url: request.url!, headers: request.rawHeaders, body };
        response.setHeader('Content-Type', 'application/json').end('{"id":1,"email":"ann@example.com"}');
      });
    });
    gateway = await startGateway({ admin: true });
    await gateway.admin.must('POST', '/upstreams', {
      name: 'shop',
      base_url: upstream.url,
      auth_type: 'bearer',
      auth_value: 'canary-credential',
    });
    await gateway.admin.must('POST', '/routes', { name: 'users', path_pattern: '/users/{id}', upstream_id: 'shop', auth_required: false });
    await gateway.admin.must('POST', '/routes', { name: 'all', path_pattern: '/*', upstream_id: 'shop', priority: -1 });
    key = String((await gateway.admin.must('POST', '/keys', { name: 'reader', rate_limit_per_minute: 60 }))['key']);
    page = await openSignedIn(browser.current, gateway, '/routes');
    await page.getByRole('link', { name: 'users', exact: true }).click();
    await page.getByRole('tab', { name: 'Transformations' }).click();
    await page.getByRole('heading', { name: 'Preview' }).waitFor();
  });

  after(async () => {
    await gateway.stop();
    await upstream[Symbol.asyncDispose]();
  });

  const stored = async () => await gateway.admin.must('GET', '/routes/users');
  const messageShown = async (title: string): Promise<string> =>
    await page
      .locator('div')
      .filter({ has: page.getByRole('heading', { name: title, level: 3 }) })
      .last()
      .locator('pre')
      .innerText();

  test('variables complete while they are typed, by keyboard, those of the path pattern first', async () => {
    const field = page.getByLabel('Path becomes', { exact: true });
    await field.click();
    await page.keyboard.type('/v2/${pa');
    const list = page.getByRole('listbox', { name: 'Variables' });
    await list.waitFor();
    assert.deepEqual((await list.getByRole('option').locator('code').allInnerTexts()).slice(0, 2), ['${pathParams.id}', '${path}']);
    assert.equal(await field.getAttribute('aria-expanded'), 'true');
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.keyboard.press('ArrowDown');
    const active = await field.getAttribute('aria-activedescendant');
    assert.equal(await page.locator(`[id="${active}"]`).getAttribute('aria-selected'), 'true');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    assert.equal(await field.inputValue(), '/v2/${pathParams.id}');
    await page.keyboard.type('/$1?of=${');
    await page.keyboard.press('Escape');
    await list.waitFor({ state: 'detached' });
    await page.keyboard.type('meth');
    await page.keyboard.press('Tab');
    assert.equal(await field.inputValue(), '/v2/${pathParams.id}/$1?of=${method}');
    assert.equal(await page.evaluate('document.activeElement.value'), '/v2/${pathParams.id}/$1?of=${method}', 'Tab took it, and stayed');
  });

  test('what is wrong is said at the step, before anything is saved', async () => {
    await page.getByRole('button', { name: 'Add a header step' }).first().click();
    // The focus goes along with rows: to the new one, and back to where the next is added.
    await page.keyboard.type('X-Gone');
    await page.getByRole('button', { name: 'Remove X-Gone' }).click();
    await isFocused(page.getByRole('button', { name: 'Add a header step' }).first());
    await page.keyboard.press('Enter');
    await page.keyboard.type('X-Env');
    await page.getByLabel('Value of X-Env').fill('${hots}');
    await page
      .getByText(/unknown variable \$\{hots\}/i)
      .first()
      .waitFor();
    assert.equal(await page.getByLabel('Value of X-Env').getAttribute('aria-invalid'), 'true');
    assert.deepEqual(await faultsOf(page, browser.current), []);
    await page.getByLabel('Value of X-Env').fill('${host}');
    await page.getByText('This route takes the sample').waitFor();
  });

  test('the preview of the draft is what the upstream and the client then get', async () => {
    await page.getByLabel('Merge in').first().fill('{"via":"${header.X-Who}"}');
    const response = page.getByRole('region', { name: 'Response' });
    await response.getByRole('button', { name: 'Add a body step' }).click();
    await response.getByLabel('Path of body step 1').fill('email');
    await response.getByRole('combobox', { name: 'What is done with email' }).click();
    await page.getByRole('option', { name: 'Mask' }).click();
    await page.getByRole('textbox', { name: 'URL' }).fill(`${gateway.url}/users/7/orders?page=2`);
    await page.getByRole('combobox', { name: 'Method' }).click();
    await page.getByRole('option', { name: 'POST' }).click();
    await page.getByLabel('Request headers').fill('X-Who: me\nContent-Type: application/json');
    await page.getByLabel('Request body').fill('{"a":1.0}');
    await eventually(
      async () => (await messageShown('What the upstream gets')).includes('{"a":1.0,"via":"me"}'),
      () => 'the preview of the request',
    );
    await eventually(
      async () => (await messageShown('What the client gets')).includes('a***@e***.com'),
      () => 'the preview of the response',
    );
    assert.deepEqual(await faultsOf(page, browser.current), []);
    const previewed = await messageShown('What the upstream gets');
    const previewedAnswer = (await messageShown('What the client gets')).split('\n').at(-1);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Routes', level: 1 }).waitFor();
    const answer = await fetch(`${gateway.url}/users/7/orders?page=2`, {
      method: 'POST',
      headers: { 'X-Who': 'me', 'Content-Type': 'application/json' },
      body: '{"a":1.0}',
    });
    assert.equal(await answer.text(), previewedAnswer);
    assert.equal(previewed.split('\n')[0], `${seen!.method} ${seen!.url}`);
    assert.equal(previewed.split('\n').at(-1), seen!.body);
    assert.match(previewed, /X-Env: 127\.0\.0\.1/);
    assert.ok(seen!.headers.includes('X-Env') && !previewed.includes('canary-credential'));
  });

  test('the JSON view is the same transformation: pasted it fills the form, and nothing gets lost on the way', async () => {
    const before = await stored();
    await page.goto(`${gateway.url}/ui/routes`);
    await page.getByRole('link', { name: 'users', exact: true }).click();
    await page.getByRole('tab', { name: 'Transformations' }).click();
    await page.getByText('JSON', { exact: true }).click();
    const text = page.getByLabel('Transformations as JSON');
    const shown = JSON.parse(await text.inputValue()) as Record<string, unknown>;
    for (const field of ['path_rewrite', 'request_transform', 'response_transform']) assert.deepEqual(shown[field], before[field], field);
    await text.fill('{"request_transform": {"headers": ');
    await page.getByText(/Is not JSON/).waitFor();
    await text.fill('{"request_transform": {"header": {"set": {"X-A": "1"}}}}');
    await page.getByText(/has something in it that no request transformation has/).waitFor();
    const pasted = {
      path_rewrite: '/v3/$1',
      request_transform: {
        headers: { add: { 'X-A': '${uuid}' }, remove: ['X-B'] },
        conditions: [
          { when: { method: ['POST', 'PUT'], header_equals: { 'X-C': '1' } }, query: { set: { d: '2' } }, path_rewrite: '/v4${path}' },
        ],
      },
      response_transform: {
        conditions: [{ when: { status: [404, '5xx'] }, body: { json: { remove: ['stack'], inject: { ok: false } } } }],
      },
    };
    await text.fill(JSON.stringify(pasted));
    await page.getByText('Form', { exact: true }).click();
    assert.equal(await page.getByLabel('Value of X-A').inputValue(), '${uuid}');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Routes', level: 1 }).waitFor();
    const after = await stored();
    for (const field of ['path_rewrite', 'request_transform', 'response_transform'] as const)
      assert.deepEqual(after[field], pasted[field], field);
  });

  test('the examples beside the path are what the gateway says', async () => {
    await page.goto(`${gateway.url}/ui/routes/new`);
    let examples = 0;
    for (const [pattern, kind] of [
      ['/users', 'Prefix: and all below'],
      ['/users/{id}', 'Prefix: and all below'],
      ['/{any}', 'Prefix: and all below'],
      ['/a/{b}/c', 'Prefix: and all below'],
      ['/x/*', 'Prefix: and all below'],
      ['/*', 'Prefix: and all below'],
      ['/users', 'Exact: this path alone'],
      ['/users/', 'Exact: this path alone'],
      ['/users/{id}', 'Exact: this path alone'],
      ['/', 'Exact: this path alone'],
    ] as const) {
      await page.getByRole('textbox', { name: 'Path', exact: true }).fill(pattern);
      if ((await page.getByLabel('How it is compared').first().inputValue()) !== kind) {
        await page.getByLabel('How it is compared').first().click();
        await page.getByRole('option', { name: kind }).click();
      }
      const shown = await page.getByRole('list', { name: 'Examples' }).getByRole('listitem').allInnerTexts();
      assert.ok(shown.length > 0, pattern);
      for (const line of shown) {
        const [, verb, path] = /^(takes|not)\s+(\S+)$/.exec(line.trim()) ?? [];
        const route = { path_pattern: pattern, match_type: kind.startsWith('Exact') ? 'exact' : 'prefix', upstream_id: 'shop' };
        const { matches } = await gateway.admin.must('POST', '/routes/preview', { route, request: { url: path } });
        assert.equal(matches, verb === 'takes', `${kind} ${pattern}: ${line}`);
        examples += 1;
      }
    }
    assert.ok(examples > 25, String(examples));
  });

  test('a request that is tried says what then happens: which route wins, why others lose, who is let in, what goes out', async () => {
    await page.goto(`${gateway.url}/ui/routes/try?method=GET&url=${encodeURIComponent(`${gateway.url}/users/7/x?y=1`)}`);
    await page
      .getByText(/route "users"/)
      .first()
      .waitFor();
    const candidates = page.getByRole('list', { name: /^Routes, in the order/ }).getByRole('listitem');
    assert.match(await candidates.nth(0).innerText(), /^users\s+Wins/);
    assert.match(await candidates.nth(1).innerText(), /^all\s+Beaten[^]*its priority is lower \(-1, not 0\)/);
    await page.getByText('The route is open').waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
    const told = (await page.getByRole('region', { name: 'What the upstream gets' }).locator('pre').first().innerText()).split('\n');
    await fetch(`${gateway.url}/users/7/x?y=1`);
    assert.equal(told[0], `${seen!.method} ${upstream.url}${seen!.url}`);
    const names = (fields: readonly string[]): string[] => fields.map((name) => name.toLowerCase());
    const sent = names(seen!.headers.filter((_, index) => index % 2 === 0));
    for (const line of told.slice(1)) assert.ok(sent.includes(line.split(':')[0]!.toLowerCase()), line);
    assert.ok(told.some((line) => /^authorization: .*\*\*\*/i.test(line)) && !(await page.content()).includes('canary-credential'));
  });

  test('a missing key is 401 here as it is there, and a key that is typed is named and never put into the address', async () => {
    await page.getByRole('textbox', { name: 'URL' }).fill(`${gateway.url}/else`);
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByText('The route needs an API key, and none was sent.').waitFor();
    await page.getByText(/The answer is 401 with the code missing_api_key/).waitFor();
    const refused = await fetch(`${gateway.url}/else`);
    assert.equal(refused.status, 401);
    assert.equal(((await refused.json()) as { code: string }).code, 'missing_api_key');
    await page.getByRole('textbox', { name: 'Headers' }).fill(`X-API-Key: ${key}`);
    await page.keyboard.press('Tab');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByText('“reader” was sent').waitFor();
    await page.getByText('Its limit is 60 requests a minute').waitFor();
    assert.equal((await fetch(`${gateway.url}/else`, { headers: { 'X-API-Key': key } })).status, 200);
    assert.ok(!page.url().includes(key.slice(0, 12)));
    assert.ok(!(await page.locator('pre').allInnerTexts()).join('\n').includes(key));
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });

  test('headers that are none are told beside the field, and so is what the gateway refuses', async () => {
    await page.getByRole('textbox', { name: 'Headers' }).fill('no header');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByText(/Write one header a line/).waitFor();
    await page.getByRole('textbox', { name: 'Headers' }).fill('');
    await page.getByRole('textbox', { name: 'URL' }).fill('http://user:word@localhost/');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page
      .getByText(/must not hold a user or password/i)
      .first()
      .waitFor();
    assert.deepEqual(await faultsOf(page, browser.current), []);
  });
});
