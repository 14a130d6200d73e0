import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FileTarget, LogSink, type LogTarget } from './log-sink.ts';

/** A reader that takes what it is told to, when it is told to. */
class SlowReader implements LogTarget {
  taken = '';
  #pending: { bytes: Buffer; callback: (error: NodeJS.ErrnoException | null, written: number) => void } | null = null;
  writes = 0;

  write(bytes: Buffer, callback: (error: NodeJS.ErrnoException | null, written: number) => void): void {
    assert.equal(this.#pending, null, 'one write at a time');
    this.writes++;
    this.#pending = { bytes, callback };
  }

  take(): void {
    this.end(null);
  }

  /** Takes `count` bytes of the write under way and then ends it with an error, or takes all. */
  end(code: string | null, count = Infinity): void {
    const { bytes, callback } = this.#pending!;
    this.#pending = null;
    const written = code === null ? bytes.length : Math.min(count, bytes.length);
    this.taken += bytes.toString('utf8', 0, written);
    callback(code === null ? null : Object.assign(new Error(code), { code }), written);
  }

  get waits(): boolean {
    return this.#pending !== null;
  }
}

test('lines wait behind the write under way and follow in one piece', () => {
  const reader = new SlowReader();
  const sink = new LogSink(reader);
  for (let i = 0; i < 5; i++) assert.equal(sink.write(`line ${i}\n`), true);
  reader.take();
  reader.take();
  assert.equal(reader.taken, 'line 0\nline 1\nline 2\nline 3\nline 4\n');
  assert.equal(reader.writes, 2);
  assert.equal(sink.backlog, 0);
});

test('memory is given back once for each piece: when it is written, put together with others, dropped, or the reader is gone', () => {
  const reader = new SlowReader();
  const sink = new LogSink(reader, { maxBytes: 40 });
  const given: string[] = [];
  const write = (text: string): boolean => sink.write(text, () => given.push(text.trim()));
  write('one\n');
  write('two\n');
  write('three\n');
  assert.deepEqual(given, []);
  reader.take();
  assert.deepEqual(given, ['one', 'two', 'three']);
  assert.equal(write(`${'x'.repeat(50)}\n`), false);
  assert.equal(given.length, 4);
  reader.take();
  write('four\n');
  write('five\n');
  reader.end('EPIPE', 0);
  assert.deepEqual(given.slice(4), ['four', 'five']);
  write('six\n');
  assert.deepEqual(given.slice(6), ['six']);
});

test('a reader that stalls costs whole lines, counted and told once it reads again', () => {
  const reader = new SlowReader();
  const heard: number[] = [];
  const sink = new LogSink(reader, {
    maxBytes: 30,
    droppedNotice: (lines) => `${lines} dropped\n`,
    onDropped: (lines) => heard.push(lines),
  });
  assert.equal(sink.write('0123456789\n'), true);
  assert.equal(sink.write(Buffer.from('0123456789\n')), true);
  assert.equal(sink.write('too much\ntoo much\n'), false);
  assert.equal(sink.write('short\n'), true);
  assert.equal(sink.write('too much\n'), false);
  assert.equal(sink.linesDropped, 3);
  assert.deepEqual(heard, [2, 1]);
  reader.take();
  reader.take();
  assert.equal(reader.taken, '0123456789\n0123456789\nshort\n');
  reader.take();
  assert.equal(reader.taken, '0123456789\n0123456789\nshort\n3 dropped\n');
  assert.equal(reader.waits, false);
  assert.equal(sink.write('again\n'), true);
});

test('a full disk is tried again from where it stopped, without waiting for ever', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const reader = new SlowReader();
  const sink = new LogSink(reader);
  sink.write('one\ntwo\n');
  reader.end('ENOSPC', 5);
  assert.equal(reader.waits, false);
  t.mock.timers.tick(1000);
  reader.end('EAGAIN', 1);
  t.mock.timers.tick(20);
  reader.take();
  assert.equal(reader.taken, 'one\ntwo\n');
  assert.equal(sink.linesDropped, 0);
  assert.equal(sink.backlog, 0);
});

test('a reader that is gone for good ends nothing but the log', async () => {
  for (const code of ['EPIPE', 'ECONNRESET', 'EBADF', 'ERR_STREAM_DESTROYED']) {
    const reader = new SlowReader();
    const sink = new LogSink(reader);
    sink.write('one\n');
    sink.write('two\nthree\n');
    const flushed = sink.flush(1000);
    reader.end(code, 0);
    assert.equal(sink.linesDropped, 3);
    assert.equal(sink.write('four\n'), false);
    assert.equal(sink.linesDropped, 4);
    assert.equal(await flushed, false);
    assert.equal(sink.backlog, 0);
  }
});

test('flush waits for the reader, but not for ever', async () => {
  const reader = new SlowReader();
  const sink = new LogSink(reader);
  assert.equal(await sink.flush(1000), true, 'nothing to write');
  sink.write('line\n');
  assert.equal(await sink.flush(20), false);
  const flushed = sink.flush(5000);
  reader.take();
  assert.equal(await flushed, true);
});

test('a file gets every byte', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'apigate-log-'));
  const path = join(directory, 'log');
  const descriptor = openSync(path, 'w');
  const sink = new LogSink(new FileTarget(descriptor));
  let expected = '';
  for (let i = 0; i < 20_000; i++) {
    const line = `line ${i} ${'é'.repeat(i % 50)}\n`;
    expected += line;
    sink.write(line);
  }
  assert.equal(await sink.flush(5000), true);
  closeSync(descriptor);
  assert.equal(readFileSync(path, 'utf8'), expected);
  rmSync(directory, { recursive: true });
});

/** Runs a program whose standard output is a real pipe, read by `reader` (a shell command). */
function piped(program: string, reader: string): Promise<{ status: number; stderr: string; stdout: string }> {
  const url = new URL('./log-sink.ts', import.meta.url).href;
  const source = `import { LogSink, standardOutput } from ${JSON.stringify(url)};\n${program}`;
  const shell = `"$NODE" --input-type=module-typescript -e "$SOURCE" | ${reader}; exit \${PIPESTATUS[0]}`;
  const child = spawn('bash', ['-c', shell], {
    env: { ...process.env, NODE: process.execPath, SOURCE: source },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  return new Promise((resolve) => child.on('close', (status) => resolve({ status: status ?? -1, stderr, stdout })));
}

test('a pipe that nobody reads blocks neither the loop nor the exit', async () => {
  const program = `
    const sink = new LogSink(standardOutput(), { maxBytes: 1 << 20 });
    const line = 'x'.repeat(999) + '\\n';
    let worst = 0, before = performance.now(), rounds = 0;
    const timer = setInterval(() => {
      const now = performance.now();
      worst = Math.max(worst, now - before - 5);
      before = now;
      for (let i = 0; i < 100; i++) sink.write(line);
      if (++rounds < 40) return;
      clearInterval(timer);
      const exitAt = performance.now();
      sink.close().then(() => {
        process.stderr.write(JSON.stringify({ worst, dropped: sink.linesDropped, closing: performance.now() - exitAt, exitsAt: Date.now() }));
        process.exit(0);
      });
    }, 5);`;
  // The reader begins to wait when the program writes its first line, and keeps the pipe open for longer than all of that takes.
  const { status, stderr, stdout } = await piped(program, '{ head -c 1 >&2; sleep 5; "$NODE" -p "Date.now()"; }');
  assert.equal(status, 0);
  const seen = JSON.parse(stderr.replace('x', '')) as { worst: number; dropped: number; closing: number; exitsAt: number };
  // A write that blocks would stand still until the reader goes.
  assert.ok(seen.worst < 2_000, `the loop stood still for ${seen.worst} ms`);
  assert.ok(seen.dropped > 2000, `${seen.dropped} dropped`);
  assert.ok(seen.closing < 3_000, `closing took ${seen.closing} ms`);
  assert.ok(seen.exitsAt < Number(stdout), 'it waited for the reader');
});

test('a pipe whose reader goes away leaves the process alive', async () => {
  const program = `
    const sink = new LogSink(standardOutput());
    let rounds = 0;
    const timer = setInterval(() => {
      sink.write('line\\n');
      if (++rounds < 60) return;
      clearInterval(timer);
      process.stderr.write('alive ' + (sink.linesDropped > 0));
      process.exit(7);
    }, 10);`;
  const { status, stderr } = await piped(program, 'head -n 2 > /dev/null');
  assert.equal(stderr, 'alive true');
  assert.equal(status, 7);
});

test('all lines reach a reader that is merely slow', async () => {
  const program = `
    const sink = new LogSink(standardOutput());
    for (let i = 0; i < 3000; i++) sink.write('x'.repeat(200) + i + '\\n');
    await sink.flush(10000);
    process.exit(0);`;
  const { status, stdout } = await piped(program, '(sleep 0.3; wc -l; )');
  assert.equal(status, 0);
  assert.equal(stdout.trim(), '3000');
});
