import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { CliError, exitCodes, usageError } from './cli-error.ts';
import type { CliInput, CliPorts } from './cli-ports.ts';

const largest = 64 * 1024;

/** A secret from standard input, without its last newline; on a terminal it is asked for without echo. */
export async function readSecretFromStdin(ports: CliPorts, question: string): Promise<string> {
  if (ports.stdin.isTTY === true) return askSecret(ports, question);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of ports.stdin) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    size += bytes.length;
    if (size > largest) throw usageError('standard input holds more than 64 KiB', 'a secret was expected there');
    chunks.push(bytes);
  }
  return secretText(Buffer.concat(chunks), 'standard input');
}

/** A secret from a file, without its last newline. */
export async function readSecretFile(ports: CliPorts, path: string, flag: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(resolve(ports.cwd, path));
  } catch (error) {
    throw usageError(`${flag}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return secretText(bytes, path);
}

/** Asks on the terminal, without echo. Ctrl-C cancels. */
export async function askSecret(ports: CliPorts, question: string): Promise<string> {
  if (ports.stdin.isTTY !== true || ports.stdin.setRawMode === undefined) throw usageError('there is no terminal to ask on');
  // Before the question: who is quick to answer would see the answer otherwise.
  ports.stdin.setRawMode(true);
  try {
    ports.stderr.write(`${question}: `);
    return await readKeys(ports.stdin);
  } finally {
    ports.stdin.setRawMode(false);
    ports.stderr.write('\n');
  }
}

/** Asks for yes or no on the terminal; anything but yes is no. */
export async function askYes(ports: CliPorts, question: string): Promise<boolean> {
  ports.stderr.write(`${question} [y/N] `);
  return /^\s*y(?:es)?\s*$/i.test(await readLine(ports.stdin));
}

function secretText(bytes: Uint8Array, from: string): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw usageError(`${from} is not UTF-8 text`);
  }
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw usageError(`${from} is empty`, 'a secret was expected there');
  return secret;
}

/** Keys up to Enter; backspace and Ctrl-U work, Ctrl-C cancels. */
function readKeys(input: CliInput): Promise<string> {
  const decoder = new StringDecoder('utf8');
  let typed: string[] = [];
  return untilDone(
    input,
    (chunk, done) => {
      for (const key of typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk))) {
        if (key === '\r' || key === '\n' || key === '\u0004') return done(typed.join(''));
        if (key === '\u0003') throw new CliError(exitCodes.cancelled, 'cancelled');
        if (key === '\u007f' || key === '\b') typed.pop();
        else if (key === '\u0015') typed = [];
        else typed.push(key);
      }
    },
    () => typed.join(''),
  );
}

function readLine(input: CliInput): Promise<string> {
  const decoder = new StringDecoder('utf8');
  let line = '';
  return untilDone(
    input,
    (chunk, done) => {
      line += typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk));
      const end = line.indexOf('\n');
      if (end !== -1) done(line.slice(0, end));
    },
    () => line,
  );
}

/** Listens only as long as needed: a terminal that is still listened to keeps the process alive. */
function untilDone(
  input: CliInput,
  take: (chunk: Uint8Array | string, done: (text: string) => void) => void,
  atEnd: () => string,
): Promise<string> {
  const { promise, resolve: settle, reject } = Promise.withResolvers<string>();
  const onData = (chunk: Uint8Array | string): void => {
    try {
      take(chunk, settle);
    } catch (error) {
      reject(error);
    }
  };
  const onEnd = (): void => settle(atEnd());
  input.on('data', onData);
  input.on('end', onEnd);
  input.resume();
  return promise.finally(() => {
    input.off('data', onData);
    input.off('end', onEnd);
    input.pause();
  });
}
