"""What a service needs for many images: python3 benches/scaling.py [--teams N] [--images N] [--kind png] [--days D] ...

docs/scaling.md shows the formulas and what comes out. Each input is measured (docs/performance.md, docs/scaling.md) or
an assumption, which a flag replaces by your own figure.
"""

import argparse
import math
from dataclasses import dataclass

GIB, TIB, MIB, KIB = 1 << 30, 1 << 40, 1 << 20, 1 << 10


@dataclass(frozen=True)
class Kind:
    """Images of one kind: bytes of a file, and seconds of a core for all that LUNA does with it."""

    bytes: float
    seconds: float


#: Seconds: docs/performance.md, "One file". Bytes: the mean of the same files; the native DICOM is 10 MB by itself.
KINDS = {
    "png": Kind(0.38 * MIB, 0.893 / 124),
    "jpeg": Kind(0.41 * MIB, 0.567 / 36),
    "dicom": Kind(10e6, 0.0213),
    "jpeg2000": Kind(1.96e6, 1.769 / 4),
}

#: Measured: docs/performance.md, "A data set shared by workers": queue, catalogue and reading for 10,000 images.
OVERHEAD_SECONDS = (3.2 + 4.3) / 10_000
#: Measured: docs/performance.md, "Memory": what a worker keeps of each image while it concludes.
CONCLUDE_BYTES = 1.8 * KIB
#: Measured: docs/scaling.md, "The database" and "The storage".
DATABASE_BYTES = 5_000.0
REPORT_BYTES = 3_000.0
#: luna-worker/src/worker/shard.rs.
SHARD_FILES, SHARD_BYTES = 256, 256 * MIB
#: A claim, an enqueue and their commits: decision 16.
CLAIM_SECONDS = 0.003


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teams", type=int, default=24)
    parser.add_argument("--images", type=int, default=1_000_000, help="of all teams together")
    parser.add_argument("--kind", choices=KINDS, default="png")
    parser.add_argument("--days", type=float, default=1.0, help="in which all of them come, evenly")
    parser.add_argument("--versions", type=float, default=3.0, help="how often a team hands its data set in")
    parser.add_argument("--changed", type=float, default=0.05, help="part of the files that a new version changes")
    parser.add_argument("--busy", type=float, default=0.6, help="part of the time that cores may be busy")
    parser.add_argument("--storage-price", type=float, default=0.023, help="a GB and month")
    parser.add_argument("--database-price", type=float, default=0.115, help="a GB and month")
    parser.add_argument("--core-price", type=float, default=0.04, help="a core and hour")
    parser.add_argument("--put-price", type=float, default=0.000005, help="an object that is written")
    parser.add_argument("--get-price", type=float, default=0.0000004, help="an object that is read")
    parser.add_argument("--egress-price", type=float, default=0.0, help="a GB that workers read; 0 in one region")
    parser.add_argument("--table", action="store_true", help="the table of docs/scaling.md")
    return parser.parse_args()


def needs(given: argparse.Namespace, teams: int, images: int) -> dict[str, float]:
    """What so many images of so many teams need."""
    kind = KINDS[given.kind]
    sent = images * (1 + (given.versions - 1) * given.changed)
    validated = images * given.versions
    data_set = images / teams
    shards = math.ceil(max(data_set / SHARD_FILES, data_set * kind.bytes / SHARD_BYTES)) * teams * given.versions
    seconds = validated * (kind.seconds + OVERHEAD_SECONDS)
    read = validated * kind.bytes
    stored = sent * kind.bytes + validated * REPORT_BYTES
    database = validated * DATABASE_BYTES
    month = stored / 1e9 * given.storage_price + database / 1e9 * given.database_price
    once = seconds / 3_600 / given.busy * given.core_price + sent * given.put_price + validated * given.get_price
    once += read / 1e9 * given.egress_price
    return {
        "storage": stored,
        "database": database,
        "items": shards + 2 * teams * given.versions,
        "claims": (shards + 2 * teams * given.versions) * CLAIM_SECONDS,
        "cores": seconds / (given.days * 86_400 * given.busy),
        "core hours": seconds / 3_600,
        "read": read,
        "conclude": data_set * CONCLUDE_BYTES,
        "month": month,
        "once": once,
        "a million": (month + once) / images * 1e6,
    }


def size(number: float) -> str:
    for unit, name in ((TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB")):
        if number >= unit:
            return f"{number / unit:,.1f} {name}"
    return f"{number / KIB:,.0f} KiB"


def table(given: argparse.Namespace) -> None:
    print(f"{'teams':>6} {'images':>12} {'storage':>10} {'database':>10} {'items':>10} {'cores':>6} {'read':>10} {'conclude':>9}")
    for images in (1_000_000, 100_000_000):
        for teams in (1, 24, 1_000):
            it = needs(given, teams, images)
            print(
                f"{teams:6,} {images:12,} {size(it['storage']):>10} {size(it['database']):>10} {it['items']:10,.0f} "
                f"{it['cores']:6.1f} {size(it['read']):>10} {size(it['conclude']):>9}"
            )


def main() -> None:
    given = parse()
    if given.table:
        table(given)
        return
    it = needs(given, given.teams, given.images)
    print(f"storage            {size(it['storage'])}")
    print(f"database           {size(it['database'])}")
    print(f"items of the queue {it['items']:,.0f}, {it['claims']:,.0f} s of the database")
    print(f"cores              {it['cores']:,.1f} for {given.days:g} days ({it['core hours']:,.0f} core hours)")
    print(f"read by workers    {size(it['read'])}")
    print(f"memory to conclude {size(it['conclude'])} beside the budget")
    print(f"cost               {it['once']:,.0f} once, {it['month']:,.0f} a month; a million images {it['a million']:,.2f}")


if __name__ == "__main__":
    main()
