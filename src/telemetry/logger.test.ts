import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, droppedNotice } from './logger.ts';
import { escapeText, isoTime, lineLevels } from './log-text.ts';

function lines(format: 'json' | 'text', level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent' = 'trace') {
  const written: string[] = [];
  return { written, logger: createLogger({ level, format, sink: { write: (line) => written.push(line) } }) };
}

test('JSON lines: level by name, ISO time, message, fields', () => {
  const { written, logger } = lines('json');
  logger.info({ revision: 7, listeners: ['http://a', 'http://b'] }, 'the gateway is ready');
  const { time, ...rest } = JSON.parse(written[0]!) as Record<string, unknown>;
  assert.deepEqual(rest, { level: 'info', msg: 'the gateway is ready', revision: 7, listeners: 'http://a, http://b' });
  assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 5000);
  assert.ok(written[0]!.endsWith('}\n'));
});

test('text lines: one line each, values that hold blanks quoted, the stack below', () => {
  const { written, logger } = lines('text');
  logger.warn({ file: '/a b', code: 'x' }, 'careful');
  assert.match(written[0]!, /^\d{4}-\d\d-\d\dT[\d:.]+Z warn  careful file="\/a b" code=x\n$/);
  logger.error({ err: new Error('boom') }, 'failed');
  assert.match(written[1]!, /error failed error=boom\n {4}Error: boom\n {4} {4}at /);
});

test('levels: quieter lines are left out, silent leaves all out', () => {
  for (const [i, level] of lineLevels.entries()) {
    const { written, logger } = lines('json', level);
    for (const each of lineLevels) logger[each]({}, each);
    assert.deepEqual(
      written.map((line) => JSON.parse(line).msg),
      lineLevels.slice(i),
    );
  }
  const { written, logger } = lines('text', 'silent');
  for (const each of lineLevels) logger[each]({}, each);
  assert.deepEqual(written, []);
});

test('fields that are not listed, and objects, are named but never shown', () => {
  for (const format of ['json', 'text'] as const) {
    const { written, logger } = lines(format);
    logger.info(
      {
        headers: { authorization: 'Bearer s3cret' },
        authorization: 's3cret',
        reason: { deep: 's3cret' },
        password: 's3cret',
        code: 'fine',
      },
      'message',
    );
    assert.doesNotMatch(written[0]!, /s3cret/);
    assert.match(written[0]!, /headers, authorization, reason, password/);
    assert.match(written[0]!, /fine/);
  }
});

test('what was thrown tells its causes, and its stack at level error only', () => {
  const { written, logger } = lines('json');
  const err = new Error('outer', { cause: new Error('inner') });
  logger.warn({ err }, 'w');
  logger.error({ err }, 'e');
  logger.error({ err: 'a string' }, 's');
  logger.error({ err: Object.create(null) }, 'o');
  logger.error({ err: { password: 's3cret' } }, 'n');
  assert.doesNotMatch(written.join(''), /s3cret/);
  const [warn, error, text] = written.map((line) => JSON.parse(line) as Record<string, string>);
  assert.equal(warn!['error'], 'outer: inner');
  assert.equal(warn!['stack'], undefined);
  assert.match(error!['stack']!, /inner/);
  assert.equal(text!['error'], 'a string');
  assert.equal(written.length, 5);
});

test('a value that throws when it is looked at costs its fields, not the line', () => {
  const { written, logger } = lines('json');
  logger.error(
    {
      get reason() {
        throw new Error('no');
      },
    },
    'still told',
  );
  assert.equal(JSON.parse(written[0]!).msg, 'still told');
});

test('hostile text stays within its line and out of the terminal', () => {
  const hostile = 'a"b\\c\n2026 error fake\u001b[2J\u009b\u2028é\ud800';
  for (const format of ['json', 'text'] as const) {
    const { written, logger } = lines(format);
    logger.info({ reason: hostile, upstream: 'x'.repeat(100_000) }, hostile);
    assert.equal(written[0]!.split('\n').length, 2);
    assert.ok(written[0]!.length < 20_000);
    assert.doesNotMatch(written[0]!.trimEnd(), /[\u0000-\u001f\u007f-\u009f\u2028]/);
    if (format === 'json') assert.equal(JSON.parse(written[0]!).reason.slice(0, -1), hostile.slice(0, -1));
    else assert.match(written[0]!, /^[\x20-\x7e]*\n$/);
  }
});

test('times are those of toISOString', () => {
  for (const ms of [0, 1, 999, 1000, 1_800_000_000_000, 1_800_000_000_007, 1_800_000_000_070.9, 1_800_000_001_999, 1_799_999_999_999]) {
    assert.equal(isoTime(ms), new Date(Math.floor(ms)).toISOString());
  }
});

test('escaped text is the inside of a JSON string', () => {
  for (const text of ['', 'plain', '"', '\\', '\n', '\u0000', 'é', '💥', '\u2029']) {
    assert.equal(JSON.parse(`"${escapeText(text, 100)}"`), text);
    assert.match(escapeText(text, 100), /^[\x20-\x7e]*$/);
  }
  assert.equal(escapeText('abcdef', 3), 'abc...');
});

test('the notice of dropped lines fits the format', () => {
  assert.equal(JSON.parse(droppedNotice('json', 5, 0)).count, 5);
  assert.match(droppedNotice('text', 5, 0), /^1970-01-01T00:00:00.000Z warn {2}5 log lines dropped.*\n$/);
});
