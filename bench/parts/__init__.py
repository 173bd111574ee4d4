"""The parts of bench/memory: each measures one thing on a running server and can be run alone.

A part is a generator: of figures for the one table, and of tables of its own, as text.
"""
