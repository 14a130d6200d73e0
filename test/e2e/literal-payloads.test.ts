import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useGateway } from '../support/harness.ts';
import { localEnvironment, runApigate } from '../support/run-apigate.ts';

const harness = useGateway({ admin: true, script: false, concurrent: true });

const payloads = [
  "'; DROP TABLE upstreams; --",
  '" OR 1=1 --',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '=cmd|calc!A1',
  '+1+1',
  '@SUM(1)',
  '${env.PATH}',
  '{{constructor.constructor("return 1")()}}',
  '%0d%0aSet-Cookie: a=b',
  '__proto__',
  'constructor',
  '\u202egnp.exe',
];

test('M07 payloads in names and descriptions are kept and given back literally, as JSON that no browser takes for a page', async () => {
  const { admin } = harness.gateway;
  for (const payload of payloads) {
    const made = await admin.call('POST', '/upstreams', { name: payload, description: payload, base_url: 'http://127.0.0.1:9' });
    assert.equal(made.status, 201, `${payload} ${JSON.stringify(made.body)}`);
    const shown = await admin.call('GET', `/upstreams/${String(made.body['id'])}`);
    assert.deepEqual([shown.body['name'], shown.body['description']], [payload, payload]);
    assert.match(String(shown.headers['content-type']), /^application\/json/);
    assert.equal(shown.headers['x-content-type-options'], 'nosniff');
    assert.match(String(shown.headers['content-security-policy']), /default-src 'none'/);
    const byName = await admin.must('GET', `/upstreams/${encodeURIComponent(payload)}`);
    assert.equal(byName['id'], made.body['id']);
    const audit = await admin.must('GET', `/audit?resource=${encodeURIComponent(payload)}`);
    assert.equal(audit['total'], 1);
  }
  const listed = await admin.must('GET', '/upstreams?limit=500');
  assert.equal(listed['total'], payloads.length);
});

test('M07 header names and values with line ends are refused, wherever they are given', async () => {
  const { admin } = harness.gateway;
  for (const fields of [
    { name: 'a\r\nb' },
    { auth_type: 'header', auth_header: 'X-A\r\nX-B', auth_value: 'x' },
    { auth_type: 'header', auth_header: 'X-A', auth_value: 'x\r\nX-B: y' },
    { base_url: 'http://127.0.0.1:9/\r\nX-B: y' },
    { tls_server_name: 'a\r\nb', base_url: 'https://127.0.0.1:9' },
  ]) {
    const answer = await admin.call('POST', '/upstreams', { name: 'injected', base_url: 'http://127.0.0.1:9', ...fields });
    assert.equal(answer.status, 422, JSON.stringify([fields, answer.body]));
  }
});

test('M07 what the CLI prints for people has no sign that a terminal acts on', async () => {
  const { gateway } = harness;
  const refused = await gateway.admin.call('POST', '/upstreams', {
    name: 'plain',
    description: 'a\u001b]0;title\u0007b',
    base_url: 'http://127.0.0.1:9',
  });
  assert.equal(refused.status, 422);
  for (const words of [
    ['upstreams', 'list'],
    ['audit', 'list'],
  ]) {
    const { stdout, stderr } = await runApigate(words, { env: localEnvironment(gateway) });
    // oxlint-disable-next-line no-control-regex -- control characters are what it is about
    assert.doesNotMatch(stdout + stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  }
});
