"""The language of a search space as JSON Schema (2020-12), and as a page of keys for people.

Inside a recipe every value may be a search domain, so that there each schema stands beside those of the domains.
"""

import json
from typing import Any

from xit_ray.spec.domains import DOMAINS, FINITE, NUMERIC
from xit_ray.spec.load import EXTENDS
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Space

Schema = dict[str, Any]
IN_RECIPES = ("Recipe", "Model", "Stage", "Mixture", "Member")
"""Pieces whose values may be domains."""
TEXT: Schema = {"type": "string"}
SHORTHANDS: dict[str, list[Schema]] = {
    "Model": [TEXT],
    "Member": [TEXT],
    "Mixture": [
        TEXT,
        {"type": "array", "items": {"$ref": "#/$defs/Member"}, "minItems": 1},
        {"$ref": "#/$defs/Member"},
    ],
    "Replicates": [{"type": "integer", "exclusiveMinimum": 0}],
    "OwnTask": [TEXT],
}
"""What may stand for a piece, as its ``expand`` has it; a path stands for an own task."""
NUMBERS: Schema = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
ARGUMENTS: dict[str, Schema] = {
    **dict.fromkeys(NUMERIC, NUMBERS),
    "quniform": {**NUMBERS, "minItems": 3, "maxItems": 3},
    "exponential": {"type": "number", "exclusiveMinimum": 0},
}
"""Of the numeric domains."""


def space_schema() -> Schema:
    """JSON Schema of a search-space file."""
    schema = Space.model_json_schema()
    recipe = Recipe.model_json_schema()
    definitions = {**schema["$defs"], **recipe.pop("$defs"), "Recipe": recipe}
    for name in IN_RECIPES:
        properties = definitions[name]["properties"]
        definitions[name]["properties"] = {key: _or_domain(_in_lists(value)) for key, value in properties.items()}
    whole = definitions["Recipe"].pop("required")
    for name, forms in SHORTHANDS.items():
        definitions[name] = {"anyOf": [definitions[name], *forms]}
    definitions["Domain"] = _domain({"type": "array", "minItems": 1})
    properties = {**schema["properties"], "recipe": _or_domain({"$ref": "#/$defs/Recipe"}), EXTENDS: _extends()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "xit_ray search space",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        # What a space that extends another one lacks is there.
        "if": {"not": {"required": [EXTENDS]}},
        "then": {
            "required": schema["required"],
            "properties": {"recipe": {"anyOf": [{"required": whole}, {"$ref": "#/$defs/Domain"}]}},
        },
        "$defs": definitions,
    }


def _extends() -> Schema:
    about = "Another space file, from this one's folder: what this one does not have is taken from there."
    return {**TEXT, "description": about}


def _in_lists(schema: Schema) -> Schema:
    """Items of a list may be domains, too."""
    if schema.get("type") == "array" and "items" in schema:
        return {**schema, "items": _or_domain(schema["items"])}
    return schema


def _or_domain(schema: Schema) -> Schema:
    """A value, or a domain of such values, whose options may be domains in turn."""
    plain = {key: value for key, value in schema.items() if key not in ("description", "default", "title")}
    said = {key: value for key, value in schema.items() if key in ("description", "default")}
    options = {"type": "array", "minItems": 1, "items": {"anyOf": [plain, {"$ref": "#/$defs/Domain"}]}}
    return {"anyOf": [plain, _domain(options)], **said}


def _domain(options: Schema) -> Schema:
    """A mapping with one key, the kind of domain."""
    return {
        "type": "object",
        "properties": {**dict.fromkeys(FINITE, options), **ARGUMENTS},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }


def reference() -> str:
    """Every key with its default and its meaning, in Markdown."""
    schema = Space.model_json_schema()
    recipe = Recipe.model_json_schema()
    definitions = {**schema["$defs"], **recipe["$defs"]}
    lines = [
        "# Reference: every key of a search space",
        "",
        "Made by `xit schema --markdown`. Inside `recipe` any value may be a domain: "
        + ", ".join(f"`{d}`" for d in DOMAINS),
        "([what they are](spaces.md)).",
    ]
    lines += _table("A space", schema["properties"], schema.get("required", []))
    lines += _table("recipe", recipe["properties"], recipe.get("required", []))
    order = [*IN_RECIPES[1:], *sorted(definitions.keys() - set(IN_RECIPES))]
    for name in order:
        about = definitions[name]
        lines += _table(name, about["properties"], about.get("required", []), about.get("description", ""))
    return "\n".join(lines) + "\n"


def _table(title: str, properties: dict[str, Schema], required: list[str], about: str = "") -> list[str]:
    rows = ["", f"## {title}", ""]
    rows += [_plain(about), ""] if about else []
    rows += ["| key | allowed | default | meaning |", "|---|---|---|---|"]
    for key, schema in properties.items():
        default = "required" if key in required else f"`{json.dumps(schema.get('default'), ensure_ascii=False)}`"
        rows.append(f"| `{key}` | {_allowed(schema)} | {default} | {_plain(schema.get('description', ''))} |")
    return rows


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|")


def _allowed(schema: Schema) -> str:
    """What a value may be, in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_allowed(one) for one in schema["anyOf"]))
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        return f"list of {_allowed(schema.get('items', {}))}"
    words = {"integer": "whole number", "string": "text", "boolean": "true, false", "object": "mapping"}.get(kind, kind)
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    return " ".join([words, *(f"{sign} {schema[key]:g}" for key, sign in bounds.items() if key in schema)])
