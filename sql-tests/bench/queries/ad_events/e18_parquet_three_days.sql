-- The same three days of Parquet.
SELECT user_id, count(*) AS impressions, sum(billing) / 1000000 AS spend
FROM events
WHERE date <= CAST('2017-08-03' AS DATE)
GROUP BY user_id
ORDER BY spend DESC, user_id
LIMIT 100;
