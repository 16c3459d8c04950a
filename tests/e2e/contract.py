"""What docs/schemas/ promises of the stream, held against messages as they arrived. A reader passes over what it does not know;
these checks do not: a field or a topic that no schema names fails, so that nothing goes out undocumented."""
import json
import math
import pathlib

import jsonschema

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "docs/schemas"
OF_A_PLATE = {"force", "preview", "phase", "rep", "fault"}
SAMPLES = {"force", "preview", "share"}


def load(name):
    return json.loads((FOLDER / f"{name}.schema.json").read_text())


def strict(schema):
    """The schema, where every object has the properties that are listed and no others."""
    if isinstance(schema, list):
        return [strict(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(value) for key, value in schema.items()}
    if schema.get("type") == "object":
        closed["additionalProperties"] = False
    return closed


def of_header(name):
    body, envelope = load(name), load("envelope")
    assert not set(body["properties"]) & set(envelope["properties"]), name
    body["properties"].update(envelope["properties"])
    body["required"] += envelope["required"]
    return body


TOPICS = sorted({path.name.removesuffix(".schema.json") for path in FOLDER.iterdir()} - {"envelope"})
VALIDATORS = {name: jsonschema.Draft202012Validator(strict(of_header(name))) for name in TOPICS}


def check(frames):
    """Fails unless the message is what the contract promises; its header."""
    topic, text, *payload = frames
    name, plate, *rest = topic.decode().split("/")
    assert name in VALIDATORS and (rest == [""] if name in OF_A_PLATE else not plate and not rest), topic
    header = json.loads(text, parse_constant=lambda word: (_ for _ in ()).throw(AssertionError(f"{word} is no JSON")))
    error = jsonschema.exceptions.best_match(VALIDATORS[name].iter_errors(header))
    assert not error, f"{topic.decode()} {error.json_path}: {error.message}\n{text.decode()}"
    assert name not in OF_A_PLATE or header["plate"] == plate, text
    assert [len(p) for p in payload] == ([4 * math.prod(header["shape"])] if name in SAMPLES else []), text
    assert name not in SAMPLES or len(header["channels"]) == header["shape"][1], text
    return header


def check_all(messages):
    """Messages of one subscriber that lost none, in the order of arrival: the contract, and no hole in seq."""
    last = {}
    for frames in messages:
        header = check(frames)
        if "cached" in header:
            continue
        run, seq = last.get(frames[0], (None, None))
        assert run != header["run"] or header["seq"] == seq + 1, f"{frames[0].decode()}: {header['seq']} after {seq}"
        last[frames[0]] = header["run"], header["seq"]
