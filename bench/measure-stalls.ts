import type { Browser, Page } from 'playwright-core';

/** The longest task of the page's main thread while something is done, in milliseconds of CPU time: for so long it answers to nothing. */
export interface Stalls {
  readonly typing: number;
  readonly clearing: number;
  readonly scrolling: number;
}

/** How many upstreams `manyUpstreams` makes. */
export const manyCount = 1_000;
/** Eight letters that one of them has. */
const search = 'ice-0777';

/** For POST /admin/apply with prune: nothing else is left. */
export function manyUpstreams(): object {
  const upstreams = Array.from({ length: manyCount }, (_, index) => ({
    name: `service-${String(index).padStart(4, '0')}`,
    base_url: `http://10.1.${index >> 8}.${index & 255}:8080`,
  }));
  return { upstreams, routes: [], keys: [] };
}

/** In the list of a gateway that has them: types a search, clears it, scrolls to the end. */
export async function measureStalls(browser: Browser, url: string, cookie: string): Promise<Stalls> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    await context.addCookies([{ name: 'session', value: cookie, url, httpOnly: true, sameSite: 'Strict' }]);
    const page = await context.newPage();
    await page.goto(`${url}/ui/upstreams`);
    await page.getByRole('link', { name: 'service-0000' }).waitFor();
    await page.locator('[data-live="live"]').waitFor();
    return {
      typing: await longestTask(browser, page, async () => {
        await page.keyboard.press('/');
        await page.keyboard.type(search, { delay: 60 });
        await page.getByText(`1 of ${manyCount} upstreams`).waitFor();
      }),
      clearing: await longestTask(browser, page, async () => {
        await page.keyboard.press('Escape');
        await page.getByRole('link', { name: 'service-0000' }).waitFor();
      }),
      scrolling: await longestTask(browser, page, async () => {
        await page.mouse.move(640, 400);
        const isAtEnd = 'scrollY + innerHeight >= document.documentElement.scrollHeight - 1';
        while ((await page.evaluate(isAtEnd)) !== true) {
          await page.mouse.wheel(0, 600);
          await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
        }
        await page.getByRole('link', { name: `service-0${manyCount - 1}` }).waitFor();
      }),
    };
  } finally {
    await context.close();
  }
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** CPU time in microseconds. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

async function longestTask(browser: Browser, page: Page, act: () => Promise<void>): Promise<number> {
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  await act();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { readonly traceEvents: readonly TraceEvent[] };
  const threadOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const pages = new Set(
    traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain').map((event) => threadOf(event)),
  );
  const tasks = traceEvents.filter((event) => event.name.endsWith('RunTask') && pages.has(threadOf(event)));
  if (tasks.length === 0) throw new Error('the browser told of no task of the page');
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur / 1_000));
}
