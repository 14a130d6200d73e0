import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LiveFeed } from '../control/live-feed.ts';
import { createSharedCounters, readSharedCounters } from '../telemetry/shared-counters.ts';
import { liveStream, type LiveStreamOptions } from './live-stream.ts';

function newFeed(options: { readonly maxListeners?: number } = {}): LiveFeed {
  const shared = createSharedCounters({ workers: 1 });
  const source = { upstreams: () => [], detail: () => {}, totals: () => readSharedCounters(shared) };
  return new LiveFeed({ source, intervalMs: 3_600_000, ...options });
}

function open(feed: LiveFeed, options: Partial<LiveStreamOptions> = {}) {
  const reader = liveStream({ feed, isAllowed: async () => true, tickMs: 3_600_000, ...options }).getReader();
  let text = '';
  return {
    cancel: () => reader.cancel(),
    async until(wanted: RegExp): Promise<string> {
      while (!wanted.test(text)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`ended before ${String(wanted)}: ${text}`);
        text += Buffer.from(value).toString();
      }
      const come = text;
      text = '';
      return come;
    },
    ended: async () => (await reader.read()).done,
  };
}

describe('the stream of what goes on', () => {
  it('says at once which revision is served, then each event once and whole', async () => {
    const feed = newFeed();
    feed.served(3);
    const stream = open(feed);
    assert.match(await stream.until(/data/), /^: [\s\S]*event: revision\ndata: \{"revision":3\}\n\n$/);
    feed.served(4);
    feed.look();
    assert.match(
      await stream.until(/event: traffic[\s\S]*\n\n$/),
      /^event: revision\ndata: \{"revision":4\}\n\nevent: traffic\ndata: \{.*\}\n\n$/,
    );
    await stream.cancel();
  });

  it('ends when the session does, and when the gateway stops', async () => {
    const feed = newFeed();
    let allowed = true;
    const stream = open(feed, { isAllowed: async () => allowed, tickMs: 5 });
    await stream.until(/alive/);
    allowed = false;
    assert.match(await stream.until(/event: end[\s\S]*\n\n$/), /no longer valid/);
    assert.equal(await stream.ended(), true);
    const other = open(feed);
    feed.end();
    assert.match(await other.until(/event: end[\s\S]*\n\n$/), /the gateway stops/);
    assert.equal(await other.ended(), true);
    assert.throws(() => open(feed), /shutting down/);
  });

  it('cuts a reader off that falls behind, and keeps no place for it nor for one that leaves', async () => {
    const feed = newFeed({ maxListeners: 1 });
    const stream = open(feed, { maxWaiting: 2_000 });
    assert.throws(() => open(feed), /Too many/);
    for (let revision = 1; revision < 100; revision++) feed.served(revision);
    await assert.rejects(async () => {
      for (;;) await stream.until(/never/);
    }, /not read fast enough/);
    await open(feed).cancel();
    const next = open(feed);
    await next.until(/revision/);
    await next.cancel();
  });
});
