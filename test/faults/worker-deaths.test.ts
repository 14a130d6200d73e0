import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { fetchRaw } from '../support/raw-client.ts';
import { answerOk, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';
import { births, faultEnvironment, strike } from '../support/thread-faults.ts';

async function withWorkers(body: (gateway: Gateway) => Promise<void>): Promise<void> {
  const upstream = await startScriptedUpstream(answerOk);
  const gateway = await startGateway({ upstream: upstream.url, workers: 2, env: faultEnvironment });
  try {
    await body(gateway);
    assert.equal(gateway.exit, undefined, 'the process lives');
    assert.equal(await gateway.stop(), 0);
  } finally {
    gateway.process.kill('SIGKILL');
    await gateway.stop();
    await upstream.close();
  }
}

const replacements = (gateway: Gateway): Record<string, unknown>[] =>
  gateway.lines.filter((line) => /worker/.test(JSON.stringify(line['msg'] ?? line['message'])) && line['worker'] !== undefined);

/** Every one of many connections in a row is served. A worker that is being replaced does not listen for a moment. */
async function served(gateway: Gateway): Promise<void> {
  await eventually(
    async () => {
      const answers = await Promise.all(
        Array.from({ length: 24 }, () => fetchRaw(gateway.port, 'GET', { timeoutMs: 10_000 }).catch(() => undefined)),
      );
      return answers.every((answer) => answer?.status === 200);
    },
    'service by every worker',
    30_000,
  );
}

describe('workers that fail', { concurrency: true }, () => {
  test('K05 a worker that dies is replaced at once and the others serve; one that dies again and again holds nobody else back', async () => {
    await withWorkers(async (gateway) => {
      let before = births(gateway, 0);
      await strike(gateway, 0, 'throw');
      const died = performance.now();
      await eventually(() => births(gateway, 0) > before, 'a new worker', 20_000);
      // The pause of a storm is 5 s; a thread takes its time to start on a busy machine.
      assert.ok(performance.now() - died < 4_500, `${performance.now() - died}`);
      await served(gateway);
      const storms = (): Record<string, unknown>[] => replacements(gateway).filter((line) => /again and again/.test(JSON.stringify(line)));
      for (let round = 0; round < 12 && storms().length === 0; round += 1) {
        before = births(gateway, 0);
        await strike(gateway, 0, 'throw');
        await eventually(() => births(gateway, 0) > before || storms().length > 0, 'a new worker, or the pause', 20_000);
      }
      assert.equal(storms().length, 1, 'a storm of deaths is capped');
      const paused = births(gateway, 0);
      before = births(gateway, 1);
      await strike(gateway, 1, 'throw');
      await eventually(() => births(gateway, 1) > before, 'a replacement for the other worker', 20_000);
      await eventually(() => births(gateway, 0) > paused, 'the paused one, in the end', 20_000);
      assert.deepEqual(
        storms().map((line) => line['worker']),
        [0],
        'only the one that stormed had to wait',
      );
      await served(gateway);
    });
  });

  test('a worker that spins is noticed without any change being made, and replaced', async () => {
    await withWorkers(async (gateway) => {
      const before = births(gateway, 1);
      await strike(gateway, 1, 'spin');
      const began = performance.now();
      await eventually(() => births(gateway, 1) > before, 'a new worker in the place of the one that spins', 60_000);
      assert.ok(performance.now() - began > 8_000, 'not before it was silent for long');
      assert.deepEqual(
        replacements(gateway)
          .filter((line) => /stood still/.test(JSON.stringify(line)))
          .map((line) => line['worker']),
        [1],
        'the other one stays',
      );
      await served(gateway);
    });
  });

  test('O03 a process that was stopped for longer than a worker may be silent keeps its workers', async () => {
    await withWorkers(async (gateway) => {
      const before = [births(gateway, 0), births(gateway, 1)];
      process.kill(gateway.pid, 'SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 13_000));
      process.kill(gateway.pid, 'SIGCONT');
      // Long enough for main to look at them several times.
      await new Promise((resolve) => setTimeout(resolve, 3_500));
      assert.deepEqual([births(gateway, 0), births(gateway, 1)], before);
      await served(gateway);
    });
  });
});
