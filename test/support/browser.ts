import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import { eventually } from './eventually.ts';
import { foreignProgram } from './foreign-program.ts';

const program = foreignProgram('chromium') ?? foreignProgram('chromium-browser') ?? foreignProgram('google-chrome');

/** For a test's `skip` option: the reason why it cannot run here, or false. */
export const unlessBrowser: string | false =
  program === undefined
    ? 'not installed here: chromium'
    : !existsSync(join(import.meta.dirname, '../../ui/dist/index.html')) && 'the admin UI is not built';

/**
 * For looking at the tests themselves: `APIGATE_TEST_BROWSER_SLOWDOWN=6` gives pages a sixth of the CPU and each of their requests
 * 60 ms more, so that what is asserted too early fails here rather than on a slow machine one day.
 */
const slowdown = Number(process.env['APIGATE_TEST_BROWSER_SLOWDOWN'] ?? 1);

/** Milliseconds that an action or an expected state may take; the machine is shared, and a test that passes never waits so long. */
const patience = 30_000;

/** One Chromium for a whole test file, with what went wrong on its pages. */
export class TestBrowser {
  #context: BrowserContext | undefined;
  readonly #directory: string;
  /** Errors on the console, errors nobody caught, and what the Content-Security-Policy kept out. */
  readonly complaints: string[] = [];

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async launch(): Promise<TestBrowser> {
    const browser = new TestBrowser(await mkdtemp(join(tmpdir(), 'apigate-chromium-')));
    browser.#context = await chromium.launchPersistentContext(browser.#directory, {
      executablePath: program!,
      headless: true,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
      viewport: { width: 1280, height: 800 },
      colorScheme: 'light',
      // Figures and times look the same whatever the machine speaks.
      locale: 'en-US',
      timeout: 90_000,
    });
    browser.#context.setDefaultTimeout(patience);
    return browser;
  }

  /** A new tab, whose complaints are kept. */
  async open(url: string): Promise<Page> {
    const page = await this.#context!.newPage();
    if (slowdown > 1) await slowDown(page);
    page.on('pageerror', (error) => this.complaints.push(`not caught: ${error.message}`));
    page.on('console', (message) => {
      // The browser's own note of an answer of 4xx is no error of the page.
      const isNote = message.text().startsWith('Failed to load resource');
      if (message.type() === 'error' && !isNote) this.complaints.push(`console: ${message.text()}`);
    });
    await page.addInitScript({ content: reportPolicy });
    await page.goto(url);
    return page;
  }

  async forgetCookies(): Promise<void> {
    await this.#context!.clearCookies();
  }

  async close(): Promise<void> {
    await this.#context?.close();
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function slowDown(page: Page): Promise<void> {
  const debuggerOfPage = await page.context().newCDPSession(page);
  await debuggerOfPage.send('Emulation.setCPUThrottlingRate', { rate: slowdown });
  const latency = 10 * slowdown;
  await debuggerOfPage.send('Network.enable');
  await debuggerOfPage.send('Network.emulateNetworkConditions', { offline: false, latency, downloadThroughput: -1, uploadThroughput: -1 });
}

// Text, as all that runs in a page: here is no document for a compiler to know.
const reportPolicy = `document.addEventListener('securitypolicyviolation', (event) => {
  console.error('kept out by the policy: ' + [event.violatedDirective, event.blockedURI, event.sourceFile, event.lineNumber].join(' '));
});`;

/** One browser for the file; call it at the top. It is there in tests. */
export function useBrowser(): { readonly current: TestBrowser } {
  let browser: TestBrowser | undefined;
  before(async () => {
    if (unlessBrowser === false) browser = await TestBrowser.launch();
  });
  after(() => browser?.close());
  return {
    get current() {
      if (browser === undefined) throw new Error('the browser is there in tests only');
      return browser;
    },
  };
}

/** Waits until it has the focus, which goes there a moment after what is seen. */
export async function isFocused(locator: Locator): Promise<void> {
  await eventually(async () => await locator.evaluate((element) => element.matches(':focus')), `the focus on ${String(locator)}`);
}

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/**
 * What is wrong with the page as it stands, in both colour schemes: complaints of the browser so far, findings of axe that
 * are serious or critical, and a page that is wider than its window. An empty list means that all is well.
 */
export async function faultsOf(page: Page, browser: TestBrowser): Promise<string[]> {
  const faults = browser.complaints.splice(0);
  const source = await readFile(axe, 'utf8');
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    // Not waitForFunction: in the page it needs eval, which the policy keeps out.
    await eventually(
      async () => (await page.evaluate('document.documentElement.dataset.mantineColorScheme')) === colorScheme,
      () => `the ${colorScheme} colour scheme`,
    );
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    // What is not a matter of colours is the same in both.
    const rules = colorScheme === 'light' ? undefined : colourRules;
    let findings: string[] = [];
    // Looked at in the middle of a change of colours, which takes a moment; what is wrong stays wrong.
    for (let look = 0; look < 8; look += 1) {
      findings = await axeFindings(page, source, rules);
      if (findings.length === 0) break;
      await page.waitForTimeout(500);
    }
    faults.push(...findings.map((finding) => `${colorScheme}: ${finding}`));
  }
  await page.emulateMedia({ colorScheme: 'light' });
  const overhang = Number(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'));
  if (overhang > 0) faults.push(`the page is ${overhang} pixels wider than its window`);
  return [...faults, ...browser.complaints.splice(0)];
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

const colourRules = ['color-contrast', 'link-in-text-block'];

async function axeFindings(page: Page, source: string, rules: readonly string[] | undefined): Promise<string[]> {
  // By the debugger, which no policy of the page's hinders.
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(source);
  const options = { resultTypes: ['violations'], ...(rules === undefined ? {} : { runOnly: { type: 'rule', values: rules } }) };
  const { violations } = (await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as AxeResults;
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ''}`));
}
