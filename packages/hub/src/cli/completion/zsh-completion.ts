import type { CommandNode } from "./command-tree.ts";

/** A completion script for zsh. */
export function zshCompletion(tree: readonly CommandNode[]): string {
  const paths = tree.filter(({ path }) => path !== "").map(({ path }) => `'${path}'`);
  return `#compdef alkdev
# Completion of alkdev for zsh: source <(alkdev completion zsh)
_alkdev() {
  local at='' word previous="\${words[CURRENT-1]}"
  local -a commands options
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${at:+$at }$word" in
      (${paths.join("|")}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at $previous" in
${values(tree).join("\n")}
  esac
  case "$at" in
${tree.map(wordsOf).join("\n")}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    _describe 'option' options
  elif (( \${#commands} )); then
    _describe 'command' commands
  else
    _files
  fi
}
if [[ "$funcstack[1]" == _alkdev ]]; then _alkdev "$@"; else compdef _alkdev alkdev; fi
`;
}

/** Options that take a value: one of a few, or a file. */
function values(tree: readonly CommandNode[]): string[] {
  return tree.flatMap(({ path, options }) =>
    options
      .filter(({ hasValue }) => hasValue)
      .map(({ flag, choices }) => {
        const reply = choices.length === 0 ? "_files" : `compadd -- ${choices.join(" ")}`;
        return `    ('${path} ${flag}') ${reply}; return ;;`;
      }),
  );
}

function wordsOf({ path, commands, options }: CommandNode): string {
  const described = (name: string, description: string): string =>
    `'${name}:${description.replaceAll("'", "’").replaceAll(":", "\\:")}'`;
  const names = commands.map(({ name, description }) => described(name, description));
  const flags = options.map(({ flag, description }) => described(flag, description));
  return `    ('${path}') commands=(${names.join(" ")}); options=(${flags.join(" ")}) ;;`;
}
