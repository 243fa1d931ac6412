"""Measures our server beside its peers.

A suite (`suites/`) starts the servers and engines it compares (`servers`, `peers`), gives all of them the same data
(`tpch_data`, `tpcds_data`, `events_data`, `ad_events_data`, `wide_data`; `s3_server` counts what is read of it), lets them do
the same work in turns (`turns`), compares what they answer (`answers`) or how they plan (`plans`), and fills a `Results` with
the samples, from which the tables, the ratios and the JSON are made. Nothing here judges: a figure that misses its aim is
printed as such, and only a wrong answer or a failure makes the command fail.
"""
