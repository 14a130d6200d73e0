import { BodyTooLong, codingOf, decodeBody } from './content-coding.ts';
import { type ExactJson, parseExactJson, writeExactJson } from './exact-json.ts';
import { applyJson, type CompiledJson } from './json-steps.ts';
import { TransformFailure } from './transform-failure.ts';
import type { TransformFacts } from './transform-facts.ts';

/** What is to be done with a body. */
export interface BodyWork {
  readonly message: 'request' | 'response';
  readonly steps: readonly CompiledJson[];
  readonly facts: TransformFacts;
  /** The Content-Encoding field, undefined when there is none. */
  readonly encoding: string | undefined;
  /** Bytes, as they come and decoded. */
  readonly limit: number;
}

/** One body that is held back until it is whole, and then transformed. Its message's head waits with it. */
export class BufferedBody {
  /** The outgoing head but for what depends on the body. */
  head: Buffer = nothing;
  readonly #work: BodyWork;
  #bytes: Buffer = nothing;
  #length = 0;

  constructor(work: BodyWork) {
    this.#work = work;
  }

  /** Whether a body of that declared length is too long; -1 for one that is not declared. */
  refusesLength(length: number): boolean {
    return length > this.#work.limit;
  }

  /** Takes a copy of bytes[start, end). False when that makes it too long. */
  add(bytes: Buffer, start: number, end: number): boolean {
    const length = this.#length + end - start;
    if (length > this.#work.limit) {
      this.#bytes = nothing;
      return false;
    }
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.min(this.#work.limit, Math.max(4096, length, this.#bytes.length * 2)));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    bytes.copy(this.#bytes, this.#length, start, end);
    this.#length = length;
    return true;
  }

  tooLong(): TransformFailure {
    const { message, limit } = this.#work;
    return new TransformFailure(
      message === 'request' ? 413 : 502,
      `the ${message} body is over the ${limit} bytes that a transformation takes (APIGATE_TRANSFORM_BODY_LIMIT)`,
    );
  }

  /** The body is complete: `done` gets what it becomes, at once or, where it has to be decoded, later. Never throws. */
  transform(done: (result: Buffer | TransformFailure) => void): void {
    const bytes = this.#bytes.subarray(0, this.#length);
    // A long response, or an idle connection, should not keep it.
    this.#bytes = nothing;
    if (bytes.length === 0) {
      done(bytes);
      return;
    }
    const { encoding, limit } = this.#work;
    const coding = codingOf(encoding);
    if (coding === undefined) done(this.#fault(`has the content coding ${JSON.stringify(encoding)}, which cannot be decoded`));
    else if (coding === null) done(this.#changed(bytes));
    else {
      decodeBody(bytes, coding, limit, (result) => {
        if (result instanceof BodyTooLong) done(this.tooLong());
        else if (result instanceof Error) done(this.#fault(`is not valid ${coding}`));
        else done(this.#changed(result));
      });
    }
  }

  #changed(bytes: Buffer): Buffer | TransformFailure {
    const { steps, facts } = this.#work;
    let body: ExactJson;
    try {
      body = parseExactJson(utf8.decode(bytes));
    } catch (error) {
      return this.#fault(error instanceof TypeError ? 'is not UTF-8' : 'is not JSON');
    }
    try {
      return Buffer.from(writeExactJson({ ...body, value: applyJson(body.value, steps, facts) }), 'utf8');
    } catch (error) {
      if (error instanceof TransformFailure) return error;
      // The stack's end: arrays within arrays, a hundred thousand deep.
      if (error instanceof RangeError) return this.#fault('is nested too deeply');
      return new TransformFailure(500, `a defect in APIGate: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }

  #fault(what: string): TransformFailure {
    const { message } = this.#work;
    return new TransformFailure(message === 'request' ? 400 : 502, `the ${message} body ${what}`);
  }
}

const nothing = Buffer.alloc(0);
const utf8 = new TextDecoder('utf-8', { fatal: true });
