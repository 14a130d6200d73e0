/** Asks every few milliseconds until `condition` holds; fails with what was waited for when it never does. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  wanted: string | (() => string),
  timeoutMs = 30_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    if (await condition()) return;
    if (performance.now() > end)
      throw new Error(`never came about within ${timeoutMs} ms: ${typeof wanted === 'string' ? wanted : wanted()}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
