"""Answers a question a line, as JSON: `read`, `write`, `delete` or `checkpoint`, of the table in the folder `path`."""

import json
import sys

from deltalake import DeltaTable, QueryBuilder, write_deltalake


def read(path, sql, version=None):
    """The rows of a query that calls the table `t`."""
    rows = QueryBuilder().register("t", DeltaTable(path, version=version)).execute(sql).read_all()
    names = rows.schema.names
    return [dict(zip(names, values)) for values in zip(*(rows.column(name).to_pylist() for name in names))]


def write(path, sql, options):
    """Writes the rows of a query over no table."""
    write_deltalake(path, QueryBuilder().execute(sql).read_all(), **options)
    return []


def delete(path, predicate):
    return [DeltaTable(path).delete(predicate)]


def checkpoint(path):
    DeltaTable(path).create_checkpoint()
    return []


KNOWN = {each.__name__: each for each in (read, write, delete, checkpoint)}

for line in sys.stdin:
    try:
        question = json.loads(line)
        said = {"rows": KNOWN[question.pop("do")](**question)}
    except Exception as error:
        said = {"error": str(error)}
    print(json.dumps(said, default=str), flush=True)
