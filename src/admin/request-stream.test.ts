import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FinishedRequests } from '../control/finished-requests.ts';
import { finishedLines } from '../control/finished-requests-fixture.ts';
import { finishedRequestTexts } from '../control/recorded-request.ts';
import { eventually } from '../../test/support/eventually.ts';
import { requestStream, type RequestStreamOptions } from './request-stream.ts';

function open(requests: FinishedRequests, options: Partial<RequestStreamOptions> = {}) {
  const stream = requestStream({
    requests,
    filter: {},
    textsOf: async (lines) => finishedRequestTexts(lines, () => 'null'),
    isAllowed: async () => true,
    recordsDropped: () => 0,
    tickMs: 3_600_000,
    ...options,
  });
  const reader = stream.getReader();
  let text = '';
  return {
    cancel: () => reader.cancel(),
    /** All that came up to the first match. */
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
    async ended(): Promise<boolean> {
      return (await reader.read()).done;
    },
  };
}

const idsIn = (text: string): string[] => [...text.matchAll(/"id":"(\w+)"/g)].map(([, id]) => id!);

describe('the stream of requests', () => {
  it('says at once that it listens, and tells each request once, with an id to come back with', async () => {
    const requests = new FinishedRequests();
    const stream = open(requests);
    await stream.until(/^: .*\n\n/);
    requests.take(finishedLines([{ request_id: 'a' }, { request_id: 'b' }]));
    const text = await stream.until(/"id":"b"[\s\S]*\n\n$/);
    assert.deepEqual(idsIn(text), ['a', 'b']);
    const lastEventId = [...text.matchAll(/^id: (.*)$/gm)].at(-1)![1]!;
    await stream.cancel();
    requests.take(finishedLines([{ request_id: 'missed' }]));
    const again = open(requests, { lastEventId });
    assert.deepEqual(idsIn(await again.until(/missed[\s\S]*\n\n$/)), ['missed']);
    await again.cancel();
    const other = open(requests, { lastEventId: `ffffffff-1` });
    assert.deepEqual(idsIn(await other.until(/\n\n$/)), [], 'numbers of another start mean nothing');
    await other.cancel();
  });

  it('keeps a bounded number for a slow reader, and tells how many it left out', async () => {
    const requests = new FinishedRequests();
    const stream = open(requests);
    for (let at = 0; at < 30; at++) requests.take(finishedLines(Array.from({ length: 100 }, () => ({ request_id: 'x' }))));
    const text = await stream.until(/event: dropped[\s\S]*\n\n$/);
    const told = idsIn(text).length;
    const dropped = Number(/"count":(\d+),"where":"listener"/.exec(text)?.[1]);
    assert.equal(told + dropped, 3_000);
    assert.ok(told >= 1_000 && told <= 1_200, `${told} told`);
    await stream.cancel();
  });

  it('tells what the gateway itself could not keep up with, and shows that it lives', async () => {
    const requests = new FinishedRequests();
    let dropped = 5;
    const stream = open(requests, { recordsDropped: () => dropped, tickMs: 5 });
    await stream.until(/alive/);
    dropped = 12;
    assert.match(await stream.until(/dropped[\s\S]*\n\n$/), /\{"count":7,"where":"gateway"\}/);
    await stream.cancel();
  });

  it('ends when the session does, and when the gateway stops; a store that cannot be asked ends nothing', async () => {
    const requests = new FinishedRequests();
    let allowed: () => Promise<boolean> = () => Promise.reject(new Error('locked'));
    const stream = open(requests, { isAllowed: () => allowed(), tickMs: 5 });
    await stream.until(/alive/);
    await stream.until(/alive/);
    allowed = async () => false;
    assert.match(await stream.until(/event: end[\s\S]*\n\n$/), /no longer valid/);
    assert.equal(await stream.ended(), true);
    const other = open(requests);
    requests.end();
    assert.match(await other.until(/event: end[\s\S]*\n\n$/), /the gateway stops/);
    assert.equal(await other.ended(), true);
    assert.throws(() => open(requests), /shutting down/);
  });

  it('keeps no place for one that does not read', async () => {
    const requests = new FinishedRequests({ maxListeners: 1 });
    const stream = open(requests, { tickMs: 5 });
    const isFree = (): boolean => {
      try {
        requests.listen({ filter: {}, onRequests: () => {}, onEnd: () => {} })();
        return true;
      } catch {
        return false;
      }
    };
    assert.equal(isFree(), false);
    await eventually(isFree, 'its place');
    await assert.rejects(async () => {
      for (;;) await stream.until(/never/);
    }, /is not read/);
  });

  it('has room for twenty, and for another one as soon as one leaves', async () => {
    const requests = new FinishedRequests();
    const streams = Array.from({ length: 20 }, () => open(requests));
    assert.throws(() => open(requests), /Too many clients/);
    await streams[7]!.cancel();
    await open(requests).cancel();
    for (const stream of streams) await stream.cancel();
  });
});
