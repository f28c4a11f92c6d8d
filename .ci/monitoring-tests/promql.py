"""What a PromQL expression asks for: a tokenizer that refuses what it does not know."""

import re
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)
    |(?P<number>\d[\w.]*)
    |(?P<word>[A-Za-z_:][\w:]*)
    |(?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^<>=(){}\[\],:@])""",
    re.VERBOSE,
)
LISTS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
OPERATORS = {"and", "or", "unless", "bool", "offset"}
MATCHES = {"=", "!=", "=~", "!~"}


@dataclass
class Selector:
    """Series that are asked for."""

    metric: str
    matchers: list[tuple[str, str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        return self.metric + "{" + ",".join("".join(matcher) for matcher in self.matchers) + "}"

    @property
    def labels(self) -> set[str]:
        return {label for label, _, _ in self.matchers}


@dataclass
class Expression:
    """What it takes its values from, and by which labels it groups them."""

    selectors: list[Selector]
    groups: set[str]


def tokens(text: str) -> list[str]:
    found, at = [], 0
    while at < len(text):
        token = TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"not understood from here on: {text[at:]}")
        if token.lastgroup != "space":
            found.append(token.group())
        at = token.end()
    return found


def parsed(text: str) -> Expression:
    rest = [*tokens(text), "", ""]
    expression = Expression([], set())
    at = 0

    def next_is(*signs: str) -> bool:
        return rest[at + 1].lower() in signs

    while rest[at]:
        word = rest[at]
        if word == "{":
            raise ValueError(f"a selector without a metric's name: {text}")
        if not re.match(r"[A-Za-z_:]", word) or word.lower() in OPERATORS or word == ":":
            at += 1
        elif word.lower() in LISTS:
            end = rest.index(")", at)
            expression.groups.update(label for label in rest[at + 2 : end] if label != ",")
            at = end + 1
        elif next_is("(", "by", "without"):
            at += 1
        else:
            selector = Selector(word)
            at += 1
            if rest[at] == "{":
                at += 1
                while rest[at] != "}":
                    label, sign, value = rest[at : at + 3]
                    if sign not in MATCHES:
                        raise ValueError(f"not a matcher: {label} {sign} {value}")
                    selector.matchers.append((label, sign, value))
                    at += 4 if rest[at + 3] == "," else 3
                at += 1
            expression.selectors.append(selector)
    return expression
