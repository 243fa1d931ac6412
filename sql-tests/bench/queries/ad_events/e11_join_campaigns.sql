-- A week of events with a hot table, of which all rows are wanted.
SELECT c.category, c.status, count(*) AS n, sum(e.clicks) AS clicks, sum(e.billing) AS billing
FROM events e JOIN campaigns c ON e.campaign_id = c.campaign_id
WHERE e.date BETWEEN CAST('2017-08-01' AS DATE) AND CAST('2017-08-07' AS DATE)
GROUP BY c.category, c.status
ORDER BY c.category, c.status;
