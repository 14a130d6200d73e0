// The id of an exchange on its way to the upstream and to the client: as bytes, and as the strings that it would be otherwise.

import { RequestId } from '../../src/gateway/request-id.ts';
import { OutputBuffer } from '../../src/http/output-buffer.ts';
import { micro } from './micro.ts';

const out = new OutputBuffer();
const id = new RequestId();
const random = Buffer.allocUnsafeSlow(16);

micro('id as bytes: made, written twice', 500_000, (times) => {
  for (let n = 0; n < times; n++) {
    out.clear();
    id.renew();
    id.writeField(out);
    id.writeField(out);
  }
  return out.length;
});

micro('id as strings: made, written twice', 500_000, (times) => {
  for (let n = 0; n < times; n++) {
    out.clear();
    const text = random.hexSlice(0, 16);
    out.text(`X-Request-Id: ${text}\r\n`);
    out.text(`X-Request-Id: ${text}\r\n`);
  }
  return out.length;
});
