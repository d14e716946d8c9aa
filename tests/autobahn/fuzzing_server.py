# -*- coding: utf-8 -*-
"""Autobahn|Testsuite's fuzzing server on 127.0.0.1 alone, for CPython 2.7: `fuzzing_server.py OUT_FOLDER`.

It listens on a free port, names it in the line `listening on port N`, and lists the ids of its cases in `cases.json`.
The result of each case is written to `ID.json` in OUT_FOLDER as soon as its connection is over.
"""

from __future__ import print_function

import json
import os
import sys

from autobahntestsuite import choosereactor  # must be imported before anything of Twisted

from twisted.internet import reactor

from autobahntestsuite.case import case12_x_x
from autobahntestsuite.fuzzing import FuzzingServerFactory


class Text(str):
    """The test data of a compression case, decoded once: the stock case decodes all of it for each of its 1000 messages."""

    _decoded = None

    def decode(self, encoding):
        if self._decoded is None:
            self._decoded = str.decode(self, encoding)
        return self._decoded


class TestData(object):
    """A file of test data, opened for reading."""

    def __init__(self, path, mode):
        self._path = path
        self._mode = mode

    def read(self):
        with open(self._path, self._mode) as data:
            return Text(data.read())


# The name that the module of the compression cases looks up.
case12_x_x.open = TestData


class Factory(FuzzingServerFactory):
    """Writes each result when it is known, where the stock server writes all of them when it is asked to."""

    def logCase(self, result):
        name = os.path.join(self.outdir, result["id"] + ".json")
        with open(name + ".part", "w") as out:
            # Payloads in the wire log may be any bytes.
            json.dump(result, out, encoding="latin-1")
        os.rename(name + ".part", name)


def main():
    out = sys.argv[1]
    # The port in the URL is not looked at; the real one is known once the socket is bound.
    factory = Factory({"url": "ws://127.0.0.1:9001", "outdir": out, "cases": ["*"], "exclude-cases": []})
    with open(os.path.join(out, "cases.json"), "w") as ids:
        json.dump(factory.specCases, ids)
    # The stock server listens on every interface, whatever its specification says.
    port = reactor.listenTCP(0, factory, interface="127.0.0.1").getHost().port
    # The Host field of a request must name the port.
    factory.externalPort = port
    print("listening on port %d" % port)
    sys.stdout.flush()
    reactor.run()


main()
