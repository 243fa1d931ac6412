-- Users of each day.
SELECT date, count(*) AS n, count(DISTINCT user_id) AS users FROM events GROUP BY date ORDER BY date;
