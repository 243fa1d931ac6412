-- What each user has seen in a month, and what it has cost.
SELECT user_id, count(*) AS impressions, sum(billing) / 1000000 AS spend
FROM events
WHERE date >= CAST('2017-08-01' AS DATE) AND date <= CAST('2017-08-31' AS DATE)
GROUP BY user_id
ORDER BY spend DESC, user_id
LIMIT 100;
