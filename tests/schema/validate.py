"""Checks request bodies against OpenAPI 3.0 documents, strictly.

usage: validate.py MANIFEST

The manifest is JSON: [{"spec", "path", "method", "body"}], each a file name except path and method. Prints one line per
fault and exits with 1 if there was any.

Strict means: an object that lists its properties takes no others. Relaxed is only what the documents mean but cannot
say: numbers written as overlapping `oneOf` become `anyOf`, `nullable` allows null, times need no zone, and an object
without properties stands for any value.
"""

import json
import sys

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

SILENT = {"nullable", "discriminator", "example", "xml", "externalDocs", "readOnly", "writeOnly", "deprecated", "default"}


def strict(schema):
    """The schema in JSON Schema's words, closed."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    anything = schema.get("type") == "object" and schema.get("properties") == {} and "additionalProperties" not in schema
    if anything and "oneOf" not in schema:
        return {}
    closed = {}
    for key, part in schema.items():
        if key == "properties":
            closed[key] = {name: strict(value) for name, value in part.items()}
        elif key == "enum" or key == "required":
            closed[key] = list(part)
        elif key == "oneOf":
            closed["anyOf"] = strict(part)
        elif key not in SILENT:
            closed[key] = strict(part)
    if closed.get("format") == "time":
        del closed["format"]
    if closed.get("properties") and not {"additionalProperties", "allOf", "anyOf"} & set(closed):
        closed["additionalProperties"] = False
    if not schema.get("nullable"):
        return closed
    if isinstance(closed.get("type"), str):
        closed["type"] = [closed["type"], "null"]
        if "enum" in closed:
            closed["enum"].append(None)
        return closed
    return {"anyOf": [closed, {"type": "null"}]}


def validator(spec, path, method):
    with open(spec, encoding="utf-8") as file:
        document = json.load(file)
    content = document["paths"][path][method.lower()]["requestBody"]["content"]
    schema = strict(next(iter(content.values()))["schema"])
    schema["components"] = strict_components(document["components"])
    return Draft202012Validator(schema)


def strict_components(components):
    return {"schemas": {name: strict(schema) for name, schema in components["schemas"].items()}}


def main(manifest):
    with open(manifest, encoding="utf-8") as file:
        jobs = json.load(file)
    validators = {}
    faults = 0
    for job in jobs:
        key = (job["spec"], job["path"], job["method"])
        if key not in validators:
            validators[key] = validator(*key)
        with open(job["body"], encoding="utf-8") as file:
            body = json.load(file)
        error = best_match(validators[key].iter_errors(body))
        if error is not None:
            faults += 1
            where = "/".join(str(part) for part in error.absolute_path)
            print(f"{job['body']}: /{where}: {error.message[:400]}")
    print(f"{len(jobs) - faults} of {len(jobs)} bodies are valid")
    return 1 if faults or not jobs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
