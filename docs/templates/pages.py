"""What the site has beside docs/*.md: pages of the repository's top, and the API made from docs/openapi.json.

A hook of MkDocs (mkdocs.yml). Links are those of the repository: they are turned to pages of the site where there is
one, else to the file in the repository, and refused where there is neither.
"""

import json
import logging
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent.parent
BLOB = "https://github.com/luna-xray/luna/blob/main/"
log = logging.getLogger("mkdocs.hooks.pages")

#: Files of the repository that are pages, with the page of each.
TOP = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security-policy.md",
    "deploy/README.md": "deploy.md",
    "deploy/helm/luna/README.md": "helm.md",
    "deploy/loadtest/README.md": "loadtest.md",
    "fixtures/README.md": "fixtures.md",
}
WHO = {
    "anybody": "anybody, without signing in",
    "person": "whoever signed in; no API key",
    "team": "whoever signed in, and API keys",
    "organiser": "organisers and admins",
    "admin": "admins",
}
#: Those of the document, by name.
SCHEMAS: Json = {}
LINK = re.compile(r"(?<!!)\[([^\]\[]*(?:\[[^\]]*\][^\]\[]*)*)\]\(([^)\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for source, page in TOP.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text()))
    files.append(File.generated(config, "luna.svg", abs_src_path=str(ROOT / "luna-http/assets/luna.svg")))
    document = json.loads((ROOT / "docs/openapi.json").read_text())
    for page, text in api(document).items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    place = page.file.src_uri
    if place.startswith("api/"):
        return markdown
    source = next((it for it, name in TOP.items() if name == place), f"docs/{place}")

    def turned(match: re.Match[str]) -> str:
        text, target = match[1], match[2]
        if re.match(r"[a-z][a-z0-9+.-]*:|#", target):
            return match[0]
        path, _, anchor = target.partition("#")
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        anchor = f"#{anchor}" if anchor else ""
        found = TOP.get(wanted) or (wanted.removeprefix("docs/") if wanted.startswith("docs/") else None)
        if found is not None and (ROOT / wanted).is_dir():
            found = posixpath.join(found, "README.md")
        if found is not None and files.get_file_from_path(found):
            return f"[{text}]({posixpath.relpath(found, posixpath.dirname(place) or '.')}{anchor})"
        if not (ROOT / wanted).exists() or wanted.startswith(".."):
            log.warning("%s links to %s, which is not there", source, target)
        return f"[{text}]({BLOB}{wanted}{anchor})"

    lines: list[str] = []
    fence, inset = "", ""
    for line in markdown.splitlines():
        opening = re.match(r"( *)(```+)", line)
        if opening and not fence:
            inset, fence = opening[1], opening[2]
            # rustdoc's words behind the language.
            line = line.partition(",")[0]
            if inset:
                line = ""
        elif fence and line.strip() == fence:
            fence = ""
            if inset:
                line = ""
        elif fence:
            # Python-Markdown has no fences inside lists, but code that stands eight letters in.
            line = " " * 8 + line.removeprefix(inset) if inset else line
        elif re.fullmatch(r" *<!-- .* -->", line):
            # What .ci/docs is told.
            line = ""
        else:
            # What belongs to an item stands four letters in; in other Markdowns two or three do.
            line = LINK.sub(turned, re.sub(r"^ {2,3}(?=\S)", " " * 4, line))
            # Else the next item would go on with the paragraph before.
            if re.match(r"(\d+\.|[-*]) ", line) and lines and lines[-1].startswith("    "):
                lines.append("")
        lines.append(line)
    return "\n".join(lines) + "\n"


def on_post_build(config: MkDocsConfig) -> None:
    # The plugin makes the index; site.js searches it by itself.
    for name in ("lunr.js", "main.js", "worker.js"):
        Path(config.site_dir, "search", name).unlink()


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    # What is wide moves by itself, not the page; also for those who have no mouse.
    html = html.replace("<table>", '<div class="table" tabindex="0"><table>').replace("</table>", "</table></div>")
    html = html.replace("<pre>", '<pre tabindex="0">')
    # A column that needs no name has no heading.
    html = html.replace("<th></th>", "<td></td>")
    return re.sub(r'(<code class="language-console">)(.*?)(</code>)', console, html, flags=re.DOTALL)


def console(match: re.Match[str]) -> str:
    """What is typed stands out from what is printed."""
    lines, typed = [], False
    for line in match[2].splitlines(keepends=True):
        typed = line.startswith(("$ ", "&gt; ")) or (typed and lines[-1].endswith("\\\n"))
        lines.append(line if typed or not line.strip() else f'<span class="printed">{line}</span>')
    return match[1] + "".join(lines) + match[3]


def api(document: Json) -> dict[str, str]:
    """The API's pages: an overview, a page a topic, and one of all that is sent and answered."""
    calls: dict[str, list[tuple[str, str, Json]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            for tag in call["tags"]:
                calls[tag].append((method.upper(), path, call))
    SCHEMAS.clear()
    SCHEMAS.update(document["components"]["schemas"])
    pages = {f"api/{tag['name']}.md": topic(tag, calls[tag["name"]], document) for tag in document["tags"]}
    pages["api/index.md"] = overview(document, calls)
    pages["api/schemas.md"] = schemas()
    return pages


def overview(document: Json, calls: dict[str, list[tuple[str, str, Json]]]) -> str:
    lines = [
        "# API",
        "",
        f"{document['info']['description']} Version {document['info']['version']}. These pages are made from "
        "[openapi.json](../openapi.json), and that from the code; a running service shows the same at `/docs`.",
        "",
        "Sign in with `POST /api/v1/auth/login` and send `Authorization: Bearer …`, or send a key as `x-api-key: …`. "
        "Bodies and answers are JSON, but for signing in (a form), files and reports.",
        "",
    ]
    for tag in document["tags"]:
        lines += [f"## {tag['description']}", "", "| call | what it does | for |", "|---|---|---|"]
        for method, path, call in calls[tag["name"]]:
            link = f"[`{method} {path}`]({tag['name']}.md#{anchor(method, path)})"
            lines.append(f"| {link} | {cell(call['summary'])} | {WHO[call['x-who']]} |")
        lines.append("")
    lines += ["## Problems", "", "What is refused is answered as `application/problem+json`, a "]
    lines[-1] += "[ProblemDocument](schemas.md#problemdocument)."
    lines += ["", "| status | when |", "|---|---|"]
    for name, response in document["components"]["responses"].items():
        lines.append(f"| {name.removeprefix('Problem')} | {cell(response['description'])} |")
    return "\n".join(lines) + "\n"


def topic(tag: Json, calls: list[tuple[str, str, Json]], document: Json) -> str:
    lines = [f"# {tag['description']}", ""]
    for method, path, call in calls:
        lines += [f"## `{method} {path}` {{ #{anchor(method, path)} }}", "", call["summary"], ""]
        if "description" in call:
            lines += [call["description"], ""]
        lines += [f"For {WHO[call['x-who']]}.", ""]
        if call.get("parameters"):
            lines += ["| parameter | in | type | |", "|---|---|---|---|"]
            for it in call["parameters"]:
                said = it.get("description") or it["schema"].get("description", "")
                needed = "" if it["required"] else "may be left out"
                words = ". ".join(filter(None, [cell(said).rstrip("."), needed]))
                lines.append(f"| `{it['name']}` | {it['in']} | {kind(it['schema'])} | {words} |")
            lines.append("")
        if "requestBody" in call:
            for media, content in call["requestBody"]["content"].items():
                lines += [f"Body, `{media}`: {kind(content['schema'])}", ""]
                sent = content["schema"].get("$ref", "").rsplit("/", 1)[-1]
                lines += fields_of(SCHEMAS.get(sent, content["schema"]))
        for status, answer in call["responses"].items():
            if "$ref" not in answer:
                lines += [said_of(status, answer), ""]
        refused = [status for status, answer in call["responses"].items() if "$ref" in answer]
        if refused:
            lines += [f"[Problems](index.md#problems): {', '.join(refused)}", ""]
    return "\n".join(lines) + "\n"


def said_of(status: str, answer: Json) -> str:
    words = [f"Answer {status}"]
    if answer.get("description"):
        words.append(cell(answer["description"]))
    content = answer.get("content", {})
    forms = [f"`{media}`" + (f" {what}" if (what := kind(it.get("schema", {}))) != "any" else "") for media, it in content.items()]
    if forms:
        words.append(", ".join(forms))
    return ": ".join(words)


def schemas() -> str:
    lines = ["# What is sent and answered", ""]
    for name, schema in sorted(SCHEMAS.items()):
        if name.startswith("Page_"):
            continue
        lines += [f"## {name}", ""]
        if schema.get("description"):
            lines += [schema["description"], ""]
        lines += fields_of(schema)
    return "\n".join(lines) + "\n"


def fields_of(schema: Json) -> list[str]:
    fields = list(properties(schema))
    if not fields:
        return []
    lines = ["| field | type | |", "|---|---|---|"]
    for field, it, needed in fields:
        words = [cell(it.get("description", "")).rstrip("."), *limits(it), "" if needed else "may be missing"]
        lines.append(f"| `{field}` | {kind(it)} | {'; '.join(filter(None, words))} |")
    return [*lines, ""]


def properties(schema: Json) -> Iterator[tuple[str, Json, bool]]:
    for name, it in schema.get("properties", {}).items():
        yield name, it, name in schema.get("required", [])
    for part in schema.get("allOf", []):
        yield from properties(part)


def limits(schema: Json) -> Iterator[str]:
    for key, words in {"maxLength": "at most {} letters", "minLength": "at least {}", "maxItems": "at most {}"}.items():
        if key in schema:
            yield words.format(f"{schema[key]:,}")
    if "default" in schema:
        yield f"{schema['default']:,} unless given" if isinstance(schema["default"], int) else f"{schema['default']} unless given"
    if "example" in schema:
        yield f"such as `{schema['example']}`"


def kind(schema: Json) -> str:
    """A type in words, with a link to what it is made of."""
    for name, known in SCHEMAS.items():
        if schema == known and not name.startswith("Page_"):
            return linked(name)
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        if name.startswith("Page_"):
            return f"page of {kind(SCHEMAS[name]['properties']['items']['items'])}, with `next_cursor`"
        return linked(name)
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return " or ".join(kind(it) for it in schema[several])
    if "allOf" in schema or "properties" in schema:
        fields = ", ".join(f"`{name}`" for name, _, _ in properties(schema))
        return f"object with {fields}"
    if "enum" in schema:
        return ", ".join(f"`{it}`" for it in schema["enum"])
    types = schema.get("type", "any")
    if isinstance(types, list):
        return " or ".join(kind({**schema, "type": it}) for it in types)
    if types == "array":
        return f"list of {kind(schema['items'])}"
    return str(types)


def linked(name: str) -> str:
    return f"[{name}](schemas.md#{name.lower()})"


def anchor(method: str, path: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", f"{method} {path}".lower()).strip("-")


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
