import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Listener } from '../api/admin-schema.ts';
import { clientOriginOf } from './client-origin.ts';

const admin: Listener = { scheme: 'http', host: '127.0.0.1', port: 8081, planes: ['admin'] };
const at = (origin: string) => ({ origin, hostname: new URL(origin).hostname });

test('clients are told the address of the page itself where the admin API shares their port, also behind a proxy', () => {
  const shared: Listener[] = [
    { scheme: 'http', host: '0.0.0.0', port: 8080, planes: ['traffic', 'admin'] },
    { scheme: 'https', host: '0.0.0.0', port: 8443, planes: ['traffic', 'admin'] },
  ];
  for (const origin of ['http://localhost:8080', 'https://gate.example.com', 'https://localhost:8443', 'http://[::1]:8080'])
    assert.equal(clientOriginOf(shared, at(origin)), origin);
  assert.equal(clientOriginOf([], at('http://localhost:8080')), 'http://localhost:8080');
});

test('with a listener for admins alone they are told the other one, by the name that the page was had by where it listens everywhere', () => {
  const origins = [
    [{ scheme: 'http', host: '0.0.0.0', port: 8080 }, 'http://127.0.0.1:8081', 'http://127.0.0.1:8080'],
    [{ scheme: 'http', host: '::', port: 80 }, 'https://admin.example.com', 'http://admin.example.com'],
    [{ scheme: 'https', host: '', port: 443 }, 'http://[::1]:8081', 'https://[::1]'],
    [{ scheme: 'https', host: '10.0.0.5', port: 8443 }, 'http://localhost:8081', 'https://10.0.0.5:8443'],
    [{ scheme: 'http', host: 'fd00::5', port: 8080 }, 'http://localhost:8081', 'http://[fd00::5]:8080'],
  ] as const;
  for (const [listener, page, wanted] of origins)
    assert.equal(clientOriginOf([{ ...listener, planes: ['traffic'] }, admin], at(page)), wanted);
});
