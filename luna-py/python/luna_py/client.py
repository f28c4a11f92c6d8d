"""A client of a LUNA service: hand data sets in, read their reports.

>>> from luna_py.client import Client
>>> client = Client("https://luna.example.org", api_key="a-key-of-the-team")
>>> client.push("scans").save("report.html")  # doctest: +SKIP
"""

from luna_py._luna import Client

__all__ = ["Client"]
