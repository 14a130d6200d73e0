import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forbiddenAddress } from './address-policy.ts';

const forbidden: [string, RegExp][] = [
  ['0.0.0.0', /unspecified/],
  ['0.1.2.3', /unspecified/],
  ['169.254.169.254', /link-local/],
  ['169.254.170.2', /link-local/],
  ['100.100.100.200', /Alibaba/],
  ['168.63.129.16', /Azure/],
  ['192.0.0.192', /Oracle/],
  ['224.0.0.1', /multicast/],
  ['239.255.255.255', /multicast/],
  ['255.255.255.255', /broadcast/],
  ['::', /unspecified/],
  ['0:0:0:0:0:0:0:0', /unspecified/],
  ['fe80::1', /link-local/],
  ['febf::1', /link-local/],
  ['fe80::1%eth0', /link-local/],
  ['ff02::1', /multicast/],
  ['fd00:ec2::254', /AWS/],
  ['fd00:0ec2:0::0254', /AWS/],
  ['fd00:ec2::23', /AWS/],
  ['fd20:ce::254', /Google/],
  ['fd00:c1::a9fe:a9fe', /Oracle/],
  ['fd00:42::42', /Scaleway/],
  ['::ffff:169.254.169.254', /link-local/],
  ['::ffff:a9fe:a9fe', /link-local/],
  ['::FFFF:100.100.100.200', /Alibaba/],
  ['::ffff:0.0.0.0', /unspecified/],
  ['::ffff:224.0.0.1', /multicast/],
  ['::169.254.169.254', /link-local/],
  ['::ffff:0:169.254.169.254', /link-local/],
  ['64:ff9b::169.254.169.254', /link-local/],
  ['64:ff9b:1::a9fe:a9fe', /link-local/],
  ['64:ff9b:1:a9fe:a9:fe00::', /link-local/],
  ['64:ff9b:1:0:a9:fea9:fe00:0', /link-local/],
  ['2002:a9fe:a9fe::1', /link-local/],
  ['2001:0:a9fe:a9fe::1', /link-local/],
  ['2001:0:808:808:0:0:5601:5601', /link-local/],
  ['2001:db8::5efe:169.254.169.254', /link-local/],
  ['2001:db8::200:5efe:169.254.169.254', /link-local/],
  ['', /not an IP address/],
  ['localhost', /not an IP address/],
  ['0177.0.0.1', /not an IP address/],
  ['127.1', /not an IP address/],
];

for (const [ip, reason] of forbidden) {
  test(`N02 no request goes to ${JSON.stringify(ip)}`, () => {
    assert.match(forbiddenAddress(ip) ?? 'allowed', reason);
  });
}

const allowed = [
  '127.0.0.1',
  '127.8.9.1',
  '10.0.0.1',
  '172.16.5.4',
  '192.168.1.1',
  '100.64.0.1',
  '8.8.8.8',
  '169.253.255.255',
  '240.0.0.1',
];
const allowedIPv6 = ['::1', 'fd12:3456::1', 'fc00::1', '2001:db8::1', '2606:4700::1111', 'fec0::1', '::ffff:10.0.0.1', '::ffff:127.0.0.1'];
const allowedTranslated = ['64:ff9b::8.8.8.8', '64:ff9b:1::10.0.0.1', '64:ff9b:1:a00:0:100::', '2002:808:808::1', '::10.0.0.1'];

for (const ip of [...allowed, ...allowedIPv6, ...allowedTranslated]) {
  test(`requests may go to ${ip}`, () => {
    assert.equal(forbiddenAddress(ip), undefined);
  });
}
