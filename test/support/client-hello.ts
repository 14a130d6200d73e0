import { randomBytes } from 'node:crypto';

/**
 * A TLS ClientHello as one or more records, without a TLS library: tests send what none of those would, such as a
 * server name of 10 KiB. Offers TLS 1.3 and 1.2 with common ciphers; the key share is a point nobody checks before
 * the server has answered.
 */
export function clientHello(serverName: string): Buffer {
  const name = Buffer.from(serverName, 'latin1');
  const extensions = [
    extension(0, vector16(Buffer.concat([Buffer.from([0]), vector16(name)]))),
    extension(10, vector16(Buffer.from([0x00, 0x1d, 0x00, 0x17]))),
    extension(13, vector16(Buffer.from([0x04, 0x03, 0x08, 0x04, 0x04, 0x01]))),
    extension(43, vector8(Buffer.from([0x03, 0x04, 0x03, 0x03]))),
    extension(51, vector16(Buffer.concat([Buffer.from([0x00, 0x1d]), vector16(randomBytes(32))]))),
  ];
  const body = Buffer.concat([
    Buffer.from([0x03, 0x03]),
    randomBytes(32),
    vector8(randomBytes(32)),
    vector16(Buffer.from([0x13, 0x01, 0x13, 0x02, 0xc0, 0x2b, 0xc0, 0x2f])),
    vector8(Buffer.from([0])),
    vector16(Buffer.concat(extensions)),
  ]);
  const handshake = Buffer.concat([Buffer.from([1, body.length >> 16, (body.length >> 8) & 255, body.length & 255]), body]);
  return Buffer.concat([Buffer.from([0x16, 0x03, 0x01]), vector16(handshake)]);
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type >> 8, type & 255]), vector16(content)]);
}

function vector8(content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([content.length]), content]);
}

function vector16(content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([content.length >> 8, content.length & 255]), content]);
}
