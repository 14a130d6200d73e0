import { CliCommand } from '../cli-command.ts';
import { usageError } from '../cli-error.ts';
import { runs, type CommandHost } from '../command-call.ts';
import { completionScript, completionShells, isCompletionShell } from '../completion-script.ts';
import { addExamples } from '../resource-commands.ts';

/** `apigate completion bash|zsh|fish` */
export function completionCommand(host: CommandHost): CliCommand {
  const command = new CliCommand('completion');
  command.argument('<shell>', completionShells.join(', '));
  addExamples(command, [
    'source <(apigate completion bash)            for this shell; or put it into ~/.bashrc',
    'apigate completion zsh > "${fpath[1]}/_apigate"',
    'apigate completion fish > ~/.config/fish/completions/apigate.fish',
  ]);
  return runs(command, host, async (call) => {
    const shell = call.args[0] ?? '';
    if (!isCompletionShell(shell))
      throw usageError(`"${shell}" is not a shell that completion is made for`, `write one of ${completionShells.join(', ')}`);
    call.print.data(completionScript(shell, command.parent as CliCommand));
  });
}
