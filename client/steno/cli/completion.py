"""``steno completion``: scripts that complete commands and flags, made from the parsers."""

import argparse

from steno.cli.command import Command, Context, build_parser
from steno.cli.main import COMMANDS as TABLE
from steno.cli.main import leaves

_SHELLS = ("bash", "zsh", "fish")


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=_SHELLS)


def _run(context: Context) -> int:
    make = {"bash": bash, "zsh": zsh, "fish": fish}[context.args.shell]
    context.screen.raw(make(words_of_commands()))
    return 0


def words_of_commands() -> dict[str, list[str]]:
    """Return the words that may follow each command: its sub-commands, then its flags."""
    words: dict[str, list[str]] = {}
    flags: dict[str, list[str]] = {}
    for whole_name, command in leaves().items():
        name, _, action = whole_name.partition(" ")
        parser = build_parser(whole_name, command)
        words.setdefault(name, []).extend([action] if action else parser.words())
        flags.setdefault(name, []).extend(parser.flags())
    return {
        name: [*words[name], *dict.fromkeys(flag for flag in flags[name] if flag[:2] == "--")]
        for name in TABLE
    }


def bash(words: dict[str, list[str]]) -> str:
    """Return the script for bash."""
    return f"""# steno completion for bash: source <(steno completion bash)
_steno() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" words
    if (( COMP_CWORD == 1 )); then
        words="{" ".join(words)}"
    else
        case "${{COMP_WORDS[1]}}" in
{_cases(words)}
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}}
complete -o default -F _steno steno
"""


def zsh(words: dict[str, list[str]]) -> str:
    """Return the script for zsh."""
    described = "\n".join(f'        "{name}:{_summary(name)}"' for name in words)
    return f"""#compdef steno
# steno completion for zsh: source <(steno completion zsh)
_steno() {{
    local -a commands
    local words_here
    commands=(
{described}
    )
    if (( CURRENT == 2 )); then
        _describe command commands
    else
        case "$words[2]" in
{_cases(words, variable="words_here")}
        esac
        compadd -- ${{=words_here}}
        _files
    fi
}}
compdef _steno steno
"""


def fish(words: dict[str, list[str]]) -> str:
    """Return the script for fish."""
    lines = ["# steno completion for fish: steno completion fish | source"]
    for name, following in words.items():
        lines.append(
            f"complete -c steno -n __fish_use_subcommand -f -a {name} -d '{_summary(name)}'"
        )
        for word in following:
            flag = f"-l {word[2:]}" if word.startswith("--") else f"-f -a {word}"
            lines.append(f"complete -c steno -n '__fish_seen_subcommand_from {name}' {flag}")
    return "\n".join(lines) + "\n"


def _cases(words: dict[str, list[str]], variable: str = "words") -> str:
    return "\n".join(
        f'            {name}) {variable}="{" ".join(following)}" ;;'
        for name, following in words.items()
    )


def _summary(name: str) -> str:
    return TABLE[name].summary.replace("'", "").replace('"', "").replace(":", "")


COMMANDS = {
    "completion": Command(
        "Print a completion script for your shell.",
        "source <(steno completion bash)",
        _configure,
        _run,
        prints_data=False,
    )
}
