import type { CommandNode } from "./command-tree.ts";

/** A completion script for bash. */
export function bashCompletion(tree: readonly CommandNode[]): string {
  const paths = tree.filter(({ path }) => path !== "").map(({ path }) => `'${path}'`);
  return `# Completion of alkdev for bash: source <(alkdev completion bash)
_alkdev() {
  local at='' words='' word
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${at:+$at }$word" in
      ${paths.join("|")}) at="\${at:+$at }$word" ;;
    esac
  done
  COMPREPLY=()
  case "$at $previous" in
${choices(tree).join("\n")}
  esac
  case "$at $previous" in
    ${valueFlags(tree).join("|")}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  case "$at" in
${tree.map(wordsOf).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _alkdev alkdev
`;
}

/** Options that take one of a few values. */
function choices(tree: readonly CommandNode[]): string[] {
  return tree.flatMap(({ path, options }) =>
    options
      .filter((option) => option.choices.length > 0)
      .map(({ flag, choices: values }) => {
        const reply = `COMPREPLY=($(compgen -W '${values.join(" ")}' -- "$current"))`;
        return `    '${path} ${flag}') ${reply}; return ;;`;
      }),
  );
}

/** Options that take any value: after them come files, not commands. */
function valueFlags(tree: readonly CommandNode[]): string[] {
  return tree.flatMap(({ path, options }) =>
    options
      .filter(({ hasValue, choices: values }) => hasValue && values.length === 0)
      .map(({ flag }) => `'${path} ${flag}'`),
  );
}

function wordsOf({ path, commands, options }: CommandNode): string {
  const words = [...commands.map(({ name }) => name), ...options.map(({ flag }) => flag)];
  return `    '${path}') words='${words.join(" ")}' ;;`;
}
