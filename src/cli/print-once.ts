import { visibleText } from '../settings/visible-text.ts';
import type { CommandCall } from './command-call.ts';
import type { Item } from './output/printer.ts';

/**
 * Prints a new key or token. As a table the secret stands alone on standard output, so that
 * `KEY=$(apigate keys create …)` works; what belongs to it goes to standard error. JSON and YAML hold it all.
 */
export async function printOnce(call: CommandCall, made: Item, secretField: string, noun: string): Promise<void> {
  if (call.print.format !== 'table') {
    await call.print.one(made, 'name');
    return;
  }
  const expires = typeof made['expires_at'] === 'string' ? ` until ${made['expires_at']}` : '';
  call.print.note(
    `Made ${noun} ${visibleText(String(made['name']))} (${String(made['id'])})${expires}. Keep it now: it is never shown again.`,
  );
  call.print.data(`${String(made[secretField])}\n`);
}
