"""Addresses of artifacts' contents: who may do what with them, and how long a content may be."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from sweeper.server.graphql.artifact_addresses import (
    MAX_IN_PARTS,
    MAX_PARTS,
    MAX_WHOLE,
    PART,
    READ,
    WRITE,
    content_url,
    limit_of,
    upload_url,
)

MD5 = "0" * 32


def parts(url):
    """Take an address apart: where it is, and what it carries."""
    found = urlsplit(url)
    return f"{found.scheme}://{found.netloc}{found.path}", dict(parse_qsl(found.query))


def test_an_address_to_read_carries_the_right_to_read(context):
    """It is a whole address, as the client knows the server, and signed for one content of one project."""
    place, carried = parts(content_url(context, 7, MD5))
    assert place == f"http://host:1/artifact-files/7/{MD5}"
    holds = context.signer.holds
    assert holds(carried["token"], READ, "7", MD5, now=context.now)
    assert not holds(carried["token"], READ, "8", MD5, now=context.now)
    assert not holds(carried["token"], WRITE, "7", MD5, now=context.now)


def test_an_address_to_write_carries_the_length(context):
    """The limit is part of what is signed: another one opens nothing."""
    _, carried = parts(upload_url(context, 7, MD5, 5))
    assert carried["limit"] == "5"
    assert context.signer.holds(carried["token"], WRITE, "7", MD5, "5", now=context.now)
    assert not context.signer.holds(carried["token"], WRITE, "7", MD5, "6", now=context.now)


def test_a_file_may_be_as_long_as_its_parts():
    """wandb-core announces parts of 100 MiB from 2 GiB on, and larger ones when ten thousand are not enough."""
    assert limit_of(0) == MAX_WHOLE
    assert limit_of(21) == 21 * PART > MAX_WHOLE
    assert limit_of(MAX_PARTS) == MAX_IN_PARTS
