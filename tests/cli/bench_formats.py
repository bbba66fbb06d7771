"""Checks what `perfkit bench` writes, with parsers that are not ours.

    bench_formats.py schema SCHEMA FILE...     documents (.json) and messages (one a line)
    bench_formats.py openmetrics FILE...
    bench_formats.py agree MESSAGES METRICS    the same samples: the same numbers
    bench_formats.py text MESSAGES TEXT        the same run: Criterion's text has these numbers

Prints what is wrong, exit 1; exit 77: a module is missing.
"""
import json
import sys


def closed(schema):
    """The same schema in which every object has only the keys that are described."""
    if isinstance(schema, list):
        return [closed(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict):
        result["additionalProperties"] = False
    return result


def instances(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if path.endswith(".json"):
        return [json.loads(text)]
    return [json.loads(line) for line in text.splitlines()]


def check_schema(schema_path, *paths):
    import jsonschema

    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    kinds = {
        "benchmark-complete": "benchmark_complete",
        "benchmark-failed": "benchmark_failed",
        "group-complete": "group_complete",
        None: "document",
    }
    checked = 0
    for path in paths:
        for instance in instances(path):
            jsonschema.validate(instance, schema, jsonschema.Draft7Validator)
            # one kind at a time, since an error of oneOf names nothing
            kind = kinds[instance.get("reason")]
            one = {"$ref": f"#/definitions/{kind}", "definitions": closed(schema["definitions"])}
            jsonschema.validate(instance, one, jsonschema.Draft7Validator)
            checked += 1
    assert checked, "nothing to check"


def families(path):
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    with open(path, encoding="utf-8") as file:
        return list(text_string_to_metric_families(file.read()))


def check_openmetrics(*paths):
    for path in paths:
        assert families(path), f"{path}: no families"


def check_agree(messages_path, metrics_path):
    """Every estimate of the messages is in the metrics, as the same double."""
    metrics = {}
    for family in families(metrics_path):
        for s in family.samples:
            key = [s.labels.get(k) for k in ("id", "function", "input_size", "aggregation")]
            metrics[(s.name, *key, s.labels.get("confidence"))] = s.value
    bounds = ("estimate", "lower_bound", "upper_bound")
    checked = 0
    for m in instances(messages_path):
        if m["reason"] != "benchmark-complete":
            continue
        name = (m["group"], m["function"], m["value"])
        estimates = [("criterion_benchmark_result_ns", k, m[k])
                     for k in ("typical", "mean", "median", "median_abs_dev", "std_dev")]
        if m["change"]:
            estimates += [("perfkit_benchmark_change_ratio", k, m["change"][k])
                          for k in ("mean", "median")]
        for family, aggregation, estimate in estimates:
            for key in bounds:
                found = metrics.get((family, *name, aggregation, key))
                assert found == estimate[key], (family, name, aggregation, key, found, estimate)
                checked += estimate[key] is not None
    assert checked >= 15, f"{checked} numbers compared"


def shown(value):
    size = abs(value)
    decimals = next((d for bound, d in ((10, 4), (100, 3), (1000, 2), (10000, 1)) if size < bound), 0)
    return f"{value:.{decimals}f}"


def shown_time(ns):
    units = ((1, 1e-3, "ps"), (1e3, 1, "ns"), (1e6, 1e3, "\u00b5s"), (1e9, 1e6, "ms"), (float("inf"), 1e9, "s"))
    per, unit = next((per, unit) for below, per, unit in units if ns < below)
    return f"{shown(ns / per):>6} {unit}"


def shown_change(ratio):
    return f"{'+' if ratio >= 0 else '-'}{shown(abs(ratio * 100))}%"


def check_text(messages_path, text_path):
    with open(text_path, encoding="utf-8") as file:
        text = file.read()
    checked = 0
    for m in instances(messages_path):
        if m["reason"] != "benchmark-complete":
            continue
        order = ("lower_bound", "estimate", "upper_bound")
        expected = ["time:   [" + " ".join(shown_time(m["typical"][k]) for k in order) + "]"]
        if m["change"] and m["change"]["mean"]["estimate"] is not None:
            expected.append("[" + " ".join(shown_change(m["change"]["mean"][k]) for k in order) + "]")
        for part in expected:
            assert part in text, f"no {part!r} in:\n{text}"
            checked += 1
    assert checked, "nothing to check"


def main():
    what, *arguments = sys.argv[1:]
    checks = {"schema": check_schema, "openmetrics": check_openmetrics, "agree": check_agree,
              "text": check_text}
    try:
        checks[what](*arguments)
    except ImportError as error:
        print(error)
        return 77
    except Exception as error:  # whatever it is, it is what is wrong
        print(f"{type(error).__name__}: {error}")
        return 1
    return 0


sys.exit(main())
