-- A week's report of campaigns, with distinct users and a condition on groups.
SELECT date, campaign_id, os, count(*) AS impressions, sum(clicks) AS total_clicks, sum(billing) AS total_billing,
       count(DISTINCT user_id) AS users
FROM events
WHERE date BETWEEN CAST('2017-08-01' AS DATE) AND CAST('2017-08-07' AS DATE)
  AND country IN ('US', 'GB', 'DE', 'FR') AND os IN ('Android', 'iOS')
GROUP BY date, campaign_id, os
HAVING sum(clicks) > 5
ORDER BY total_billing DESC, campaign_id, date, os
LIMIT 50;
