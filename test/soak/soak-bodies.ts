import { createHash } from 'node:crypto';

/** Bodies that name their request, of lengths of their own: one can be told from any other, whole or in part. */

const filler = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** What an upstream answers to the request of that nonce; `scale` 1 is up to 3 KiB. */
export function answerBody(nonce: string, scale = 1): string {
  const number = Number.parseInt(createHash('sha1').update(nonce).digest('hex').slice(0, 8), 16);
  return `${nonce}:${filler.repeat((number % 83) * scale + 1)}:${nonce}`;
}

/** What a client sends; `size` of the filler. */
export function uploadBody(nonce: string, size: number): string {
  return `${nonce}-${filler.repeat(Math.ceil(size / filler.length)).slice(0, size)}`;
}

/** Whether a body that arrived whole is the upload of that request. */
export function isUpload(nonce: string, body: string): boolean {
  return body === uploadBody(nonce, body.length - nonce.length - 1);
}

export function digestOf(body: Uint8Array | string): string {
  return createHash('sha1').update(body).digest('base64url');
}

/** The data of one event of a stream. */
export function eventText(nonce: string, index: number): string {
  return `id: ${index}\ndata: ${nonce} ${index}\n\n`;
}
