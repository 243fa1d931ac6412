-- A dashboard's curve: one busy campaign by hour.
SELECT date, hour, count(*) AS n, sum(clicks) AS clicks, sum(billing) AS billing
FROM events
WHERE campaign_id = '{busy_campaign}'
GROUP BY date, hour
ORDER BY date, hour;
