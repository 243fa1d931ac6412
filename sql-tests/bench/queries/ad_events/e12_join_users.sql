-- All events with a hot table, of which few rows are wanted.
SELECT u.home_country, count(*) AS n, sum(e.billing) AS total_billing
FROM events e JOIN users u ON e.user_id = u.user_id
WHERE u.segment = 'seg07' AND u.signup >= CAST('2017-01-01' AS DATE)
GROUP BY u.home_country
ORDER BY total_billing DESC, u.home_country;
