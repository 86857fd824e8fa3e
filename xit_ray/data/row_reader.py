"""One record of a file or repository while it becomes a row: fields by their names, and what is wrong with them."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from xit_ray.data.lines import Record
from xit_ray.spec.errors import UnlabelledError, UserError
from xit_ray.tasks.base import Fields, Task

UNLABELLED = (None, "", "-", -1, "-1")
"""How datasets spell that a row has no label: a stripped test set, or annotators who could not agree."""


class RowReader:
    """Reads the values of one record.

    Args:
        task: says what labels there are.
        record: the record.
        fields: our columns to the record's fields, as in ``tasks.base.Layout``.
        spelled: how this source spells the labels, where not as the task does.
        where: file or repository and row, for messages.
        notes: where what is repaired or left out is counted.
    """

    def __init__(
        self,
        task: Task,
        record: Record,
        fields: Fields,
        spelled: tuple[str, ...],
        where: str,
        notes: Counter[str],
    ) -> None:
        self.task, self.record, self.fields, self.spelled = task, record, fields, spelled
        self.where, self.notes = where, notes

    def bad(self, problem: str) -> UserError:
        """An error about this row."""
        return UserError(f"{self.where} {problem}")

    def unlabelled(self) -> UnlabelledError:
        """An error about a missing label."""
        return UnlabelledError(f"{self.where} has no label; an unlabelled file cannot be trained on or scored")

    def value(self, path: str) -> Any:
        """A field, or one inside it."""
        value: Any = self.record
        for part in path.split("."):
            if not isinstance(value, dict) or part not in value:
                raise self.bad(f"has no field {path!r}; found: {', '.join(self.record)}")
            value = value[part]
        return value

    def text(self, column: str, prompts: Mapping[str, str] | None = None) -> str:
        """A text; those of several fields are joined by a space.

        Args:
            column: ours.
            prompts: what a short value of the last field stands for.
        """
        names = self.fields.get(column, column)
        texts = [self.value(name) for name in ((names,) if isinstance(names, str) else names)]
        if prompts:
            if not isinstance(texts[-1], str) or texts[-1] not in prompts:
                raise self.bad(f"has the {names[-1]} {texts[-1]!r}; allowed: {', '.join(prompts)}")
            texts[-1] = prompts[texts[-1]]
        flat = [part for text in texts for part in (text if isinstance(text, list) else [text])]
        if not all(isinstance(text, str) for text in flat):
            raise self.bad(f"has {texts[0]!r} as {column}; wanted: a text")
        joined = self._encodable(" ".join(text for text in flat if text))
        self.notes["empty texts"] += not joined.strip()
        return joined

    def pair(self) -> tuple[str, str | None]:
        """``text_a`` and ``text_b``. A single text is a row without a second one; a pair that lacks it is an error."""
        single = "text_b" not in self.fields and "text_b" not in self.record
        return self.text("text_a"), None if single else self.text("text_b")

    def texts(self, column: str) -> list[str]:
        """A list of texts: one field that is a list, or several fields."""
        names = self.fields.get(column, column)
        texts = self.value(names) if isinstance(names, str) else [self.value(name) for name in names]
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise self.bad(f"has {texts!r} as {column}; wanted: a list of texts")
        return [self._encodable(text) for text in texts]

    def optional(self, column: str) -> Any:
        """A field that a stripped file may not have; None where it does not.

        A field that the task names must be there; one that goes by our own name is missing where labels were stripped.
        """
        name = str(self.fields.get(column, column))
        return self.value(name) if column in self.fields or name.split(".")[0] in self.record else None

    def item(self, place: int) -> str:
        """What names the row's item within its collection: its ID, or its place in the file."""
        own = self.task.item_column
        field = self.fields.get("item", self.fields.get(own, own) if own != "item" else None)
        return str(self.value(str(field))) if field is not None else str(self.record.get("item", place))

    def label(self, names: tuple[str, ...], count: int) -> int | None:
        """The index of a label that is spelled out, or counted from 0; None where the row has none."""
        value = self.optional("label")
        return None if value in UNLABELLED and str(value) not in names else self.index(value, names, count)

    def index(self, value: Any, names: tuple[str, ...], count: int) -> int:
        """The index that a label's name or number stands for."""
        spelled = str(value)
        if not isinstance(value, bool):
            if spelled in names:
                return names.index(spelled)
            close = [i for i, name in enumerate(names) if name.lower() == spelled.lower()]
            if len(close) == 1:  # some repositories write in capitals what the dataset's files do not
                return close[0]
        counted = not any(name.isdecimal() for name in names)  # digits that are names are not counts
        number = int(value) if isinstance(value, str) and value.isdecimal() and not names else value
        if isinstance(number, bool) or not isinstance(number, int) or not counted or not 0 <= number < count:
            allowed = ", ".join(names) if names else f"0 to {count - 1}"
            raise self.bad(f"has the label {value!r}; allowed: {allowed}")
        return number

    def _encodable(self, text: str) -> str:
        """The text itself; JSON may hold halves of characters, which no file can."""
        try:
            text.encode()
        except UnicodeEncodeError:
            raise self.bad(f"has a text with half a character: {ascii(text)[:60]}") from None
        return text
