import type { Page } from 'playwright-core';
import type { TestBrowser } from './browser.ts';
import { adminEmail, adminPassword, type Gateway } from './start-gateway.ts';

/** A new tab of the admin UI on this path, signed in. */
export async function openSignedIn(browser: TestBrowser, gateway: Gateway, path: string): Promise<Page> {
  const page = await browser.open(`${gateway.url}/ui${path}`);
  await page.getByLabel('E-mail').fill(adminEmail);
  await page.getByLabel('Password').fill(adminPassword);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor({ state: 'detached' });
  return page;
}
