import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../errors/gateway-error.ts';

/** Hashes and checks passwords; everything that costs real work goes through one small queue. */
export interface Passwords {
  /** @returns `$scrypt$ln=…,r=…,p=…$salt$hash`, base64 without padding */
  hash(password: string): Promise<string>;
  /** Costs the same whether `stored` is there or not, so that an unknown account cannot be told by its speed. */
  verify(password: string, stored: string | undefined): Promise<boolean>;
}

export interface PasswordsOptions {
  /** log2 of scrypt's N; 17 takes about 0.4 s and 128 MiB. Tests take less. */
  readonly logCost?: number;
  /** How many run at once. */
  readonly concurrency?: number;
  /** How many may wait; further ones are refused. */
  readonly queueLimit?: number;
  /** Called for each derivation: lets a test count the work. */
  readonly onDerive?: () => void;
}

interface ScryptParameters {
  readonly logCost: number;
  readonly blockSize: number;
  readonly parallelism: number;
}

const saltLength = 16;
const keyLength = 32;

/**
 * Passwords by scrypt (RFC 7914) with N = 2^17, r = 8, p = 1, at most two at once.
 * Beyond the queue's bound `hash` and `verify` throw GatewayError `too_many_attempts` with a `retryAfter`.
 */
export function createPasswords(options: PasswordsOptions = {}): Passwords {
  const parameters: ScryptParameters = { logCost: options.logCost ?? 17, blockSize: 8, parallelism: 1 };
  const queue = createQueue(options.concurrency ?? 2, options.queueLimit ?? 32);
  const deriveInTurn = (password: string, salt: Buffer, used: ScryptParameters): Promise<Buffer> =>
    queue(() => {
      options.onDerive?.();
      return derive(password, salt, used);
    });
  const absent = { parameters, salt: randomBytes(saltLength), key: randomBytes(keyLength) };

  return {
    async hash(password) {
      const salt = randomBytes(saltLength);
      return encode(parameters, salt, await deriveInTurn(password, salt, parameters));
    },
    async verify(password, stored) {
      const decoded = stored === undefined ? undefined : decode(stored);
      const { parameters: used, salt, key } = decoded ?? absent;
      const matches = timingSafeEqual(await deriveInTurn(password, salt, used), key);
      return matches && decoded !== undefined;
    },
  };
}

/** What is wrong with a new password, in words for its owner; undefined when nothing is. */
export function passwordProblem(password: string, email: string): string | undefined {
  // Length is what counts (NIST SP 800-63B section 3.1.1); the rest refuses only what is no password at all.
  const characters = Array.from(normalized(password));
  if (characters.length < 12) return 'must have at least 12 characters';
  if (characters.length > 256) return 'must have at most 256 characters';
  if (new Set(characters).size < 5) return 'must have at least 5 different characters';
  if (normalized(password).toLowerCase() === email.toLowerCase()) return 'must not be the e-mail address';
  return undefined;
}

function derive(password: string, salt: Buffer, { logCost, blockSize, parallelism }: ScryptParameters): Promise<Buffer> {
  const cost = 2 ** logCost;
  // Node's default maxmem (32 MiB) is below what these parameters need: 128 * N * r bytes, and a little more.
  const maxmem = 128 * cost * blockSize * parallelism + 1024 * 1024;
  return new Promise((resolve, reject) => {
    scrypt(normalized(password), salt, keyLength, { N: cost, r: blockSize, p: parallelism, maxmem }, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}

/** The same password typed on another keyboard may arrive in another Unicode form (NIST SP 800-63B: normalise). */
function normalized(password: string): string {
  return password.normalize('NFKC');
}

function encode({ logCost, blockSize, parallelism }: ScryptParameters, salt: Buffer, key: Buffer): string {
  const base64 = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');
  return `$scrypt$ln=${logCost},r=${blockSize},p=${parallelism}$${base64(salt)}$${base64(key)}`;
}

function decode(stored: string): { parameters: ScryptParameters; salt: Buffer; key: Buffer } {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(stored);
  const key = Buffer.from(match?.[5] ?? '', 'base64');
  if (match === null || key.length !== keyLength) throw new Error('a stored password hash is not in the form that APIGate writes');
  const parameters = { logCost: Number(match[1]), blockSize: Number(match[2]), parallelism: Number(match[3]) };
  return { parameters, salt: Buffer.from(match[4] ?? '', 'base64'), key };
}

type Queue = <T>(task: () => Promise<T>) => Promise<T>;

function createQueue(concurrency: number, limit: number): Queue {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    if (running >= concurrency) {
      if (waiting.length >= limit) {
        throw new GatewayError('too_many_attempts', { detail: 'Too many sign-ins at once; try again in a few seconds.', retryAfter: 5 });
      }
      // The one that finishes hands its place over, so `running` stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
