"""Fixtures of the data tests."""

from __future__ import annotations

import socket

import pytest


@pytest.fixture
def offline(monkeypatch):
    """Fails the test at any attempt to reach another machine."""

    def refuse(*arguments, **options):
        pytest.fail("tried the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
