const payload = Buffer.alloc(1_024, 'm');

/** A binary message of 1 KiB from a client: masked (RFC 6455 section 5.2), here with zeros. */
export const requestFrame: Buffer = Buffer.concat([Buffer.from('82fe040000000000', 'hex'), payload]);
export const requestFrameLength = requestFrame.length;

/** And from a server. */
export const answerFrame: Buffer = Buffer.concat([Buffer.from('827e0400', 'hex'), payload]);
