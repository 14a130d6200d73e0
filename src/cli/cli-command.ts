import { Command, type Option } from 'commander';
import { usageError } from './cli-error.ts';
import type { GlobalName } from './global-options.ts';

/** Commander's Command, with `--switch=true` and `--switch=false` understood for every switch. */
export class CliCommand extends Command {
  /** The global options that it understands; declared after its own, when the tree is built. */
  globals: readonly GlobalName[] | 'all' = [];

  override createCommand(name?: string): CliCommand {
    return new CliCommand(name);
  }

  override parseOptions(args: string[]): ReturnType<Command['parseOptions']> {
    return super.parseOptions(this.commands.length === 0 ? this.plainSwitches(args) : args);
  }

  private plainSwitches(args: readonly string[]): string[] {
    const plain: string[] = [];
    for (let at = 0; at < args.length; at++) {
      const arg = args[at] ?? '';
      if (arg === '--') return [...plain, ...args.slice(at)];
      const [, name, value] = /^(--[^=]+)=(.*)$/s.exec(arg) ?? [];
      const option = this.options.find(({ long, short }) => (name ?? arg) === long || arg === short);
      if (name !== undefined && value !== undefined && option !== undefined && isSwitch(option)) {
        plain.push(...this.switched(option, name, value));
      } else {
        plain.push(arg);
        const takesNext = option?.required === true && name === undefined && at + 1 < args.length;
        if (takesNext) plain.push(args[++at] ?? '');
      }
    }
    return plain;
  }

  private switched(option: Option, name: string, value: string): string[] {
    if (value === 'true') return [name];
    if (value !== 'false') throw usageError(`${name} takes true or false, not "${value}"`);
    const opposite =
      { '--enabled': '--disabled', '--disabled': '--enabled' }[name] ??
      (option.negate ? name.replace('--no-', '--') : name.replace('--', '--no-'));
    return this.options.some(({ long }) => long === opposite) ? [opposite] : [];
  }
}

/** Takes no value. (Commander's own `isBoolean` leaves out `--no-…`.) */
export function isSwitch(option: Option): boolean {
  return !option.required && !option.optional;
}
