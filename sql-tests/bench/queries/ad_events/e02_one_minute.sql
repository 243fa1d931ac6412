-- A minute of one hour's partition, as one looks at what has just come in.
SELECT count(*) AS n, sum(billing) AS billing, count(DISTINCT campaign_id) AS campaigns
FROM events
WHERE date = CAST('2017-08-02' AS DATE) AND hour = 13 AND ts >= 1501680600000 AND ts < 1501680660000;
