import type { Command } from 'commander';
import { isSwitch } from './cli-command.ts';

export const completionShells = ['bash', 'zsh', 'fish'] as const;
export type CompletionShell = (typeof completionShells)[number];

export function isCompletionShell(text: string): text is CompletionShell {
  return (completionShells as readonly string[]).includes(text);
}

/** A completion script made from the tree of commands: what it offers is what `apigate` understands. */
export function completionScript(shell: CompletionShell, program: Command): string {
  const words = wordsOf(program, []);
  switch (shell) {
    case 'bash':
      return bashScript(words);
    case 'zsh':
      return zshScript(words);
    case 'fish':
      return fishScript(words);
  }
}

interface Word {
  readonly text: string;
  readonly help: string;
}

interface Flag extends Word {
  /** What may follow it; undefined for a switch, empty for anything. */
  readonly values: readonly string[] | undefined;
  /** Whether its value is the path of a file. */
  readonly file: boolean;
}

/** What may follow one command. */
interface Words {
  /** `upstreams create`; empty for apigate itself. */
  readonly path: string;
  readonly commands: readonly Word[];
  readonly flags: readonly Flag[];
}

function wordsOf(command: Command, path: readonly string[]): readonly Words[] {
  const visible = command
    .createHelp()
    .visibleCommands(command)
    .filter((inner) => inner.name() !== 'help');
  const shells = command.name() === 'completion' ? completionShells.map((text) => ({ text, help: `for ${text}` })) : [];
  const own: Words = {
    path: path.join(' '),
    commands: [...visible.map((inner) => ({ text: inner.name(), help: inner.description() })), ...shells],
    flags: command
      .createHelp()
      .visibleOptions(command)
      .flatMap((option) => {
        if (option.long === undefined) return [];
        const values = isSwitch(option) ? undefined : (option.argChoices ?? []);
        return [{ text: option.long, help: option.description, values, file: /<(?:file|path)>/.test(option.flags) }];
      }),
  };
  return [own, ...visible.flatMap((inner) => wordsOf(inner, [...path, inner.name()]))];
}

const texts = (words: readonly Word[]): string => words.map(({ text }) => text).join(' ');

function bashScript(all: readonly Words[]): string {
  const commandCases = all
    .filter(({ commands }) => commands.length > 0)
    .map(({ path, commands }) => `      ${quoted(path)}) words=${quoted(texts(commands))} ;;\n`);
  const flagCases = all.map(({ path, flags }) => `      ${quoted(path)}) words=${quoted(texts(flags))} ;;\n`);
  return `# bash completion for apigate; made by "apigate completion bash"
_apigate() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local path= words= word at
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    case "\${path:+$path }$word" in
      ${all
        .filter(({ path }) => path !== '')
        .map(({ path }) => quoted(path))
        .join('|')}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path $previous" in
${valueCases(all).join('')}  esac
  if [[ $current == -* ]]; then
    case "$path" in
${flagCases.join('')}    esac
  else
    case "$path" in
${commandCases.join('')}    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _apigate apigate
`;
}

function valueCases(all: readonly Words[]): string[] {
  return all.flatMap(({ path, flags }) =>
    flags.flatMap((flag) => {
      if (flag.values === undefined) return [];
      const place = quoted(`${path} ${flag.text}`);
      if (flag.values.length > 0)
        return [`    ${place}) COMPREPLY=($(compgen -W ${quoted(flag.values.join(' '))} -- "$current")); return ;;\n`];
      return flag.file ? [`    ${place}) COMPREPLY=($(compgen -f -- "$current")); return ;;\n`] : [`    ${place}) return ;;\n`];
    }),
  );
}

function zshScript(all: readonly Words[]): string {
  const described = (words: readonly Word[]): string =>
    words.map(({ text, help }) => quoted(`${text}:${help.replaceAll(':', ' -')}`)).join(' ');
  const values = all.flatMap(({ path, flags }) =>
    flags.flatMap((flag) => {
      if (flag.values === undefined) return [];
      const action = flag.values.length > 0 ? `compadd -- ${flag.values.join(' ')}` : flag.file ? '_files' : '_message value';
      return [`    ${quoted(`${path} ${flag.text}`)}) ${action}; return ;;\n`];
    }),
  );
  const cases = all.map(
    ({ path, commands, flags }) => `    ${quoted(path)}) commands=(${described(commands)}); flags=(${described(flags)}) ;;\n`,
  );
  return `#compdef apigate
# zsh completion for apigate; made by "apigate completion zsh"
_apigate() {
  local current_path= word
  local -a commands flags
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${current_path:+$current_path }$word" in
      ${all
        .filter(({ path }) => path !== '')
        .map(({ path }) => quoted(path))
        .join('|')}) current_path="\${current_path:+$current_path }$word" ;;
    esac
  done
  case "$current_path \${words[CURRENT-1]}" in
${values.join('')}  esac
  case "$current_path" in
${cases.join('')}  esac
  if [[ $PREFIX == -* ]]; then
    _describe flag flags
  elif (( \${#commands} )); then
    _describe command commands
  fi
}
if [[ $funcstack[1] == _apigate ]]; then _apigate "$@"; else compdef _apigate apigate; fi
`;
}

function fishScript(all: readonly Words[]): string {
  const lines = all.flatMap(({ path, commands, flags }) => {
    const condition = `-n ${quoted(`__apigate_at ${quoted(path)}`)}`;
    return [
      ...commands.map(({ text, help }) => `complete -c apigate -f ${condition} -a ${quoted(text)} -d ${quoted(help)}\n`),
      ...flags.map(({ text, help, values, file }) => {
        const value = values === undefined ? '' : values.length > 0 ? ` -x -a ${quoted(values.join(' '))}` : file ? ' -r -F' : ' -x';
        return `complete -c apigate ${condition} -l ${text.slice(2)}${value} -d ${quoted(help)}\n`;
      }),
    ];
  });
  return `# fish completion for apigate; made by "apigate completion fish"
function __apigate_at
  set -l path
  for word in (commandline -opc)[2..-1]
    switch (string join ' ' -- $path $word)
      case ${all
        .filter(({ path }) => path !== '')
        .map(({ path }) => quoted(path))
        .join(' ')}
        set -a path $word
    end
  end
  test "$path" = "$argv[1]"
end
complete -c apigate -f
${lines.join('')}`;
}

/** In single quotes, which bash, zsh and fish read the same way as long as no backslash is inside. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '').replaceAll("'", "'\"'\"'")}'`;
}
