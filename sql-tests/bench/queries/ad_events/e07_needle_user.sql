-- The last events of one user in all partitions; users are in no order.
SELECT ts, campaign_id, os, country, content_id, billing, clicks
FROM events
WHERE user_id = '{needle_user}'
ORDER BY ts DESC, content_id
LIMIT 20;
