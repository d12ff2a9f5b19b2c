"""Keep the errors that the last run of the tests recorded: `make ledger` writes book/ledger.json."""

import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "book" / "_ext"))

from bookbuild import ledger  # noqa: E402


def main() -> None:
    worst: dict[tuple[str, str], dict] = {}
    for record in json.loads((ROOT / "_build" / "statements.json").read_text(encoding="utf8")):
        record["test"] = record["test"].split("[")[0]  # of a test with parameters the worst case counts
        key = record["statement"], record["test"]
        if key not in worst or record["measured"] > worst[key]["measured"]:
            worst[key] = record
    wanted = [(name, test) for name, tests in sorted(ledger.guards(ROOT).items()) for test in sorted(tests)]
    missing = [test for name, test in wanted if (name, test) not in worst]
    if missing:
        raise SystemExit(f"error: the tests left no record of {', '.join(missing)}")
    packages = ", ".join(f"{name} {version(name)}" for name in ("labnoise", "jax", "numpy", "scipy"))
    made = f"{packages}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    records = [
        {name: float(f"{value:.2g}") if name == "measured" else value for name, value in worst[key].items()}
        for key in wanted
    ]
    text = json.dumps({"made": made, "records": records}, indent=1, ensure_ascii=False)
    (ROOT / ledger.RECORDS).write_text(text + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
