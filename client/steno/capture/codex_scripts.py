"""Code mode: a tool call that is JavaScript, and the commands that it really ran.

The call comes first, then a completed item for each command, whose id is not the call's, then the
output. The call is said again with its first command in the place of the script; further commands
are calls of their own. A script that also patches files stays as it is: it says what it changed.
"""

from steno.capture.codex_records import Place, Records, Text
from steno.capture.codex_state import Script, State
from steno.capture.codex_wire import CompletedItem, Item, is_set
from steno_schema.limits import KEY_MAX_CHARS

TOOL = "exec"
EXIT_CODE_MAX = 2**32
_PATCH = b"*** Begin Patch"


class Scripts:
    """Pairs a script with its commands, one after the other."""

    def __init__(self, state: State, records: Records) -> None:
        self._state = state
        self._records = records

    def called(self, item: Item, place: Place) -> None:
        """Note that a tool is called; what it runs follows if it is a script."""
        self._state.script = None
        is_script = item.type == "custom_tool_call" and item.name == TOOL and item.call_id
        if is_script and item.call_id and _PATCH not in bytes(item.input):
            call_id = item.call_id[:KEY_MAX_CHARS]
            self._state.script = Script(call_id, place.position, place.created_at)

    def ran(self, item: CompletedItem, place: Place) -> bool:
        """Take a command that ended; tell whether a script ran it."""
        script = self._state.script
        if script is None or not is_set(item.command):
            return False
        call = Text(
            "assistant",
            "tool_call",
            f'{{"command": {bytes(item.command).decode()}}}',
            tool_name=TOOL,
            call_id=script.call_id,
        )
        if script.is_replaced:
            key = item.id if isinstance(item.id, str) and item.id else place.ref
            self._records.message(place, ("tool_call", key[:KEY_MAX_CHARS]), call)
        else:
            first = Place("", script.position, script.created_at)
            self._records.message(first, ("tool_call", script.call_id), call)
        script.is_replaced = True
        if type(item.exit_code) is int and not script.exit_code:
            script.exit_code = item.exit_code if abs(item.exit_code) < EXIT_CODE_MAX else None
        return True

    def answered(self, item: Item, result: Text) -> Text:
        """Return a tool's result with what is known of how its commands ended."""
        script = self._state.script
        if script is None or item.call_id != script.call_id:
            return result
        self._state.script = None
        failed = result.is_error or bool(script.exit_code)
        return result._replace(is_error=failed, exit_code=script.exit_code)
