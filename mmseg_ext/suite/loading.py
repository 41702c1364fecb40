"""YAML files into typed models, with errors that name file and field."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from mmseg_ext.suite.errors import InputError, unknown_name


class StrictModel(BaseModel):
    """Base of every configuration model: unknown keys are refused, values do not change."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


ModelT = TypeVar("ModelT", bound=StrictModel)


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML's safe loader, except that a key given twice is an error instead of the last one winning."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    "while reading a mapping",
                    node.start_mark,
                    f"key {key!r} is given twice",
                    key_node.start_mark,
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises:
        InputError: If the file is missing, is not YAML, gives a key twice, or is not a mapping.
    """
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)
    except FileNotFoundError:
        raise InputError(path, "file", "nothing", "an existing YAML file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(path, "content", " ".join(str(error).split()), "valid YAML") from None
    if not isinstance(value, dict):
        raise InputError(path, "content", type(value).__name__, "a mapping of keys to values")
    return value


def parse(model: type[ModelT], value: dict[str, Any], file: Path | str) -> ModelT:
    """Build `model` from `value`, read from `file`.

    Raises:
        InputError: For the first offending field.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _first_error(model, error, file) from None


def load(model: type[ModelT], path: Path, name_field: str) -> ModelT:
    """Read `path` as `model`; the field `name_field` must equal the stem of the file."""
    loaded = parse(model, read_yaml(path), path)
    name = getattr(loaded, name_field)
    if name != path.stem:
        raise InputError(path, name_field, name, f"the stem of the file, {path.stem!r}")
    return loaded


def _first_error(model: type[BaseModel], error: ValidationError, file: Path | str) -> InputError:
    details = error.errors()
    # An unknown key says more than the missing one it was meant to be.
    first = next((item for item in details if item["type"] == "extra_forbidden"), details[0])
    field = ".".join(str(part) for part in first["loc"]) or "content"
    if first["type"] == "extra_forbidden":
        valid = _fields_at(model, first["loc"][:-1])
        return unknown_name(file, field, str(first["loc"][-1]), "a known key", valid)
    if first["type"] == "missing":
        return InputError(file, field, "nothing", "a value (the key is required)")
    if first["type"] == "union_tag_invalid":
        context = {key: str(value).replace("'", "") for key, value in first["ctx"].items()}
        valid = context["expected_tags"].split(", ")
        return unknown_name(file, f"{field}.{context['discriminator']}", context["tag"], "a known kind", valid)
    message = first["msg"].removeprefix("Value error, ")
    return InputError(file, field, first["input"], message[0].lower() + message[1:])


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Return the field names valid at `location` by walking the model's JSON schema."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    nodes: list[dict[str, Any]] = [schema]
    for part in location:
        reached: list[dict[str, Any]] = []
        for node in _alternatives(nodes, definitions):
            properties = node.get("properties", {})
            if part in properties:
                reached.append(properties[part])
            elif "patternProperties" in node:
                reached.extend(node["patternProperties"].values())
            elif isinstance(node.get("additionalProperties"), dict):
                reached.append(node["additionalProperties"])
            elif "items" in node:
                reached.append(node["items"])
        # A tagged union adds its tag to the location; the tag is no step in the schema.
        nodes = reached or nodes
    return sorted({name for node in _alternatives(nodes, definitions) for name in node.get("properties", {})})


def _alternatives(nodes: list[dict[str, Any]], definitions: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    pending = list(nodes)
    while pending:
        node = pending.pop()
        if "$ref" in node:
            pending.append(definitions[node["$ref"].rsplit("/", 1)[-1]])
        elif "anyOf" in node or "oneOf" in node:
            pending.extend(node.get("anyOf", []) + node.get("oneOf", []))
        else:
            found.append(node)
    return found
