import { CliError, exitCodes } from './cli-error.ts';

/** One of Server-Sent Events. */
export interface StreamEvent {
  readonly name: string;
  readonly id: string;
  readonly data: string;
}

/** Characters of one event at most: a record of a request has some thousands. */
const longestEvent = 1024 * 1024;

/**
 * Events as they come, as the HTML standard's event streams are read; comments are passed over.
 * @throws CliError for one that does not end
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  let rest = '';
  let name = '';
  let id = '';
  let data: string[] = [];
  let length = 0;
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    if (rest.length + length > longestEvent) throw new CliError(exitCodes.failure, 'the stream has an event of more than 1 MiB');
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { name: name === '' ? 'message' : name, id, data: data.join('\n') };
        name = '';
        data = [];
        length = 0;
        continue;
      }
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'event') name = value;
      else if (field === 'id') id = value;
      else if (field === 'data') {
        data.push(value);
        length += value.length + 1;
      }
    }
  }
}
