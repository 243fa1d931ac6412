-- One rare campaign in all partitions; files are sorted by campaign and have a Bloom filter of it.
SELECT count(*) AS n, sum(billing) AS billing, min(ts) AS first_ts, max(ts) AS last_ts
FROM events
WHERE campaign_id = '{needle_campaign}';
