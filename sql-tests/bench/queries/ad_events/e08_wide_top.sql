-- The ten dearest of all events with all their columns, most of which need not be read.
SELECT ts, user_id, campaign_id, os, ua, country, content_id, billing, clicks
FROM events
ORDER BY billing DESC, ts DESC, content_id
LIMIT 10;
