-- What each user has seen in the first three days, of packed CSV.
SELECT user_id, count(*) AS impressions, sum(billing) / 1000000 AS spend
FROM events_csv
GROUP BY user_id
ORDER BY spend DESC, user_id
LIMIT 100;
